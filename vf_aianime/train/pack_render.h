// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

#include "train/report.h"

namespace aianime::train {

struct RenderOptions {
    std::string prompt;
    int steps = 4;
    uint64_t seed = 1;
    std::string precision = "auto"; // as in a template
    std::string attention = "self"; // likewise, between the frames of a clip
    bool shared_noise = false;      // likewise
    int threads = 0;                // 0: all cores
    std::string lora;               // file
};

struct Rendered {
    std::vector<cv::Mat> pictures; // as many as were sent, CV_32FC3, R G B in [0, 1], 8-bit values
    std::vector<double> seconds;   // that each took, loading left out; of a clip, each the same share
};

// What a pack makes of pictures, by way of the library's C API: as everybody sees it. Throws Error with the code and the text that
// the library gave.
class PackRenderer {
public:
    // A pack's folder. Warnings of the library are reported. Throws Error (NOT_FOUND, IO).
    PackRenderer(const std::string &pack, const Report &report);
    ~PackRenderer();
    PackRenderer(const PackRenderer &) = delete;
    PackRenderer &operator=(const PackRenderer &) = delete;

    // CV_32FC3, R G B in [0, 1], any sizes; each is worked on at its own size, as the only frame of a clip. Ends early, with fewer
    // pictures, where the report's stop is wanted.
    Rendered pictures(const std::vector<cv::Mat> &sources, const RenderOptions &options) const;
    // Frames of one size, 10 a second, all of them generated.
    Rendered clip(const std::vector<cv::Mat> &sources, const RenderOptions &options) const;

    const std::string &pack() const { return pack_; }

private:
    // The file's path.
    std::string write_template(const RenderOptions &options) const;

    std::string pack_;
    std::string folder_; // its own, for the templates
    Report report_;
};

} // namespace aianime::train
