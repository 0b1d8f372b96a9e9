// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/atlas.h"

#include <opencv2/imgproc.hpp>

#include "nn/aten.h"
#include "pipeline/picture_tensor.h"
#include "vision/fill.h"
#include "vision/flow.h"

namespace aianime::pipeline {

namespace {

constexpr uint32_t canvas_stream = UINT32_MAX; // noise that no step draws
constexpr int specks = 400;                    // less than this part of a frame is not worth making it

int rounded_up(int value, int unit) { return (value + unit - 1) / unit * unit; }

cv::Rect shown(const SourcePicture &source) { return {{}, source.shown.empty() ? source.picture.size() : source.shown}; }

// A part of latents, a view.
at::Tensor part(const at::Tensor &latents, const cv::Rect &area) {
    return latents.slice(1, area.y, area.y + area.height).slice(2, area.x, area.x + area.width);
}

cv::Mat to_float(const cv::Mat &mask) {
    cv::Mat out;
    mask.convertTo(out, CV_32F, 1.0 / 255);
    return out;
}

// share * a + (1 - share) * b
cv::Mat mixed(const cv::Mat &a, const cv::Mat &b, const cv::Mat &share) {
    cv::Mat three;
    cv::merge(std::vector<cv::Mat>(3, share), three);
    return a.mul(three) + b.mul(cv::Scalar::all(1) - three);
}

// Without what lies so near the mask's border; the picture's border is none.
cv::Mat inside_of(const cv::Mat &mask, int pixels) {
    cv::Mat out;
    cv::erode(mask, out, cv::Mat::ones(2 * pixels + 1, 2 * pixels + 1, CV_8U));
    return out;
}

// The same, rising softly from 0 at the mask's border, CV_32FC1.
cv::Mat feathered(const cv::Mat &mask, int pixels) {
    cv::Mat soft;
    cv::blur(to_float(inside_of(mask, pixels)), soft, {2 * pixels + 1, 2 * pixels + 1}, {-1, -1}, cv::BORDER_REPLICATE);
    return soft;
}

// CV_8UC1 from CV_32FC1: set where there is doubt, specks left out.
cv::Mat doubtful(const cv::Mat &sure) {
    cv::Mat out;
    cv::morphologyEx(sure < 0.5, out, cv::MORPH_OPEN, cv::Mat::ones(3, 3, CV_8U));
    return out;
}

// The smallest rectangle of whole strides around all that is set.
cv::Rect area_of(const cv::Mat &mask, int stride) {
    const cv::Rect tight = cv::boundingRect(mask);
    const int left = tight.x / stride * stride, top = tight.y / stride * stride;
    return {left, top, rounded_up(tight.br().x, stride) - left, rounded_up(tight.br().y, stride) - top};
}

} // namespace

Atlas::State Atlas::State::clone() const {
    State copy = *this;
    copy.canvas = canvas.clone();
    for (cv::Mat *shared : {&copy.stylized, &copy.done})
        *shared = shared->clone();
    copy.latents = latents.clone();
    return copy;
}

at::Tensor Atlas::cells(const cv::Mat &mask) const {
    const int side = painter_.cell();
    cv::Mat whole;
    cv::resize(to_float(mask), whole, {mask.cols / side, mask.rows / side}, 0, 0, cv::INTER_AREA);
    const at::Tensor share = at::from_blob(whole.data, {1, whole.rows, whole.cols}, at::kFloat);
    return share > 0.999;
}

cv::Rect Atlas::to_cells(const cv::Rect &pixels) const {
    const int side = painter_.cell();
    return {pixels.x / side, pixels.y / side, pixels.width / side, pixels.height / side};
}

std::optional<Atlas::State> Atlas::begin(const SourcePicture &first) {
    FrameRequest anchor = painter_.request(first);
    const cv::Rect whole = to_cells({{}, first.picture.size()});
    anchor.noise = painter_.noise(anchor, 0, whole.height, whole.width);
    const at::Tensor latents = painter_.paint(anchor);
    const cv::Mat picture = latents.defined() ? painter_.decode(latents) : cv::Mat();
    if (picture.empty())
        return {};
    const int stride = painter_.stride();
    const cv::Size margin(rounded_up(first.picture.cols / 2, stride), rounded_up(first.picture.rows / 2, stride));
    State state{vision::AtlasCanvas(first.picture(shown(first)), margin), anchor, picture, {}, {}, {}, {}, {}};
    // Of whole strides, as the margin is.
    const cv::Size size(rounded_up(state.canvas.picture().cols, stride), rounded_up(state.canvas.picture().rows, stride));
    const cv::Rect all = to_cells({{}, size}), own = to_cells({cv::Point(margin), first.picture.size()});
    state.noise = painter_.noise(anchor, canvas_stream, all.height, all.width);
    part(state.noise, own).copy_(anchor.noise);
    state.latents = at::zeros_like(state.noise);
    state.stylized = cv::Mat::zeros(size, CV_32FC3);
    state.done = cv::Mat::zeros(size, CV_8UC1);
    settle(state, {cv::Point(margin), first.picture.size()}, latents, picture);
    return state;
}

// What covers the canvas now is made: `picture` and `latents` of the area, where they were not before.
void Atlas::settle(State &state, const cv::Rect &area, const at::Tensor &latents, const cv::Mat &picture) const {
    const cv::Mat before = feathered(state.done(area), painter_.cell());
    cv::Mat joined = mixed(state.stylized(area), picture, before);
    joined.copyTo(state.stylized(area));
    const cv::Rect seen = area & cv::Rect({}, state.canvas.covered().size());
    state.done(seen) |= state.canvas.covered()(seen);
    part(state.latents, to_cells(area)).copy_(latents);
    state.canvas.settle();
}

bool Atlas::grow(State &state) {
    const cv::Mat &covered = state.canvas.covered(), done = state.done(cv::Rect({}, covered.size()));
    // Places tremble by a pixel: strips thinner than a cell are not worth it yet.
    cv::Mat fresh;
    cv::morphologyEx(covered & ~done, fresh, cv::MORPH_OPEN, cv::Mat::ones(painter_.cell(), painter_.cell(), CV_8U));
    if (cv::countNonZero(fresh) < state.canvas.first_frame().area() / specks)
        return true;
    return stylize(state, area_of(fresh | done, painter_.stride()));
}

// The whole of the area at once, so that it is one picture; what is made already is held.
bool Atlas::stylize(State &state, const cv::Rect &area) {
    cv::Mat source = cv::Mat::zeros(state.done.size(), CV_32FC3), covered = cv::Mat::zeros(state.done.size(), CV_8UC1);
    const cv::Rect canvas({}, state.canvas.covered().size());
    state.canvas.picture().copyTo(source(canvas));
    state.canvas.covered().copyTo(covered(canvas));
    FrameRequest request = state.anchor;
    request.picture = to_tensor(vision::fill_unseen(source(area), covered(area)));
    request.noise = part(state.noise, to_cells(area)).contiguous();
    request.known = part(state.latents, to_cells(area)).contiguous();
    // Networks draw the border of a picture otherwise than its middle: what is no border any more is made again.
    request.known_at = cells(inside_of(state.done(area), painter_.cell()));
    const at::Tensor latents = painter_.paint(request);
    const cv::Mat picture = latents.defined() ? painter_.decode(latents) : cv::Mat();
    if (picture.empty())
        return false;
    settle(state, area, latents, picture);
    return true;
}

Atlas::Partial Atlas::from_canvas(const State &state, const vision::AtlasPlace &place) {
    Partial known;
    cv::Mat made;
    cv::remap(state.stylized, known.picture, place.place, cv::noArray(), cv::INTER_CUBIC, cv::BORDER_REPLICATE);
    cv::remap(state.done, made, place.place, cv::noArray(), cv::INTER_LINEAR, cv::BORDER_CONSTANT);
    const cv::Mat valid = ~doubtful(place.valid) & (made == 255);
    known.sure = feathered(valid, 1);
    return known;
}

// The second picture fills what the canvas leaves open.
void Atlas::add_leftover(const State &state, const cv::Mat &frame, Partial &known) {
    if (!state.leftover)
        return;
    const Leftover &other = *state.leftover;
    const cv::Mat luma = vision::luma(frame);
    const cv::Mat there = vision::flow(luma, other.luma), back = vision::flow(other.luma, luma);
    cv::Mat apart, parts[3];
    cv::GaussianBlur(frame - vision::warp(other.source, there), apart, {5, 5}, 0);
    cv::split(cv::abs(apart), parts);
    const cv::Mat same = cv::max(parts[0], cv::max(parts[1], parts[2])) < 0.1;
    const cv::Mat fits = ~doubtful(to_float(same & (vision::consistency(there, back) > 0.5)));
    const cv::Mat added = feathered(fits, 1).mul(1 - known.sure), total = known.sure + added;
    known.picture = mixed(known.picture, vision::warp(other.stylized, there), known.sure / (total + 1e-6));
    known.sure = total;
}

cv::Mat Atlas::make_leftover(State &state, const SourcePicture &source, const Partial &known) {
    const cv::Rect inside = shown(source);
    cv::Mat held, mask = cv::Mat::zeros(source.picture.size(), CV_8UC1);
    const cv::Mat sure = known.sure > 0.95;
    sure.copyTo(mask(inside));
    cv::copyMakeBorder(vision::fill_unseen(known.picture, sure), held, 0, source.picture.rows - inside.height, 0,
                       source.picture.cols - inside.width, cv::BORDER_REFLECT);
    FrameRequest request = painter_.request(source);
    request.known = painter_.encode(held);
    request.known_at = cells(mask);
    const at::Tensor latents = painter_.paint(request);
    const cv::Mat picture = latents.defined() ? painter_.decode(latents) : cv::Mat();
    if (picture.empty())
        return {};
    const cv::Mat whole = mixed(known.picture, picture(inside), known.sure);
    state.leftover = Leftover{source.picture(inside).clone(), vision::luma(source.picture(inside)), whole};
    return whole;
}

cv::Mat Atlas::compose(State &state, const SourcePicture &source, const vision::AtlasPlace &place) {
    const cv::Rect inside = shown(source);
    Partial known = from_canvas(state, place);
    add_leftover(state, source.picture(inside), known);
    cv::Mat whole;
    if (cv::countNonZero(doubtful(known.sure)) > inside.area() / specks)
        whole = make_leftover(state, source, known);
    else
        whole = mixed(known.picture, vision::fill_unseen(known.picture, known.sure > 0.5), cv::min(known.sure * 2, 1.0));
    cv::Mat padded;
    if (!whole.empty())
        cv::copyMakeBorder(whole, padded, 0, source.picture.rows - inside.height, 0, source.picture.cols - inside.width,
                           cv::BORDER_REFLECT);
    return padded;
}

std::vector<cv::Mat> Atlas::run(const std::vector<SourcePicture> &frames, int64_t shot) {
    const bool starts = !state_ || shot != shot_ || frames.front().identity == shot;
    std::optional<State> state = starts ? begin(frames.front()) : state_->clone();
    if (!state)
        return {};
    const size_t first = starts ? 1 : 0;
    std::vector<vision::AtlasPlace> places;
    for (size_t i = first; i < frames.size(); i++)
        places.push_back(state->canvas.add(frames[i].picture(shown(frames[i]))));
    if (!grow(*state))
        return {};
    std::vector<cv::Mat> pictures;
    if (starts)
        pictures.push_back(state->first);
    for (size_t i = first; i < frames.size(); i++) {
        pictures.push_back(compose(*state, frames[i], places[i - first]));
        if (pictures.back().empty())
            return {};
    }
    state_ = std::move(state);
    shot_ = shot;
    return pictures;
}

} // namespace aianime::pipeline
