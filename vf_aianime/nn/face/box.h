// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace aianime::nn {

// In pixels.
struct FaceBox {
    double x, y, width, height;
};

// Shared area by area of both.
double overlap(const FaceBox &a, const FaceBox &b);

// A square of a picture, resized.
struct FaceCut {
    at::Tensor picture;     // [1, 3, side, side]
    double x, y, full_side; // of the square in the picture it was cut from
};

enum class Place { centre, corner };

// The part of `picture`, [1, 3, h, w], that lies in `box` rounded down to whole pixels, with black beside it where the part is no
// square, resized with antialiasing. Differentiable in the picture. A box that lies outside gives the nearest pixel.
FaceCut cut(const at::Tensor &picture, const FaceBox &box, int64_t side, Place place = Place::centre);

// The part of `picture` in a square around (x, y) that is turned by `angle`, clockwise in radians: [1, 3, side, side], black
// outside the picture. Differentiable in the picture.
at::Tensor cut_turned(const at::Tensor &picture, double x, double y, double square, double angle, int64_t side);

} // namespace aianime::nn
