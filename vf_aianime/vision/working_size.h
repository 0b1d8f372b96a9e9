// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// Sizes a picture goes through: source -> scaled (aspect kept) -> padded (multiples of the model's stride, by reflection at the
// right and bottom) and back. Never below one stride in either direction.
struct WorkingSize {
    cv::Size source;
    cv::Size scaled;
    cv::Size padded;
};

// short_side 0 keeps the source's size. Throws Error (OUT_OF_RANGE) when the padded picture has more than max_pixels.
WorkingSize working_size(cv::Size source, int short_side, int stride, int64_t max_pixels = int64_t{1} << 24);

// A picture whose short side has at most so many pixels: itself, or by area averaging.
cv::Mat at_most(const cv::Mat &picture, int short_side);

// source size -> padded size. Area averaging when smaller, cubic when larger.
cv::Mat to_working(const cv::Mat &picture, const WorkingSize &size);
// padded size -> scaled size (a crop, no copy).
cv::Mat crop_working(const cv::Mat &picture, const WorkingSize &size);
// scaled size -> source size. Lanczos when larger, area when smaller; clipped to [0, 1].
cv::Mat from_working(const cv::Mat &picture, const WorkingSize &size);

} // namespace aianime::vision
