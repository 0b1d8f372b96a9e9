// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

namespace aianime::caption {

// CV_32FC3 in [0, 1], R, G, B -> float32 [1, 3, h, w], a copy. Throws Error (INVALID) for other pictures and empty ones, Error
// (NOT_FINITE) for one with values that are not finite: nothing can be said about it.
at::Tensor rgb_tensor(const cv::Mat &rgb);

} // namespace aianime::caption
