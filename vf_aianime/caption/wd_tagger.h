// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <memory>
#include <string>
#include <vector>

namespace aianime::caption {

struct WdTaggerSettings {
    // A tag is said when its probability is above this, in [0, 1].
    double general = 0.35;
    double character = 0.85;
    // Finds both thresholds in each picture instead, in the middle of the widest gap between neighbouring probabilities (MCut:
    // Largeron, Moulin, Gery, "MCut: A Thresholding Strategy for Multi-label Classification", IDA 2012). That of characters is
    // 0.15 at least, as in the taggers' own script.
    bool best_cut = false;
};

struct Tag {
    std::string text; // "long hair"
    float probability;
    bool character; // else a general one
};

// A WD tagger v3 on a vision transformer (nn::VitTagger): Danbooru tags of a picture. Thread safety: const functions may run
// concurrently.
class WdTagger {
public:
    // path: a folder with model.safetensors, selected_tags.csv and, where there is one, config.json; or the safetensors file with
    // the other two beside it. Throws Error (NOT_FOUND, BAD_DATA, OUT_OF_RANGE, IO, FORBIDDEN), for a list of tags of another
    // network too.
    WdTagger(const std::string &path, at::ScalarType dtype, at::Device device, const WdTaggerSettings &settings = {});
    ~WdTagger();

    // rgb: CV_32FC3 in [0, 1]; R, G, B; any size. Pictures with a side above 4096 are made smaller first.
    // All general and character tags, the likeliest first; what is equal in the list's order. Throws Error (INVALID, NOT_FINITE).
    std::vector<Tag> rank(const cv::Mat &rgb) const;
    // Those above the thresholds.
    std::vector<Tag> tags(const cv::Mat &rgb) const;
    // The same as "1girl, long hair, smile"; "" when there is none. Parentheses in tags are not escaped.
    std::string caption(const cv::Mat &rgb) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// The threshold that MCut finds: 0 for fewer than two probabilities. In any order.
double best_cut(std::vector<float> probabilities);

} // namespace aianime::caption
