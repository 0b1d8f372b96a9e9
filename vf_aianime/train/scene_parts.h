// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include "train/random.h"

namespace aianime::train {

// The parts of procedural scenes; each paints over a whole canvas (CV_32FC3, R G B in [0, 1]).

struct Light {
    cv::Vec3d direction; // to the lamp: right, down, to the camera
};

void paint_sky(cv::Mat &canvas, Draw &draw);
void paint_wall(cv::Mat &canvas, Draw &draw);
void paint_foliage(cv::Mat &canvas, const cv::Rect &place, Draw &draw);
void paint_ground(cv::Mat &canvas, int horizon, Draw &draw);
void paint_solids(cv::Mat &canvas, int count, const Light &light, Draw &draw);
void paint_sign(cv::Mat &canvas, Draw &draw);

// Stripes, checks or plain cloth with folds, of the canvas's size.
cv::Mat cloth(cv::Size size, Draw &draw);

// Head and shoulders, the head `radius` pixels high from its middle up.
void paint_person(cv::Mat &canvas, cv::Point2f head, float radius, const Light &light, Draw &draw);

} // namespace aianime::train
