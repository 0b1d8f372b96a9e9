// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/grid.h"

#include "nn/aten.h"

namespace aianime::pipeline {

FrameRequest Grid::beside(const Tile &left, const FrameRequest &right) {
    FrameRequest both = right;
    both.picture = at::cat({left.source, right.picture}, 3);
    both.noise = at::cat({left.noise, right.noise}, 2);
    both.known = at::cat({left.latents, at::zeros_like(left.latents)}, 2);
    const at::Tensor side = at::ones({1, left.latents.size(1), left.latents.size(2)}, at::kBool);
    both.known_at = at::cat({side, side.logical_not()}, 2);
    return both;
}

at::Tensor Grid::make(const FrameRequest &frame) {
    if (!before_)
        return painter_.paint(frame);
    const at::Tensor both = painter_.paint(beside(*before_, frame));
    return both.defined() ? both.slice(2, both.size(2) / 2).contiguous() : both;
}

std::vector<cv::Mat> Grid::run(const std::vector<SourcePicture> &frames, int64_t shot) {
    if (shot != shot_ || frames.front().identity == shot)
        before_.reset();
    shot_ = shot;
    const std::optional<Tile> begin = before_;
    std::vector<cv::Mat> pictures;
    for (const SourcePicture &source : frames) {
        FrameRequest frame = painter_.request(source);
        frame.noise = painter_.noise(frame, 0, frame.picture.size(2) / painter_.cell(), frame.picture.size(3) / painter_.cell());
        const at::Tensor latents = make(frame);
        pictures.push_back(latents.defined() ? painter_.decode(latents) : cv::Mat());
        if (pictures.back().empty()) {
            before_ = begin;
            return {};
        }
        before_ = Tile{frame.picture, frame.noise, latents};
    }
    return pictures;
}

} // namespace aianime::pipeline
