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

// Precision the networks run in on the CPU: the faster of bfloat16 and float32. Without bfloat16 instructions that is float32, with
// AMX it is bfloat16 (about twice the speed); with avx512_bf16 alone either can be, so a convolution is timed in both (about 0.1
// s). bfloat16 has to win clearly, so that the same machine comes to the same answer every time. Never float16, which LibTorch
// emulates on CPUs.
c10::ScalarType cpu_precision();

} // namespace aianime::pipeline
