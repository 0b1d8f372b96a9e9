// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <memory>
#include <string>

#include "pipeline/settings.h"
#include "pipeline/shot_facts.h"

namespace aianime::pipeline {

// Says what a picture shows. Thread safety: none.
class Captioner {
public:
    virtual ~Captioner() = default;

    // rgb: CV_32FC3 in [0, 1], R G B, without padding, the key frame of the shot. "" where there is nothing to say.
    virtual std::string describe(const cv::Mat &rgb, const ShotFacts &shot) = 0;
};

// The one that the settings name; null for `none`. Throws Error as the loaders of its networks and files do.
std::unique_ptr<Captioner> make_captioner(const Settings &settings);

} // namespace aianime::pipeline
