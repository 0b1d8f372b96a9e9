// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/picture_tensor.h"

#include "nn/aten.h"

namespace aianime::pipeline {

at::Tensor to_tensor(const cv::Mat &picture) {
    CV_Assert(picture.type() == CV_32FC3);
    const cv::Mat whole = picture.isContinuous() ? picture : picture.clone();
    // Rows of R, G, B triples are what a channels-last tensor is in memory.
    const at::Tensor view = at::from_blob(whole.data, {1, whole.rows, whole.cols, 3}, at::kFloat);
    return view.permute({0, 3, 1, 2}).clone(at::MemoryFormat::ChannelsLast);
}

cv::Mat to_picture(const at::Tensor &tensor) {
    const at::Tensor rows = tensor.detach().to(at::kCPU, at::kFloat).squeeze(0).permute({1, 2, 0}).clamp(0, 1).contiguous();
    const cv::Mat view(static_cast<int>(rows.size(0)), static_cast<int>(rows.size(1)), CV_32FC3, rows.data_ptr());
    return view.clone();
}

} // namespace aianime::pipeline
