// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <string>

namespace aianime::train {

// A generator on the CPU that depends on its arguments only: what makes a resumed run draw what an uninterrupted one draws, on any
// device.
at::Generator generator_for(uint64_t seed, int64_t step, int64_t micro);

// 64 well mixed bits of three numbers (SplitMix64), and of a text (FNV-1a).
uint64_t mix(uint64_t seed, uint64_t a, uint64_t b = 0);
uint64_t text_hash(const std::string &text);

// Draws that plain C++ code needs; each is a function of the seed it was made with and of the draws before.
class Draw {
public:
    explicit Draw(uint64_t seed) : state_(seed) {}
    uint64_t bits();
    double unit(); // [0, 1)
    double between(double low, double high);
    int64_t below(int64_t count); // 0 .. count - 1
    bool chance(double probability) { return unit() < probability; }

private:
    uint64_t state_;
};

} // namespace aianime::train
