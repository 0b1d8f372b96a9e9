// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/frame_clock.h"

#include "support.h"

#include <vector>

using aianime::pipeline::FrameClock;

namespace {

// Numbers of the frames that are generated, `step` units of pts apart.
std::vector<int> generated(FrameClock &clock, int frames, int64_t step) {
    std::vector<int> chosen;
    for (int i = 0; i < frames; ++i)
        if (clock.next(i * step, i == 0).generate)
            chosen.push_back(i);
    return chosen;
}

} // namespace

AIANIME_TEST(thirty_a_second_gives_every_third) {
    FrameClock clock({1, 30}, {30, 1}, 10);
    ck_assert(generated(clock, 10, 1) == std::vector<int>({0, 3, 6, 9}));
}

AIANIME_TEST(film_rate_keeps_ten_a_second) {
    FrameClock clock({1001, 24000}, {24000, 1001}, 10);
    const std::vector<int> chosen = generated(clock, 241, 1); // 10.01 s of gaps
    ck_assert_uint_eq(chosen.size(), 101);
    ck_assert(std::vector<int>(chosen.begin(), chosen.begin() + 5) == std::vector<int>({0, 3, 5, 8, 10}));
}

AIANIME_TEST(timestamps_rounded_to_milliseconds_change_nothing) {
    FrameClock exact({1, 30}, {30, 1}, 10);
    FrameClock rounded({1, 1000}, {30, 1}, 10);
    for (int i = 0; i < 300; ++i) {
        const bool expected = exact.next(i, i == 0).generate;
        const auto pts = static_cast<int64_t>(i * 1000.0 / 30 + 0.5);
        ck_assert_msg(rounded.next(pts, i == 0).generate == expected, "frame %d", i);
    }
}

AIANIME_TEST(below_the_rate_every_frame_is_generated) {
    FrameClock clock({1, 8}, {8, 1}, 10);
    ck_assert_uint_eq(generated(clock, 20, 1).size(), 20);
    FrameClock all({1, 60}, {60, 1}, 0);
    ck_assert_uint_eq(generated(all, 20, 1).size(), 20);
}

AIANIME_TEST(missing_timestamps_follow_the_nominal_rate) {
    FrameClock clock({1, 1000}, {30, 1}, 10);
    std::vector<int> chosen;
    for (int i = 0; i < 10; ++i)
        if (clock.next(AIANIME_NO_PTS, i == 0).generate)
            chosen.push_back(i);
    ck_assert(chosen == std::vector<int>({0, 3, 6, 9}));
}

AIANIME_TEST(time_never_falls_whatever_the_timestamps) {
    FrameClock clock({1, 90000}, {25, 1}, 10);
    const int64_t odd[] = {0, 3600, 3600, -500, AIANIME_NO_PTS, INT64_MAX, INT64_MIN + 1, 7, int64_t{1} << 33, 12};
    double last = -1;
    for (int64_t pts : odd) {
        const double time = clock.next(pts, last < 0).time;
        ck_assert_double_ge(time, last);
        ck_assert_double_le(time - last, 3.01);
        last = time;
    }
}

AIANIME_TEST(slides_far_apart_are_all_generated) {
    FrameClock clock({1, 1}, {0, 0}, 10);
    ck_assert_uint_eq(generated(clock, 5, 3600).size(), 5);
}

AIANIME_TEST(a_shot_starts_its_own_grid) {
    FrameClock clock({1, 30}, {30, 1}, 10);
    std::vector<int> chosen;
    for (int i = 0; i < 9; ++i)
        if (clock.next(i, i == 0 || i == 4).generate)
            chosen.push_back(i);
    ck_assert(chosen == std::vector<int>({0, 3, 4, 7}));
}

AIANIME_TEST(identity_is_the_source_time) {
    FrameClock a({1, 30}, {30, 1}, 10);
    FrameClock b({1, 90000}, {30, 1}, 10);
    a.next(0, true);
    ck_assert_int_eq(a.next(15, false).identity, 500000);
    ck_assert_int_eq(b.next(45000, true).identity, 500000); // another time base, another first frame
}

int main() {
    return run_suite("frame clock", {thirty_a_second_gives_every_third, film_rate_keeps_ten_a_second,
                                     timestamps_rounded_to_milliseconds_change_nothing, below_the_rate_every_frame_is_generated,
                                     missing_timestamps_follow_the_nominal_rate, time_never_falls_whatever_the_timestamps,
                                     slides_far_apart_are_all_generated, a_shot_starts_its_own_grid, identity_is_the_source_time});
}
