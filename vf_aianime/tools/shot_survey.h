// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/report_file.h"
#include "pipeline/settings.h"
#include "pipeline/watch.h"

namespace aianime::tools {

// What is known of a picture's or a video's shots, as the filter would know it, without making a picture.
struct ShotSurvey {
    pipeline::ReportHead head;
    std::vector<std::shared_ptr<pipeline::ShotFacts>> shots;
    std::vector<cv::Mat> key_pictures; // of the shots, CV_8UC3, R G B
};

// tokens: of a prompt. Throws Error as pipeline::Understanding and the readers of pictures and video do.
ShotSurvey survey_picture(const cv::Mat &rgb, const pipeline::Settings &settings, const pipeline::Watch &watch,
                          const std::function<int64_t(const std::string &)> &tokens);
ShotSurvey survey_video(const std::string &video, const pipeline::Settings &settings, const pipeline::Watch &watch,
                        const std::function<int64_t(const std::string &)> &tokens);

} // namespace aianime::tools
