// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <cstdint>

namespace aianime::train {

// A picture that is nobody's: people, solids, plants, cloth and signs as a camera might see them, with soft light, defocus and
// noise. CV_32FC3, R G B in [0, 1]; a function of the seed and the size.
cv::Mat procedural_scene(uint64_t seed, cv::Size size);

} // namespace aianime::train
