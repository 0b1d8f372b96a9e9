// SPDX-License-Identifier: LGPL-2.1-or-later
// `make fuzz`: libFuzzer's way into the safetensors reader. tests/test_fuzz.cpp runs the corpus without it.
#include "safetensors_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz::safetensors(data, size);
    return 0;
}
