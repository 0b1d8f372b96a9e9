// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

namespace aianime::vision {

struct ContactRow {
    cv::Mat source;    // CV_8UC3, B G R
    cv::Mat result;    // CV_8UC3, B G R, any size: scaled to the source's
    std::string label; // "0:03.20", written below
};

// Source above result, `columns` pairs a row, each cell `cell_width` pixels wide, light margins and labels. CV_8UC3, B G R.
cv::Mat contact_sheet(const std::vector<ContactRow> &rows, int columns, int cell_width);

} // namespace aianime::vision
