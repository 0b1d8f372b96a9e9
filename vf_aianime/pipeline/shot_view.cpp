// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/shot_view.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace aianime::pipeline {

namespace {

constexpr int face_side = 224;   // what CLIP's towers are shown
constexpr float around_face = 2; // side of that square by the face's longer one

// The picture's border goes on beyond it. box: in pixels.
cv::Mat square_around(const cv::Mat &picture, const cv::Rect2f &box) {
    const float side = around_face * std::max({box.width, box.height, 1.0f}), scale = face_side / side;
    const cv::Point2f corner = (box.tl() + box.br()) / 2 - cv::Point2f(side, side) / 2;
    const cv::Matx23f map(scale, 0, -corner.x * scale, 0, scale, -corner.y * scale);
    cv::Mat cut, bytes;
    cv::warpAffine(picture, cut, map, {face_side, face_side}, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
    cut.convertTo(bytes, CV_8U, 255);
    return bytes;
}

} // namespace

void ShotView::look(const ReadFrame &frame) {
    if (facts_->frames == 0) {
        facts_->first_pts = frame.pts;
        facts_->begin = frame.time;
    }
    facts_->end = frame.time;
    see(frame);
    ++facts_->frames;
}

void ShotView::settle() {
    settled_ = true;
    gather();
}

void ShotView::choose(const ReadFrame &frame, double score) {
    key_ = static_cast<size_t>(facts_->frames);
    key_picture_ = frame.picture.clone();
    facts_->key_pts = frame.pts;
    facts_->key_time = frame.time;
    facts_->key_score = score;
}

void ShotView::offer_face(int track, float quality, const cv::Mat &picture, const cv::Rect2f &box) {
    FacePicture &best = faces_[track];
    if (best.picture.empty() || quality > best.quality)
        best = {quality, square_around(picture, box)};
}

const FacePicture *ShotView::face_picture(int track) const {
    const auto found = faces_.find(track);
    return found == faces_.end() ? nullptr : &found->second;
}

} // namespace aianime::pipeline
