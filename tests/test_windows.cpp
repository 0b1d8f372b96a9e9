// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/windows.h"

#include "support.h"

using namespace aianime::pipeline;

AIANIME_TEST(windows_cover_every_frame_and_overlap) {
    for (int64_t frames = 1; frames <= 70; ++frames)
        for (int64_t size = 1; size <= 20; ++size)
            for (int64_t overlap = 0; overlap < size; ++overlap) {
                const std::vector<Window> windows = make_windows(frames, size, overlap);
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

AIANIME_TEST(weights_are_a_pyramid) {
    ck_assert(pyramid_weights(1) == std::vector<double>({1}));
    ck_assert(pyramid_weights(4) == std::vector<double>({1, 2, 2, 1}));
    ck_assert(pyramid_weights(5) == std::vector<double>({1, 2, 3, 2, 1}));
}

int main() {
    return run_suite("windows", {windows_cover_every_frame_and_overlap, a_short_segment_is_one_window, weights_are_a_pyramid});
}
