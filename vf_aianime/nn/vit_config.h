// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "io/json.h"

namespace aianime::nn {

// What timm's config.json says of a plain vision transformer. See VitTagger.
struct VitConfig {
    // Throws Error (BAD_DATA, OUT_OF_RANGE).
    explicit VitConfig(const io::Json &json);

    int64_t grid() const { return image_size / patch_size; }
    int64_t tokens() const { return grid() * grid(); }

    int64_t width = 0, depth = 0, heads = 0, hidden = 0, patch_size = 0, image_size = 0, classes = 0;
    bool tanh_gelu = false;
    bool norm_before_mean = false;                                             // else after it, timm's "fc_norm"
    std::array<double, 3> mean = {0.5, 0.5, 0.5}, deviation = {0.5, 0.5, 0.5}; // R, G, B

private:
    void read_architecture(const io::Json &json);
    void read_arguments(const io::Json &arguments);
    void read_preparation(const io::Json &settings, bool image_size_given);
};

} // namespace aianime::nn
