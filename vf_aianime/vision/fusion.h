// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <deque>
#include <functional>
#include <optional>

#include "vision/flow.h"

namespace aianime::vision {

// Motion between two frames, by their numbers from 0, the earlier one first; each pair is asked for once.
using MotionsOf = std::function<MotionPair(size_t from, size_t to)>;

// The same things look the same in neighbouring frames: each stylized picture becomes the mean of itself and of those up to `reach`
// frames away, carried to it along the source's motion. A neighbour counts where the motion can be trusted and the carried source
// is the source that is there; hidden places, light that changes and cuts so keep what they are. What was drawn by chance averages
// out; lines stay, because they are carried with bicubic weights and not blurred.
//
// Takes the pictures of a shot in order, and gives each when the last one that it looks at is there. Holds reach + 1 of them, with
// their sources and sums. Thread safety: one thread.
class MotionFusion {
public:
    MotionFusion(size_t reach, MotionsOf motions) : reach_(reach), motions_(std::move(motions)) {}

    // source, stylized: CV_32FC3 of one size. An empty stylized picture is left alone and gives nothing; one that is `kept` gives
    // but is not changed.
    void add(const cv::Mat &source, const cv::Mat &stylized, bool kept);
    // No more come.
    void finish() { finished_ = true; }
    // The next picture in order; none when it waits for others.
    std::optional<cv::Mat> take();

private:
    struct Entry {
        cv::Mat source, stylized;
        bool kept = false;
        cv::Mat sum, weight; // so far; empty for what stays as it is
    };

    void join(Entry &earlier, Entry &later, size_t from, size_t to);

    size_t reach_;
    MotionsOf motions_;
    std::deque<Entry> entries_; // taken ones stay while later ones may look at them
    size_t first_ = 0, next_ = 0;
    bool finished_ = false;
};

} // namespace aianime::vision
