// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

namespace aianime::pipeline {

// CV_32FC3 in [0, 1] -> float32 [1, 3, height, width], channels-last, a copy.
at::Tensor to_tensor(const cv::Mat &picture);

// [1, 3, height, width] of any floating type, in [0, 1] after clipping -> CV_32FC3, a copy.
cv::Mat to_picture(const at::Tensor &tensor);

} // namespace aianime::pipeline
