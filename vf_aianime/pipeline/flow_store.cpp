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

} // namespace

FlowStore::Picture FlowStore::name(const at::Tensor &picture) {
    const at::Tensor plain = picture.contiguous();
    Picture hash = {static_cast<uint64_t>(plain.size(-1)), static_cast<uint64_t>(plain.size(-2))};
    const auto *data = static_cast<const char *>(plain.data_ptr());
    for (size_t at = 0; at < plain.nbytes(); at += sizeof(uint64_t)) {
        uint64_t word = 0;
        std::memcpy(&word, data + at, std::min(sizeof word, plain.nbytes() - at));
        hash[0] = mixed(hash[0] + word);
        hash[1] = (hash[1] ^ word) * 0x100000001B3u + (hash[1] >> 47);
    }
    return hash;
}

FlowStore::Pair FlowStore::get(const Key &key, const std::function<Pair()> &measure) {
    const Entry there{key.from, key.to, key.height, key.width}, back{key.to, key.from, key.height, key.width};
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (const auto found = pairs_.find(there); found != pairs_.end())
            return found->second;
        if (const auto found = pairs_.find(back); found != pairs_.end())
            return {found->second.back, found->second.there};
    }
    const Pair pair = measure(); // slow: others may go on meanwhile
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!pairs_.emplace(there, pair).second)
        return pair;
    order_.push_back(there);
    if (order_.size() > most_pairs_) {
        pairs_.erase(order_.front());
        order_.pop_front();
    }
    return pair;
}

} // namespace aianime::pipeline
