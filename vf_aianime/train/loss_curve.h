// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace aianime::train {

struct LossPoint {
    int64_t step;
    double loss;
    double rate;
};

// "step,loss,rate" lines. read_losses gives those of steps below `end` and nothing for a file that is not there.
// Throws Error (BAD_DATA, IO).
std::vector<LossPoint> read_losses(const std::string &path, int64_t end);
void write_losses(const std::string &path, const std::vector<LossPoint> &points);

// A PNG: the losses as dots, their running median as a line, log scale where they span more than a decade, axes with numbers.
// Throws Error (IO).
void draw_losses(const std::string &path, const std::string &title, const std::vector<LossPoint> &points);

} // namespace aianime::train
