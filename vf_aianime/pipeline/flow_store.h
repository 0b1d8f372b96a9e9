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

// Motion that was measured before: anchors and the frames that segments share come again. Pictures are known by what they show, not
// by their number. Bounded; what was stored first goes first. Thread safety: full.
class FlowStore {
public:
    static constexpr size_t default_bytes = size_t{32} << 20; // 380 pairs at 45x80 cells

    explicit FlowStore(size_t most_bytes = default_bytes) : most_bytes_(most_bytes) {}

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

    const size_t most_bytes_;
    std::mutex mutex_;
    std::map<Entry, Pair> pairs_;
    std::deque<Entry> order_;
    size_t bytes_ = 0;
};

} // namespace aianime::pipeline
