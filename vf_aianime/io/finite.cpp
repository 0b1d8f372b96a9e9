// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/finite.h"

#include <algorithm>
#include <vector>

namespace aianime::io {

namespace {

constexpr size_t piece_bytes = size_t{1} << 20;

// Infinities and NaNs have every bit of the exponent set.
template <typename Bits>
bool has_exponent(const SafetensorsFile &file, const std::string &name, Bits exponent) {
    const uint64_t bytes = file.tensors().at(name).bytes;
    std::vector<Bits> piece(static_cast<size_t>(std::min<uint64_t>(bytes, piece_bytes)) / sizeof(Bits));
    for (uint64_t at = 0; at < bytes; at += piece_bytes) {
        const size_t count = static_cast<size_t>(std::min<uint64_t>(bytes - at, piece_bytes)) / sizeof(Bits);
        file.read(name, at, count * sizeof(Bits), piece.data());
        if (std::any_of(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count),
                        [exponent](Bits bits) { return (bits & exponent) == exponent; }))
            return true;
    }
    return false;
}

} // namespace

bool has_not_finite(const SafetensorsFile &file, const std::string &name) {
    switch (file.tensors().at(name).dtype) {
    case DType::f32:
        return has_exponent<uint32_t>(file, name, 0x7f800000);
    case DType::f16:
        return has_exponent<uint16_t>(file, name, 0x7c00);
    case DType::bf16:
        return has_exponent<uint16_t>(file, name, 0x7f80);
    default:
        return false;
    }
}

} // namespace aianime::io
