// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <array>
#include <optional>
#include <vector>

namespace aianime::vision {

// From the maps of a body pose network (nn/annotators/body_pose.h) to people, by part affinity fields (Cao et al., "Realtime
// Multi-Person 2D Pose Estimation using Part Affinity Fields", CVPR 2017), and to the picture of them that
// control_v11p_sd15_openpose was trained to be shown.

constexpr int pose_joints = 18, pose_limbs = 19;

// A frame (CV_32FC3, R, G, B in [0, 1]) scaled to the height the network was trained for and padded to multiples of 8 at the right
// and bottom: what the network sees, CV_32FC3, B, G, R in [-0.5, 0.5].
struct PoseInput {
    cv::Mat picture;
    cv::Size scaled; // without the padding
};
PoseInput pose_input(const cv::Mat &frame);

// CV_32FC1 each, at the frame's size.
struct PoseMaps {
    std::vector<cv::Mat> affinity; // x and y of every kind of limb
    std::vector<cv::Mat> heat;     // of every joint
};
// Channels of the network's output, an eighth of the input's size, brought to the frame's size.
std::vector<cv::Mat> pose_channels(const std::vector<cv::Mat> &channels, const PoseInput &input, cv::Size frame);

// Nose, neck, right shoulder, elbow, wrist, left shoulder, elbow, wrist, right hip, knee, ankle, left hip, knee, ankle, right eye,
// left eye, right ear, left ear.
struct Person {
    std::array<std::optional<cv::Point>, pose_joints> joints;
};
std::vector<Person> find_people(const PoseMaps &maps);

// Coloured limbs and joints on black, CV_32FC3 in [0, 1].
cv::Mat draw_people(const std::vector<Person> &people, cv::Size size);

} // namespace aianime::vision
