// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>

#include "pipeline/family.h"

namespace aianime::pipeline {

// "Multi-frame rendering", the grid method of the Stable Diffusion community (2023): a picture twice as wide is made, its left half
// held to the frame before as it was made, its right half made new. Both halves see each other in every layer of the network,
// convolutions at their common border included. A shot's first frame is made alone, as a picture is.
class Grid final : public Family {
public:
    explicit Grid(Painter &painter) : painter_(painter) {}
    std::vector<cv::Mat> run(const std::vector<SourcePicture> &frames, int64_t shot) override;

private:
    // A frame as it was made.
    struct Tile {
        at::Tensor source;  // as FrameRequest::picture
        at::Tensor noise;   // [channels, h, w]
        at::Tensor latents; // likewise
    };
    static FrameRequest beside(const Tile &left, const FrameRequest &right);
    // Undefined when something was not finite.
    at::Tensor make(const FrameRequest &frame);

    Painter &painter_;
    int64_t shot_ = 0;
    std::optional<Tile> before_; // of shot_
};

} // namespace aianime::pipeline
