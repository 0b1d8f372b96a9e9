// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::train {

// The size a picture is trained at: multiples of `step`, at most side * side pixels and 2 * side long, nowhere larger than the
// picture. Of these the one that keeps most of the picture: the part that is left after cutting to its shape, times the part of its
// pixels (or of side * side) that it has room for. Empty where the picture is smaller than step * step.
cv::Size choose_bucket(cv::Size picture, int side, int step);

// The middle of a picture at a bucket's size.
cv::Mat fit_bucket(const cv::Mat &picture, cv::Size bucket);

} // namespace aianime::train
