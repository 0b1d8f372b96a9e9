// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/face/box.h"

#include <algorithm>
#include <cmath>

#include "nn/aten.h"

namespace aianime::nn {

namespace {

struct Span {
    int64_t first, length;
};

// The pixels of a side of `size` between first and first + length, at least one.
Span inside(double first, double length, int64_t size) {
    const auto whole = [](double x) { return static_cast<int64_t>(std::clamp(std::floor(x), -1e9, 1e9)); };
    const int64_t begin = std::clamp<int64_t>(whole(first), 0, size - 1);
    const int64_t end = std::clamp<int64_t>(whole(first) + whole(length), begin + 1, size);
    return {begin, end - begin};
}

} // namespace

double overlap(const FaceBox &a, const FaceBox &b) {
    const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    const double shared = std::max(width, 0.0) * std::max(height, 0.0);
    const double both = a.width * a.height + b.width * b.height - shared;
    return both > 0 ? shared / both : 0;
}

FaceCut cut(const at::Tensor &picture, const FaceBox &box, int64_t side, Place place) {
    const Span columns = inside(box.x, box.width, picture.size(3)), rows = inside(box.y, box.height, picture.size(2));
    const int64_t square = std::max(columns.length, rows.length);
    const int64_t beside = square - columns.length, below = square - rows.length;
    const int64_t left = place == Place::centre ? beside / 2 : 0, top = place == Place::centre ? below / 2 : 0;
    at::Tensor part = picture.narrow(3, columns.first, columns.length).narrow(2, rows.first, rows.length);
    if (beside || below)
        part = at::constant_pad_nd(part, {left, beside - left, top, below - top});
    if (square != side)
        part = at::_upsample_bilinear2d_aa(part, {side, side}, false);
    return {part, static_cast<double>(columns.first - left), static_cast<double>(rows.first - top), static_cast<double>(square)};
}

at::Tensor cut_turned(const at::Tensor &picture, double x, double y, double square, double angle, int64_t side) {
    const double width = static_cast<double>(picture.size(3)), height = static_cast<double>(picture.size(2));
    const double across = square * std::cos(angle), aslant = square * std::sin(angle);
    const at::Tensor to_picture = at::tensor({across / width, -aslant / width, 2 * x / width - 1, //
                                              aslant / height, across / height, 2 * y / height - 1},
                                             at::kDouble);
    // Where the picture shrinks, every pixel is the mean of as many samples.
    constexpr double most_samples = 16;
    const auto samples = static_cast<int64_t>(std::clamp(std::ceil(square / static_cast<double>(side)), 1.0, most_samples));
    const at::Tensor grid =
        at::affine_grid_generator(to_picture.to(picture.options()).view({1, 2, 3}), {1, 3, side * samples, side * samples}, false);
    constexpr int64_t bilinear = 0, zeros = 0;
    return at::avg_pool2d(at::grid_sampler(picture, grid, bilinear, zeros, false), {samples, samples});
}

} // namespace aianime::nn
