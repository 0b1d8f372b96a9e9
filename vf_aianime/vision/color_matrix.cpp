// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/color_matrix.h"

#include "io/error.h"

#include <string>

namespace aianime::vision {
namespace {

// ISO/IEC 23091-2 matrix coefficient codes.
constexpr int matrix_identity = 0;
constexpr int matrix_bt709 = 1;
constexpr int matrix_unspecified = 2;
constexpr int matrix_fcc = 4;
constexpr int matrix_bt470bg = 5;
constexpr int matrix_smpte170m = 6;
constexpr int matrix_smpte240m = 7;
constexpr int matrix_ycgco = 8;
constexpr int matrix_bt2020_ncl = 9;

struct Luma {
    double red, blue;
};

// Weights of red and blue in luma; red 0 where the code is not of the Kr, Kb kind.
Luma luma_weights(int matrix) {
    switch (matrix) {
    case matrix_bt709:
        return {0.2126, 0.0722};
    case matrix_fcc:
        return {0.30, 0.11};
    case matrix_bt470bg:
    case matrix_smpte170m:
        return {0.299, 0.114};
    case matrix_smpte240m:
        return {0.212, 0.087};
    case matrix_bt2020_ncl:
        return {0.2627, 0.0593};
    default:
        return {0, 0};
    }
}

int matrix_by_size(const aianime_frame &frame) {
    return frame.width >= 1280 || frame.height > 576 ? matrix_bt709 : matrix_smpte170m;
}

// R'G'B' to Y'CbCr with luma in [0, 1] and colour difference in [-0.5, 0.5].
cv::Matx33d difference_matrix(Luma k) {
    const double green = 1 - k.red - k.blue;
    const double blue_scale = 0.5 / (1 - k.blue), red_scale = 0.5 / (1 - k.red);
    return {k.red,
            green,
            k.blue,
            -k.red * blue_scale,
            -green * blue_scale,
            (1 - k.blue) * blue_scale,
            (1 - k.red) * red_scale,
            -green * red_scale,
            -k.blue * red_scale};
}

[[noreturn]] void refuse_matrix(int matrix, const std::string &why) {
    throw Error(AIANIME_INVALID, "colour matrix code " + std::to_string(matrix) + " " + why +
                                     "; convert first, for example with scale=out_color_matrix=bt709");
}

cv::Matx33d rgb_to_components(const aianime_frame &frame) {
    const int matrix = effective_matrix(frame);
    const aianime_format &format = frame.format;
    if (format.model == AIANIME_RGB)
        return cv::Matx33d::eye();
    if (matrix == matrix_identity) {
        if (format.log2_chroma_w != 0 || format.log2_chroma_h != 0)
            refuse_matrix(matrix, "(RGB) cannot go with subsampled chroma");
        return {0, 1, 0, 0, 0, 1, 1, 0, 0}; // the first component is green, then blue, then red
    }
    if (matrix == matrix_ycgco)
        return {0.25, 0.5, 0.25, -0.25, 0.5, -0.25, 0.5, 0, -0.5};
    const Luma weights = luma_weights(matrix);
    if (weights.red == 0)
        refuse_matrix(matrix, "is not supported");
    return difference_matrix(weights);
}

// code = value * scale + offset
struct Scaling {
    double scale, offset;
};

Scaling scaling(int depth, bool limited, bool difference) {
    const double unit = 1 << (depth - 8), full = (1 << depth) - 1, middle = 1 << (depth - 1);
    if (limited)
        return difference ? Scaling{224 * unit, middle} : Scaling{219 * unit, 16 * unit};
    return difference ? Scaling{full, middle} : Scaling{full, 0};
}

bool is_limited(const aianime_frame &frame) {
    if (frame.range == 0)
        return frame.format.model == AIANIME_YUV;
    if (frame.range != 1 && frame.range != 2)
        throw Error(AIANIME_INVALID, "colour range " + std::to_string(frame.range) + " is not 0, 1 (limited) or 2 (full)");
    return frame.range == 1;
}

CodeTransform gray_transform(const aianime_frame &frame) {
    Luma weights = luma_weights(effective_matrix(frame));
    if (weights.red == 0)
        weights = luma_weights(matrix_by_size(frame));
    const Scaling s = scaling(frame.format.component[0].depth, is_limited(frame), false);
    CodeTransform transform;
    for (int channel = 0; channel < 3; channel++) {
        transform.to_rgb(channel, 0) = static_cast<float>(1 / s.scale);
        transform.to_rgb_offset[channel] = static_cast<float>(-s.offset / s.scale);
    }
    transform.from_rgb(0, 0) = static_cast<float>(weights.red * s.scale);
    transform.from_rgb(0, 1) = static_cast<float>((1 - weights.red - weights.blue) * s.scale);
    transform.from_rgb(0, 2) = static_cast<float>(weights.blue * s.scale);
    transform.from_rgb_offset[0] = static_cast<float>(s.offset);
    return transform;
}

} // namespace

int effective_matrix(const aianime_frame &frame) {
    if (frame.format.model == AIANIME_RGB)
        return matrix_identity;
    return frame.matrix == matrix_unspecified ? matrix_by_size(frame) : frame.matrix;
}

CodeTransform code_transform(const aianime_frame &frame) {
    if (frame.format.model == AIANIME_GRAY)
        return gray_transform(frame);
    const cv::Matx33d components = rgb_to_components(frame);
    const bool limited = is_limited(frame);
    const bool has_difference = effective_matrix(frame) != matrix_identity;
    cv::Matx33d scales = cv::Matx33d::zeros();
    cv::Vec3d offsets;
    for (int i = 0; i < 3; i++) {
        const Scaling s = scaling(frame.format.component[i].depth, limited, has_difference && i > 0);
        scales(i, i) = s.scale;
        offsets[i] = s.offset;
    }
    const cv::Matx33d forward = scales * components;
    const cv::Matx33d inverse = forward.inv();
    CodeTransform transform;
    transform.from_rgb = forward;
    transform.from_rgb_offset = offsets;
    transform.to_rgb = inverse;
    transform.to_rgb_offset = -(inverse * offsets);
    return transform;
}

} // namespace aianime::vision
