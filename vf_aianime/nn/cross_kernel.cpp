// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cross_kernel.h"

#include <cstring>

namespace aianime::nn {

namespace {

int64_t whole(int64_t count) { return (count + 7) / 8 * 8; }

// Numbers that Frame works in.
template <typename Number>
int64_t memory_for(const CrossFrame<Number> &f) {
    const int64_t aligned = whole(1 + static_cast<int64_t>(f.slots.size())), all = aligned + whole(f.coarse);
    return f.channels + aligned * 2 * f.channels + all * (2 + f.heads) + f.channels;
}

namespace plain {
#include "nn/cross_kernel_lanes.h"
}

#if defined(__x86_64__)
#define AIANIME_WIDE 1
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace wide {
#include "nn/cross_kernel_lanes.h"
}
#pragma GCC pop_options
#endif

template <typename Number>
void run(const CrossFrame<Number> &frame, int64_t begin, int64_t end, Number *out) {
    std::vector<float> memory(static_cast<size_t>(memory_for(frame)));
#ifdef AIANIME_WIDE
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        wide::run(frame, memory.data(), begin, end, out);
        return;
    }
#endif
    plain::run(frame, memory.data(), begin, end, out);
}

} // namespace

void cross_tokens(const CrossFrame<float> &frame, int64_t begin, int64_t end, float *out) { run(frame, begin, end, out); }
void cross_tokens(const CrossFrame<uint16_t> &frame, int64_t begin, int64_t end, uint16_t *out) { run(frame, begin, end, out); }

} // namespace aianime::nn
