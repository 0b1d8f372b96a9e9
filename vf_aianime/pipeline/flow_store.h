// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <tuple>

#include "nn/flow_gather.h"

namespace aianime::pipeline {

// Motion that was measured before: the frames that segments share come again, anchors too. Pictures are known by what they show,
// not by their number. Bounded to what a segment's last frames need, so that a long clip takes no more memory than a short one;
// what was stored first goes first. Thread safety: full.
class FlowStore {
public:
    static constexpr size_t default_pairs = 64; // 5.5 MB at 45x80 cells

    explicit FlowStore(size_t most_pairs = default_pairs) : most_pairs_(most_pairs) {}

    using Picture = std::array<uint64_t, 2>; // a hash of size and pixels
    static Picture name(const at::Tensor &picture);

    struct Pair {
        nn::FlowField there, back;
    };
    struct Key {
        Picture from, to;
        int64_t height, width; // of the fields
    };
    // What is stored for the pair, in this order or the other; else what `measure` gives, which is stored.
    Pair get(const Key &key, const std::function<Pair()> &measure);

private:
    using Entry = std::tuple<Picture, Picture, int64_t, int64_t>;

    const size_t most_pairs_;
    std::mutex mutex_;
    std::map<Entry, Pair> pairs_;
    std::deque<Entry> order_;
};

} // namespace aianime::pipeline
