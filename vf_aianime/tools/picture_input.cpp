// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/picture_input.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

namespace aianime::tools {

bool is_picture(const std::string &path) {
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    const std::vector<std::string> endings = {".png", ".jpg", ".jpeg", ".webp"};
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

cv::Mat rgb_of(const cv::Mat &stored) {
    cv::Mat bytes, out;
    stored.convertTo(bytes, CV_8U, stored.depth() == CV_16U ? 1.0 / 257 : 1.0);
    const int way = bytes.channels() == 1 ? cv::COLOR_GRAY2RGB : bytes.channels() == 4 ? cv::COLOR_BGRA2RGB : cv::COLOR_BGR2RGB;
    cv::cvtColor(bytes, out, way);
    return out;
}

} // namespace aianime::tools
