// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/precision.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <chrono>

#include "nn/aten.h"

namespace aianime::pipeline {

namespace {

// A 3x3 convolution of the size the networks spend their time in.
class TrialConvolution {
public:
    explicit TrialConvolution(at::ScalarType dtype)
        : picture_(at::ones({4, 64, 48, 64}, dtype).contiguous(at::MemoryFormat::ChannelsLast)),
          weight_(at::ones({64, 64, 3, 3}, dtype).contiguous(at::MemoryFormat::ChannelsLast)) {
        at::conv2d(picture_, weight_, {}, 1, 1); // the first call compiles the kernel
    }
    double seconds() const {
        const auto begin = std::chrono::steady_clock::now();
        at::conv2d(picture_, weight_, {}, 1, 1);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }

private:
    at::Tensor picture_;
    at::Tensor weight_;
};

bool bfloat16_is_faster() {
    constexpr int rounds = 6;
    constexpr double clearly = 1.2;
    const c10::InferenceMode inference;
    const TrialConvolution full(at::kFloat), half(at::kBFloat16);
    double full_seconds = full.seconds(), half_seconds = half.seconds();
    // Taking turns and the least of each: other load on the machine slows both down, and some rounds not at all.
    for (int i = 1; i < rounds; ++i) {
        full_seconds = std::min(full_seconds, full.seconds());
        half_seconds = std::min(half_seconds, half.seconds());
    }
    return half_seconds * clearly < full_seconds;
}

} // namespace

CpuFeatures cpu_features() {
    CpuFeatures features;
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        const bool avx512f = b & (1u << 16);
        features.amx_bf16 = d & (1u << 22);
        if (avx512f && __get_cpuid_count(7, 1, &a, &b, &c, &d))
            features.avx512_bf16 = a & (1u << 5);
    }
#endif
    return features;
}

c10::ScalarType cpu_precision() {
    const CpuFeatures features = cpu_features();
    if (features.amx_bf16)
        return c10::ScalarType::BFloat16;
    return features.avx512_bf16 && bfloat16_is_faster() ? c10::ScalarType::BFloat16 : c10::ScalarType::Float;
}

} // namespace aianime::pipeline
