// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>

#include "pipeline/family.h"
#include "vision/atlas.h"

namespace aianime::pipeline {

// Layered Neural Atlases and CoDeF in their simplest form (vision/atlas.h): the canonical picture of a shot is made once and mapped
// onto every frame. It begins as the shot's first frame, made alone as a picture is; what later frames add to it is made with all
// that is there already held (FrameRequest::known), so that every segment of the shot agrees with those before.
//
// Where a frame shows what the canonical picture does not (something was uncovered, turned, blinked), a second picture stands in:
// the last frame that was made for its own sake, carried along the flow from it; and where that fails too and the places are more
// than specks, this frame is made, everything known held, and is the second picture from there on.
class Atlas final : public Family {
public:
    explicit Atlas(Painter &painter) : painter_(painter) {}
    std::vector<cv::Mat> run(const std::vector<SourcePicture> &frames, int64_t shot) override;

private:
    // A frame that was made for its own sake, without padding.
    struct Leftover {
        cv::Mat source, luma, stylized;
    };
    struct State {
        vision::AtlasCanvas canvas;
        FrameRequest anchor; // the first frame
        cv::Mat first;       // as it was made
        cv::Mat stylized;    // the canvas, CV_32FC3
        cv::Mat done;        // CV_8UC1, where it is made
        at::Tensor noise;    // of the canvas, [channels, h, w]
        at::Tensor latents;  // likewise
        std::optional<Leftover> leftover;
        State clone() const;
    };
    // A stylized frame as far as it is known. CV_32FC3 and CV_32FC1 in [0, 1].
    struct Partial {
        cv::Mat picture, sure;
    };

    // All of these: nothing or false when something was not finite.
    std::optional<State> begin(const SourcePicture &first);
    bool grow(State &state);
    bool stylize(State &state, const cv::Rect &area);
    cv::Mat compose(State &state, const SourcePicture &source, const vision::AtlasPlace &place);
    cv::Mat make_leftover(State &state, const SourcePicture &source, const Partial &known);

    void settle(State &state, const cv::Rect &area, const at::Tensor &latents, const cv::Mat &picture) const;
    static Partial from_canvas(const State &state, const vision::AtlasPlace &place);
    static void add_leftover(const State &state, const cv::Mat &frame, Partial &known);
    at::Tensor cells(const cv::Mat &mask) const; // bool [1, h, w]: cells all of whose pixels are set
    cv::Rect to_cells(const cv::Rect &pixels) const;

    Painter &painter_;
    int64_t shot_ = 0;
    std::optional<State> state_; // of shot_
};

} // namespace aianime::pipeline
