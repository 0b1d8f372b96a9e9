// SPDX-License-Identifier: LGPL-2.1-or-later
// Generated tables behind nn/unicode.h, each sorted by its first column.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aianime::nn::unicode {

struct CodeRange {
    char32_t first, last;
};
extern const CodeRange letter_ranges[];
extern const size_t letter_ranges_count;
extern const CodeRange number_ranges[];
extern const size_t number_ranges_count;

// Every `step`th code point from first to last becomes lower case by adding `difference`.
struct LowerRun {
    char32_t first, last, step;
    int32_t difference;
};
extern const LowerRun lower_runs[];
extern const size_t lower_runs_count;

// Canonical combining classes other than 0.
struct ClassRange {
    char32_t first, last;
    uint32_t combining_class;
};
extern const ClassRange class_ranges[];
extern const size_t class_ranges_count;

// One level of canonical decomposition; `second` is 0 for a single code point. Without Hangul syllables.
struct Decomposition {
    char32_t code, first, second;
};
extern const Decomposition decompositions[];
extern const size_t decompositions_count;

struct Composition {
    char32_t first, second, code;
};
extern const Composition compositions[];
extern const size_t compositions_count;

} // namespace aianime::nn::unicode
