// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <array>

namespace aianime::vision {

// 68 points of a face in pixels, as the iBUG 300-W set numbers them: 0-16 jaw, 17-26 brows, 27-35 nose, 36-41 and 42-47 eyes (the
// picture's left one first), 48-59 lips outside, 60-67 inside.
using FacePoints = std::array<cv::Point2f, 68>;

// Height by width of the lips' inner line: below 0.1 for a closed mouth, above 0.4 for a wide open one. The eyes' points do not
// tell as much: the built-in network places them alike for closed eyes; see eye_state.h.
float mouth_openness(const FacePoints &points);

// With hysteresis: what was so stays until it is clearly otherwise.
bool mouth_open(const FacePoints &points, bool before = false);

// The points' bounding box, a fifth larger: what networks of age, gender and expression are shown.
cv::Rect2f points_box(const FacePoints &points);

// A square that may be turned, clockwise in radians.
struct TurnedSquare {
    cv::Point2f centre;
    float side;
    float angle;
};
// Around eyes and mouth, upright as the face is: what the recognition network is shown. The published way is the same square
// without turning it; turned, pictures of tilted heads are told apart better (76 pictures of 15 people: wrong in 4 % of all pairs,
// not 8 %).
TurnedSquare recognition_square(const FacePoints &points);

} // namespace aianime::vision
