// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/random.h"

#include "nn/aten.h"

namespace aianime::train {

namespace {

// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
constexpr uint64_t golden_gamma = 0x9E3779B97F4A7C15;

uint64_t finish(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

} // namespace

uint64_t mix(uint64_t seed, uint64_t a, uint64_t b) {
    return finish(finish(finish(seed + golden_gamma) + a + golden_gamma) + b + golden_gamma);
}

uint64_t text_hash(const std::string &text) {
    uint64_t hash = 0xCBF29CE484222325;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
    return hash;
}

at::Generator generator_for(uint64_t seed, int64_t step, int64_t micro) {
    return at::detail::createCPUGenerator(mix(seed, static_cast<uint64_t>(step), static_cast<uint64_t>(micro)));
}

uint64_t Draw::bits() {
    state_ += golden_gamma;
    return finish(state_);
}

double Draw::unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Draw::between(double low, double high) { return low + (high - low) * unit(); }

int64_t Draw::below(int64_t count) { return static_cast<int64_t>(bits() % static_cast<uint64_t>(count)); }

} // namespace aianime::train
