// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "pipeline/shot_facts.h"

namespace aianime::pipeline {

// Pixels of the short side of what is looked at: faces of a tenth of it can still be read.
constexpr int most_looked_at = 480;

// A frame as it is looked at.
struct ReadFrame {
    cv::Mat picture; // CV_32FC3 in [0, 1]; its size need not be the one that the networks work at
    int64_t pts = 0;
    double time = 0; // seconds, FrameClock
};

// A face of a track as it was seen best, to be shown to an IP-Adapter.
struct FacePicture {
    float quality = 0;
    cv::Mat picture; // CV_8UC3, R G B, a square of 224 pixels around the face and its hair
};

// What is known of one shot, from looking at it (ShotReader) or from a plan (PlannedShot), frame by frame. Thread safety: none.
class ShotView {
public:
    virtual ~ShotView() = default;

    // In order. Until the key frame is settled each may become it.
    void look(const ReadFrame &frame);
    // The key frame is one of those so far; facts() are up to date. Called as often as a segment is to be made.
    void settle();
    // The shot has ended.
    virtual void finish() {}

    // Number of the key frame, from 0, and its picture.
    size_t key() const { return key_; }
    const cv::Mat &key_picture() const { return key_picture_; }
    // Shared with whoever still writes about the shot's frames; changes with look() and finish().
    const std::shared_ptr<ShotFacts> &facts() const { return facts_; }
    // Null where the track has none.
    const FacePicture *face_picture(int track) const;

protected:
    virtual void see(const ReadFrame &frame) = 0;
    virtual void gather() {}
    bool settled() const { return settled_; }
    // The frame that see() was called with is the key frame, unless a later one is chosen.
    void choose(const ReadFrame &frame, double score);
    // Keeps the best of a track.
    void offer_face(int track, float quality, const cv::Mat &picture, const cv::Rect2f &box);

    std::shared_ptr<ShotFacts> facts_ = std::make_shared<ShotFacts>();

private:
    bool settled_ = false;
    size_t key_ = 0;
    cv::Mat key_picture_;
    std::map<int, FacePicture> faces_;
};

} // namespace aianime::pipeline
