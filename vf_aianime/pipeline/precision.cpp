// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/precision.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace aianime::pipeline {

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
    return features.avx512_bf16 || features.amx_bf16 ? c10::ScalarType::BFloat16 : c10::ScalarType::Float;
}

} // namespace aianime::pipeline
