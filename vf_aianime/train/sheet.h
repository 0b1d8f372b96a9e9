// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <string>
#include <vector>

namespace aianime::train {

// Pictures that belong together, as source, target and result; CV_32FC3, R G B in [0, 1].
struct SheetCell {
    std::vector<cv::Mat> pictures; // shown one above the other in the shape of the first
    std::string label;
};

// Writes a sheet of cells as a PNG, whole or not at all. Throws Error (INVALID, NOT_FOUND, FORBIDDEN, IO).
void write_sheet(const std::string &path, const std::vector<SheetCell> &cells, int columns, int cell_width);

} // namespace aianime::train
