// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/windows.h"

#include "support.h"

#include <cmath>

using namespace aianime::pipeline;

AIANIME_TEST(windows_cover_every_frame_once_but_for_the_overlap) {
    for (int64_t frames = 1; frames <= 70; ++frames)
        for (int64_t size = 1; size <= 20; ++size)
            for (int64_t overlap = 0; overlap < size; ++overlap)
                for (const bool shifted : {false, true}) {
                    const std::vector<Window> windows = make_windows(frames, size, overlap, shifted);
                    ck_assert_int_eq(windows.front().begin, 0);
                    ck_assert_int_eq(windows.back().begin + windows.back().count, frames);
                    for (size_t i = 0; i < windows.size(); ++i) {
                        ck_assert(windows[i].count >= 1 && windows[i].count <= size);
                        ck_assert(i == 0 || windows[i - 1].begin + windows[i - 1].count - windows[i].begin == overlap);
                    }
                }
}

AIANIME_TEST(windows_are_as_long_as_each_other) {
    const int64_t expected[][2] = {{0, 13}, {9, 13}, {18, 12}}, expected_shifted[][2] = {{0, 8}, {4, 13}, {13, 13}, {22, 8}};
    const std::vector<Window> windows = make_windows(30, 16, 4), shifted = make_windows(30, 16, 4, true);
    ck_assert(windows.size() == 3 && shifted.size() == 4);
    for (size_t i = 0; i < windows.size(); ++i)
        ck_assert_msg(std::abs(windows[i].begin - expected[i][0]) <= 1 && std::abs(windows[i].count - expected[i][1]) <= 1,
                      "%ld %ld", windows[i].begin, windows[i].count);
    for (size_t i = 0; i < shifted.size(); ++i)
        ck_assert_msg(std::abs(shifted[i].begin - expected_shifted[i][0]) <= 1 &&
                          std::abs(shifted[i].count - expected_shifted[i][1]) <= 1,
                      "%ld %ld", shifted[i].begin, shifted[i].count);
    ck_assert(make_windows(30, 16, 0).size() == 2 && make_windows(32, 16, 0).back().count == 16);
}

AIANIME_TEST(full_windows_cover_every_frame_and_overlap) {
    for (int64_t frames = 1; frames <= 70; ++frames)
        for (int64_t size = 1; size <= 20; ++size)
            for (int64_t overlap = 0; overlap < size; ++overlap) {
                const std::vector<Window> windows = make_full_windows(frames, size, overlap);
                ck_assert_int_eq(windows.front().begin, 0);
                ck_assert_int_eq(windows.back().begin + windows.back().count, frames);
                for (size_t i = 0; i < windows.size(); ++i) {
                    ck_assert_int_eq(windows[i].count, std::min(size, frames));
                    if (i > 0) {
                        ck_assert_int_gt(windows[i].begin, windows[i - 1].begin);
                        ck_assert_int_ge(windows[i - 1].begin + size - windows[i].begin, overlap);
                    }
                }
            }
}

AIANIME_TEST(a_short_segment_is_one_window) {
    const std::vector<Window> windows = make_windows(5, 16, 4);
    ck_assert_uint_eq(windows.size(), 1);
    ck_assert_int_eq(windows[0].count, 5);
}

// The other phase: its borders lie in the middle between those of the first one.
AIANIME_TEST(shifted_full_windows) {
    const std::vector<Window> windows = make_full_windows(40, 16, 4, true);
    ck_assert_uint_eq(windows.size(), 4);
    const int64_t expected[][2] = {{0, 10}, {6, 16}, {18, 16}, {24, 16}};
    for (size_t i = 0; i < windows.size(); ++i)
        ck_assert(windows[i].begin == expected[i][0] && windows[i].count == expected[i][1]);
    for (int64_t frames = 1; frames <= 50; ++frames)
        for (int64_t size = 1; size <= 12; ++size)
            for (int64_t overlap = 0; overlap < size; ++overlap) {
                const std::vector<Window> all = make_full_windows(frames, size, overlap, true);
                ck_assert_int_eq(all.front().begin, 0);
                ck_assert_int_eq(all.back().begin + all.back().count, frames);
                for (size_t i = 0; i < all.size(); ++i) {
                    ck_assert_int_ge(all[i].count, 1);
                    ck_assert_int_le(all[i].count, size);
                    ck_assert(i == 0 || all[i - 1].begin + all[i - 1].count - all[i].begin >= overlap);
                }
            }
}

AIANIME_TEST(weights_of_a_window) {
    using Weights = std::vector<double>;
    ck_assert(window_weights(WindowWeights::flat, 3) == Weights({1, 1, 1}));
    ck_assert(window_weights(WindowWeights::pyramid, 1) == Weights({1}));
    ck_assert(window_weights(WindowWeights::pyramid, 4) == Weights({1, 2, 2, 1}));
    ck_assert(window_weights(WindowWeights::pyramid, 5) == Weights({1, 2, 3, 2, 1}));
    const Weights normal = window_weights(WindowWeights::gaussian, 8);
    ck_assert_double_eq_tol(normal[0], std::exp(-0.5 * 1.75 * 1.75), 1e-12);
    ck_assert_double_eq_tol(normal[3], std::exp(-0.5 * 0.25 * 0.25), 1e-12);
    ck_assert(normal[2] == normal[5] && window_weights(WindowWeights::gaussian, 1) == Weights({1}));
}

int main() {
    return run_suite("windows", {windows_cover_every_frame_once_but_for_the_overlap, windows_are_as_long_as_each_other,
                                 full_windows_cover_every_frame_and_overlap, a_short_segment_is_one_window, shifted_full_windows,
                                 weights_of_a_window});
}
