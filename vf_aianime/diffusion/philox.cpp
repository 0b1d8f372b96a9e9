// SPDX-License-Identifier: LGPL-2.1-or-later
#include "diffusion/philox.h"

namespace aianime::diffusion {

PhiloxBlock philox4x32(PhiloxBlock counter, PhiloxKey key) noexcept {
    constexpr int rounds = 10;
    constexpr uint64_t multiplier[2] = {0xD2511F53, 0xCD9E8D57};
    constexpr uint32_t weyl[2] = {0x9E3779B9, 0xBB67AE85};
    for (int round = 0; round < rounds; ++round) {
        const uint64_t a = multiplier[0] * counter[0];
        const uint64_t b = multiplier[1] * counter[2];
        counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
                   static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
        key = {key[0] + weyl[0], key[1] + weyl[1]};
    }
    return counter;
}

} // namespace aianime::diffusion
