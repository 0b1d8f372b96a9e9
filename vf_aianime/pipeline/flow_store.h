// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "nn/flow_gather.h"
#include "vision/compact_flow.h"

namespace aianime::pipeline {

// Motion that was measured before: on coarse grids, because the frames that segments share come again, anchors too; and whole, for
// those who look at a segment's frames after attention did. Pictures are known by what they show, not by their number. Bounded to
// what a segment needs, so that a long clip takes no more memory than a short one; what was stored first goes first. Thread safety:
// full.
class FlowStore {
public:
    struct Limits {
        size_t pairs = 64;                     // on grids: 5.5 MB at 45x80 cells
        size_t pair_bytes = size_t{4} << 20;   // of one on a grid: those that carried noise needs are finer, and not kept
        size_t whole_pairs = 128;              // and not more bytes than
        size_t whole_bytes = size_t{64} << 20; // 64 pairs of 960x544
    };

    FlowStore() = default;
    explicit FlowStore(const Limits &limits) : limits_(limits) {}

    using Picture = std::array<uint64_t, 2>; // a hash of size and pixels
    // The same of a picture in either form: [1, 3, H, W], CV_32FC3.
    static Picture name(const at::Tensor &picture);
    static Picture name(const cv::Mat &picture);

    struct Pair {
        nn::FlowField there, back;
    };
    struct Key {
        Picture from, to;
        int64_t height, width; // of the fields
        bool afar = false;     // measured as OpticalFlow::afar() does
    };
    // What is stored for the pair, in this order or the other; else what `measure` gives, which is stored.
    Pair get(const Key &key, const std::function<Pair()> &measure);

    // The same for the whole. It is stored where `keep` says so: who asks last need not.
    vision::CompactFlows whole(const Picture &from, const Picture &to, bool keep,
                               const std::function<vision::CompactFlows()> &measure);

    size_t whole_bytes() const;                   // stored now
    size_t measured() const { return measured_; } // pairs that `whole` had to have measured

private:
    using Entry = std::tuple<Picture, Picture, int64_t, int64_t, bool>;
    using Names = std::pair<Picture, Picture>;

    void keep_whole(const Names &names, const vision::CompactFlows &flows);

    const Limits limits_;
    mutable std::mutex mutex_;
    std::map<Entry, Pair> pairs_;
    std::deque<Entry> order_;
    std::map<Names, vision::CompactFlows> whole_;
    std::deque<Names> whole_order_;
    size_t whole_bytes_ = 0;
    std::atomic<size_t> measured_{0};
};

} // namespace aianime::pipeline
