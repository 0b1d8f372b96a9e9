// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/report.h"

#include <cstdio>

namespace aianime::tools {

namespace {

std::string scaled(uint64_t value, const char *const (&units)[4]) {
    double number = static_cast<double>(value);
    size_t unit = 0;
    for (; number >= 999.5 && unit < 3; unit++)
        number /= 1000;
    char text[32];
    std::snprintf(text, sizeof(text),
                  unit == 0 || number >= 99.95 ? "%.0f%s"
                  : number >= 9.995            ? "%.1f%s"
                                               : "%.2f%s",
                  number, units[unit]);
    return text;
}

} // namespace

void print_line(const std::string &label, const std::string &value) { std::printf("%-13s %s\n", label.c_str(), value.c_str()); }

void print_problem(const std::string &problem, const std::string &mend) {
    std::printf("%-13s ! %s\n", "", problem.c_str());
    if (!mend.empty())
        std::printf("%-13s   mend: %s\n", "", mend.c_str());
}

std::string count_text(uint64_t count) { return scaled(count, {"", " k", " M", " G"}); }

std::string bytes_text(uint64_t bytes) { return scaled(bytes, {" bytes", " kB", " MB", " GB"}); }

std::string plural(uint64_t count, const std::string &noun) { return std::to_string(count) + " " + noun + (count == 1 ? "" : "s"); }

std::string number_text(double number) {
    char text[32];
    std::snprintf(text, sizeof(text), "%g", number);
    return text;
}

} // namespace aianime::tools
