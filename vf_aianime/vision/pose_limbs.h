// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>

#include "vision/pose.h"

namespace aianime::vision {

struct Limb {
    int from, to;  // joints
    int first_map; // of its two affinity maps
};

// In the order in which people are put together. The last two, from shoulder to ear, only join what others found and are not drawn.
constexpr std::array<Limb, pose_limbs> limbs = {{{1, 2, 12},
                                                 {1, 5, 20},
                                                 {2, 3, 14},
                                                 {3, 4, 16},
                                                 {5, 6, 22},
                                                 {6, 7, 24},
                                                 {1, 8, 0},
                                                 {8, 9, 2},
                                                 {9, 10, 4},
                                                 {1, 11, 6},
                                                 {11, 12, 8},
                                                 {12, 13, 10},
                                                 {1, 0, 28},
                                                 {0, 14, 30},
                                                 {14, 16, 34},
                                                 {0, 15, 32},
                                                 {15, 17, 36},
                                                 {2, 16, 18},
                                                 {5, 17, 26}}};
constexpr size_t drawn_limbs = 17;

} // namespace aianime::vision
