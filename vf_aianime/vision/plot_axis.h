// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::vision {

// One axis of a plot: values between first and last are pixels between from and to.
struct Axis {
    double first, last;
    int from, to;
    bool log = false;

    // Of a value in pixels; what lies outside is put at the end.
    double place(double value) const;
};

// About `wanted` round values that lie on it.
std::vector<double> ticks(const Axis &axis, int wanted);
std::string tick_text(double value);

} // namespace aianime::vision
