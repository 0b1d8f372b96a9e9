// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/scheduler.h"
#include "train/lora_layers.h"

namespace aianime::train {

// The options a run was begun with, a line each, so that it goes on with the same ones only.
class StyleRecord {
public:
    void add(const std::string &name, const std::string &value) { lines_.emplace_back(name, value); }
    void add(const std::string &name, double value);

    // Where `begun`, throws Error (INVALID) naming the first option that differs from the file's; else writes the file.
    void check_or_write(const std::string &path, bool begun) const;

private:
    std::vector<std::pair<std::string, std::string>> lines_;
};

// What other tools show of a LoRA file.
struct StyleDescription {
    std::string title, base, trigger;
    LoraShape shape;
    bool text_encoder = false;
    diffusion::Prediction prediction = diffusion::Prediction::epsilon;
    int64_t text_width = 0, side = 0, clip_skip = 1, pictures = 0, steps = 0, batch = 1, accumulate = 1;
    double rate = 0, text_rate = 0, min_snr = 0, noise_offset = 0;
    uint64_t seed = 0;
};

// Metadata under kohya's names ("ss_...") and those of the modelspec, which web UIs read. Nothing of it tells when and where: the
// same training gives the same file.
std::map<std::string, std::string> style_metadata(const StyleDescription &style);

} // namespace aianime::train
