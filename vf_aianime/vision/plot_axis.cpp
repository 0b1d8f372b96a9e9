// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/plot_axis.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace aianime::vision {

namespace {

// 1, 2 or 5 times a power of ten, so that a span gets about `wanted` of them.
double tick_step(double span, int wanted) {
    const double power = std::pow(10, std::floor(std::log10(span / wanted)));
    for (const double times : {1.0, 2.0, 5.0})
        if (span <= times * power * wanted)
            return times * power;
    return 10 * power;
}

} // namespace

double Axis::place(double value) const {
    const double part = log ? std::log(value / first) / std::log(last / first) : (value - first) / (last - first);
    return from + std::clamp(part, 0.0, 1.0) * (to - from);
}

std::vector<double> ticks(const Axis &axis, int wanted) {
    std::vector<double> values;
    if (axis.log) {
        // Every 1, 2 and 5 over few decades, whole decades over many.
        const bool few = axis.last / axis.first < 1e4;
        for (double power = std::pow(10, std::floor(std::log10(axis.first))); power <= axis.last; power *= 10)
            for (const double times : {1.0, 2.0, 5.0})
                if ((times == 1 || few) && times * power >= axis.first && times * power <= axis.last)
                    values.push_back(times * power);
        return values;
    }
    const double step = tick_step(axis.last - axis.first, wanted);
    for (double i = std::ceil(axis.first / step); i * step <= axis.last * (1 + 1e-12); i++)
        values.push_back(i * step);
    return values;
}

std::string tick_text(double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6);
    return std::string(text, end.ptr);
}

} // namespace aianime::vision
