// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <c10/core/ScalarType.h>

namespace aianime::pipeline {

// What the processor multiplies in bfloat16.
struct CpuFeatures {
    bool avx512_bf16 = false;
    bool amx_bf16 = false;
};
CpuFeatures cpu_features();

// Precision the networks run in on the CPU: bfloat16 where the processor has instructions for it (about twice the speed of
// float32), else float32. Never float16, which LibTorch emulates there. Decided by the processor and not by a trial run, so that
// the same machine always gives the same frames.
c10::ScalarType cpu_precision();

} // namespace aianime::pipeline
