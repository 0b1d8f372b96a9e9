// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

namespace aianime::vision {

// What speaks for a picture as the one that stands for its shot. Parts of one product, key_frame_score().
struct KeyFrameParts {
    double sharpness; // variance of the Laplacian of the picture's luma at 256x256
    double exposure;  // 1 from a quarter to three quarters of the range, 0 at its ends, by the mean luma
    double stillness; // 1 / (1 + d / 0.02), d: mean distance of luma to the frame before; 1 where there is none
    double faces; // 1 + 4 q, q: the best face's score x frontal x min(1, 2 height / picture's) x (eyes closed: 0.3) x centrality
};

// picture: CV_32FC3 in [0, 1], any size. before: the frame before it, of the same size, or empty. faces is left at 1.
KeyFrameParts key_frame_parts(const cv::Mat &picture, const cv::Mat &before = {});

// A face's q. box in shares of the picture; score and frontal in [0, 1]. Centrality falls from 1 in the middle to 0.5 at a corner.
double key_face(const cv::Rect2f &box, double score, double frontal, bool eyes_open);

inline double key_frame_score(const KeyFrameParts &parts) {
    return parts.sharpness * parts.exposure * parts.stillness * parts.faces;
}

} // namespace aianime::vision
