// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cross_kernel.h"

#include <omp.h>

#include <algorithm>
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
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma")
namespace widest {
#include "nn/cross_kernel_lanes.h"
}
#pragma GCC pop_options
#endif

// Tokens [begin, end) of a frame; out: [tokens, channels].
template <typename Number>
void run(const CrossFrame<Number> &frame, float *memory, int64_t begin, int64_t end, Number *out) {
#ifdef AIANIME_WIDE
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        widest::run(frame, memory, begin, end, out);
        return;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        wide::run(frame, memory, begin, end, out);
        return;
    }
#endif
    plain::run(frame, memory, begin, end, out);
}

// at::parallel_for stays on one thread in sources that are compiled without OpenMP, as those with LibTorch's precompiled header
// are.
template <typename Number>
void run_all(const std::vector<CrossFrame<Number>> &frames, Number *out) {
    if (frames.empty())
        return;
    constexpr int64_t fewest = 512; // tokens a thread is woken for
    const int64_t tokens = frames[0].height * frames[0].width, all = static_cast<int64_t>(frames.size()) * tokens,
                  threads = std::max<int64_t>(std::min<int64_t>(omp_get_max_threads(), all / fewest), 1);
    const auto size = static_cast<size_t>(memory_for(frames[0]));
    std::vector<float> memory(static_cast<size_t>(threads) * size);
#pragma omp parallel for num_threads(static_cast <int>(threads)) schedule(static)
    for (int64_t part = 0; part < threads; part++) {
        const int64_t begin = part * all / threads, end = (part + 1) * all / threads;
        for (int64_t i = begin / tokens; i * tokens < end; i++)
            run(frames[static_cast<size_t>(i)], memory.data() + static_cast<size_t>(part) * size,
                std::max<int64_t>(begin - i * tokens, 0), std::min(end - i * tokens, tokens),
                out + i * tokens * frames[0].channels);
    }
}

} // namespace

void cross_tokens(const std::vector<CrossFrame<float>> &frames, float *out) { run_all(frames, out); }
void cross_tokens(const std::vector<CrossFrame<uint16_t>> &frames, uint16_t *out) { run_all(frames, out); }

} // namespace aianime::nn
