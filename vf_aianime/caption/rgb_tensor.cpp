// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/rgb_tensor.h"

#include <cmath>

#include "io/error.h"
#include "nn/aten.h"

namespace aianime::caption {

at::Tensor rgb_tensor(const cv::Mat &rgb) {
    if (rgb.empty() || rgb.type() != CV_32FC3)
        throw Error(AIANIME_INVALID, "caption: the picture is not one of three 32-bit floats a pixel");
    const cv::Mat whole = rgb.isContinuous() ? rgb : rgb.clone();
    // Rows of R, G, B triples are what a channels-last tensor is in memory.
    const at::Tensor view = at::from_blob(whole.data, {1, whole.rows, whole.cols, 3}, at::kFloat);
    const at::Tensor picture = view.permute({0, 3, 1, 2}).clone(at::MemoryFormat::Contiguous);
    if (!std::isfinite(picture.sum(at::kDouble).item<double>()))
        throw Error(AIANIME_NOT_FINITE, "caption: the picture holds values that are not finite");
    return picture;
}

} // namespace aianime::caption
