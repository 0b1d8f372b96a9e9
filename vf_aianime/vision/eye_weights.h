// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>

namespace aianime::vision {

// Of the logistic regression in eye_state.cpp: for each cell, row by row, its directions.
constexpr int eye_cells_across = 6, eye_cells_down = 4, eye_directions = 8;
constexpr int eye_features = eye_cells_across * eye_cells_down * eye_directions;

extern const std::array<float, eye_features> eye_weights;
extern const float eye_constant;

} // namespace aianime::vision
