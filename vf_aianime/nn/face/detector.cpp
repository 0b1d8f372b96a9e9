// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/face/detector.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "nn/aten.h"

namespace aianime::nn {

namespace {

struct Size {
    int64_t channels, stride;
};

constexpr std::array<Size, 13> blocks = {{{64, 1},
                                          {128, 2},
                                          {128, 1},
                                          {256, 2},
                                          {256, 1},
                                          {512, 2},
                                          {512, 1},
                                          {512, 1},
                                          {512, 1},
                                          {512, 1},
                                          {512, 1},
                                          {1024, 2},
                                          {1024, 1}}};
// Pairs of a 1x1 convolution and a 3x3 one that halves the size.
constexpr std::array<Size, 8> extras = {{{256, 1}, {512, 2}, {128, 1}, {256, 2}, {128, 1}, {256, 2}, {64, 1}, {128, 2}}};
constexpr std::array<int64_t, 6> map_channels = {512, 1024, 512, 256, 256, 128};
constexpr std::array<int64_t, 6> map_anchors = {3, 6, 6, 6, 6, 6};
constexpr int64_t all_anchors = 5118;
constexpr double most_overlap = 0.5;

// [n, anchors * k, h, w] -> [n, h * w * anchors, k]
at::Tensor by_anchor(const at::Tensor &x, int64_t k) { return x.permute({0, 2, 3, 1}).reshape({x.size(0), -1, k}); }

FaceBox clipped(const FaceBox &box, double width, double height) {
    const double x = std::max(box.x, 0.0), y = std::max(box.y, 0.0);
    return {x, y, std::min(box.x + box.width, width) - x, std::min(box.y + box.height, height) - y};
}

} // namespace

FaceDetector::Block::Block(int64_t in, int64_t out, int64_t stride) : depthwise(in, stride, true), pointwise(in, out, 1) {
    child("depthwise", depthwise);
    child("pointwise", pointwise);
}

at::Tensor FaceDetector::Block::forward(const at::Tensor &x) const { return relu6(pointwise.forward(relu6(depthwise.forward(x)))); }

FaceDetector::FaceDetector() : begin_(3, 32, 3, 2) {
    parameter("anchors", anchors_, {all_anchors, 4});
    child("mobilenet.0", begin_);
    int64_t channels = 32;
    for (size_t i = 0; i < blocks.size(); i++) {
        child("mobilenet." + std::to_string(i + 1), blocks_.emplace_back(channels, blocks[i].channels, blocks[i].stride));
        channels = blocks[i].channels;
    }
    for (size_t i = 0; i < extras.size(); i++) {
        const int64_t kernel = extras[i].stride == 2 ? 3 : 1;
        child("extra." + std::to_string(i), extra_.emplace_back(channels, extras[i].channels, kernel, extras[i].stride));
        channels = extras[i].channels;
    }
    for (size_t i = 0; i < map_channels.size(); i++) {
        child("box." + std::to_string(i), box_.emplace_back(map_channels[i], 4 * map_anchors[i], 1));
        child("face." + std::to_string(i), face_.emplace_back(map_channels[i], map_anchors[i], 1));
    }
}

at::Tensor FaceDetector::forward(const at::Tensor &x) const {
    std::vector<at::Tensor> maps;
    at::Tensor h = relu6(begin_.forward(like_weight(x * 2 - 1, begin_.weight)));
    for (size_t i = 0; i < blocks_.size(); i++) {
        h = blocks_[i].forward(h);
        if (i == 10 || i == 12)
            maps.push_back(h);
    }
    for (size_t i = 0; i < extra_.size(); i++) {
        h = relu6(extra_[i].forward(h));
        if (i % 2)
            maps.push_back(h);
    }
    std::vector<at::Tensor> places, scores;
    for (size_t i = 0; i < maps.size(); i++) {
        places.push_back(by_anchor(box_[i].forward(maps[i]), 4));
        scores.push_back(by_anchor(face_[i].forward(maps[i]), 1));
    }
    return at::cat({at::cat(places, 1), at::cat(scores, 1)}, 2);
}

std::vector<FoundFace> FaceDetector::decode(const at::Tensor &out, double least_score, double scale) const {
    const at::Tensor scores = at::sigmoid(out.select(1, 4));
    const at::Tensor kept = at::nonzero(scores > least_score).flatten();
    const at::Tensor rows = out.index_select(0, kept).to(at::kCPU, at::kDouble).contiguous();
    const at::Tensor anchors = anchors_.index_select(0, kept).to(at::kCPU, at::kDouble).contiguous();
    std::vector<FoundFace> found;
    for (int64_t i = 0; i < kept.size(0); i++) {
        const double *code = rows[i].const_data_ptr<double>(), *anchor = anchors[i].const_data_ptr<double>();
        const double high = anchor[2] - anchor[0], wide = anchor[3] - anchor[1];
        const double y = (anchor[0] + anchor[2]) / 2 + code[0] / 10 * high, x = (anchor[1] + anchor[3]) / 2 + code[1] / 10 * wide;
        const double height = std::exp(code[2] / 5) * high, width = std::exp(code[3] / 5) * wide;
        found.push_back(
            {{(x - width / 2) * scale, (y - height / 2) * scale, width * scale, height * scale}, 1 / (1 + std::exp(-code[4]))});
    }
    return found;
}

std::vector<FoundFace> FaceDetector::find(const at::Tensor &picture, double least_score) const {
    const double width = static_cast<double>(picture.size(3)), height = static_cast<double>(picture.size(2));
    const FaceCut seen = cut(picture, {0, 0, width, height}, side, Place::corner);
    std::vector<FoundFace> found = decode(forward(seen.picture)[0], least_score, seen.full_side);
    std::stable_sort(found.begin(), found.end(), [](const FoundFace &a, const FoundFace &b) { return a.score > b.score; });
    std::vector<FoundFace> kept;
    for (const FoundFace &face : found) {
        const bool known = std::any_of(kept.begin(), kept.end(),
                                       [&](const FoundFace &other) { return overlap(face.box, other.box) > most_overlap; });
        // A few thousand boxes pass where the picture is noise; no more faces than this are of use.
        constexpr size_t most_faces = 64;
        if (!known && kept.size() < most_faces)
            kept.push_back(face);
    }
    for (FoundFace &face : kept)
        face.box = clipped(face.box, width, height);
    kept.erase(
        std::remove_if(kept.begin(), kept.end(), [](const FoundFace &face) { return face.box.width < 1 || face.box.height < 1; }),
        kept.end());
    return kept;
}

} // namespace aianime::nn
