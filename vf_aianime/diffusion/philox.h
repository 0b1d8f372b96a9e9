// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>

namespace aianime::diffusion {

using PhiloxBlock = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

// Philox4x32 with 10 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011): 128 random bits for each
// counter and key.
PhiloxBlock philox4x32(PhiloxBlock counter, PhiloxKey key) noexcept;

} // namespace aianime::diffusion
