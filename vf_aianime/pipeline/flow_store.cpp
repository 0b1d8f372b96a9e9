// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/flow_store.h"

#include <algorithm>
#include <cstring>

#include "nn/aten.h"

namespace aianime::pipeline {

namespace {

uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u; // splitmix64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

// Of rows of R, G, B triples.
FlowStore::Picture hash_of(int64_t width, int64_t height, const void *pixels, size_t bytes) {
    FlowStore::Picture hash = {static_cast<uint64_t>(width), static_cast<uint64_t>(height)};
    const auto *data = static_cast<const char *>(pixels);
    for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        std::memcpy(&word, data + at, std::min(sizeof word, bytes - at));
        hash[0] = mixed(hash[0] + word);
        hash[1] = (hash[1] ^ word) * 0x100000001B3u + (hash[1] >> 47);
    }
    return hash;
}

} // namespace

FlowStore::Picture FlowStore::name(const at::Tensor &picture) {
    const at::Tensor rows = picture.permute({0, 2, 3, 1}).contiguous();
    return hash_of(rows.size(2), rows.size(1), rows.data_ptr(), rows.nbytes());
}

FlowStore::Picture FlowStore::name(const cv::Mat &picture) {
    const cv::Mat rows = picture.isContinuous() ? picture : picture.clone();
    return hash_of(rows.cols, rows.rows, rows.data, rows.total() * rows.elemSize());
}

FlowStore::Pair FlowStore::get(const Key &key, const std::function<Pair()> &measure) {
    const Entry there{key.from, key.to, key.height, key.width, key.afar}, back{key.to, key.from, key.height, key.width, key.afar};
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (const auto found = pairs_.find(there); found != pairs_.end())
            return found->second;
        if (const auto found = pairs_.find(back); found != pairs_.end())
            return {found->second.back, found->second.there};
    }
    const Pair pair = measure(); // slow: others may go on meanwhile
    const size_t bytes = 2 * (pair.there.flow.nbytes() + pair.there.valid.nbytes());
    const std::lock_guard<std::mutex> lock(mutex_);
    if (bytes > limits_.pair_bytes || !pairs_.emplace(there, pair).second)
        return pair;
    order_.push_back(there);
    if (order_.size() > limits_.pairs) {
        pairs_.erase(order_.front());
        order_.pop_front();
    }
    return pair;
}

vision::CompactFlows FlowStore::whole(const Picture &from, const Picture &to, bool keep,
                                      const std::function<vision::CompactFlows()> &measure) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (const auto found = whole_.find({from, to}); found != whole_.end())
            return found->second;
        if (const auto found = whole_.find({to, from}); found != whole_.end())
            return {found->second.size, found->second.back, found->second.there};
    }
    measured_++;
    const vision::CompactFlows flows = measure();
    if (keep)
        keep_whole({from, to}, flows);
    return flows;
}

void FlowStore::keep_whole(const Names &names, const vision::CompactFlows &flows) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (flows.bytes() > limits_.whole_bytes || !whole_.emplace(names, flows).second)
        return;
    whole_order_.push_back(names);
    whole_bytes_ += flows.bytes();
    while (whole_bytes_ > limits_.whole_bytes || whole_order_.size() > limits_.whole_pairs) {
        const auto first = whole_.find(whole_order_.front());
        whole_bytes_ -= first->second.bytes();
        whole_.erase(first);
        whole_order_.pop_front();
    }
}

size_t FlowStore::whole_bytes() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return whole_bytes_;
}

} // namespace aianime::pipeline
