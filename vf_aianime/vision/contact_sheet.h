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

// Pictures that belong together.
struct SheetStack {
    std::vector<cv::Mat> pictures; // CV_8UC3, B G R, one at least; all are scaled to the first one's shape
    std::string label;
};

// Each stack's pictures one above the other, `columns` stacks a row, each cell `cell_width` pixels wide, light margins and labels.
// CV_8UC3, B G R. Throws Error (INVALID).
cv::Mat stacked_sheet(const std::vector<SheetStack> &stacks, int columns, int cell_width);

// Stacks of two: source above result, as stacked_sheet().
cv::Mat contact_sheet(const std::vector<ContactRow> &rows, int columns, int cell_width);

} // namespace aianime::vision
