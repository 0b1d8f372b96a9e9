// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <malloc.h>

namespace aianime::pipeline {

// Hands what the C library holds of freed memory back to the system. Where much was freed it is worth the call: fragmentation would
// else keep it for the rest of the run.
inline void return_free_memory() { malloc_trim(0); }

} // namespace aianime::pipeline
