// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "vision/face_shape.h"

namespace aianime::pipeline {

struct ScoredBox {
    cv::Rect2f box; // in pixels, inside the picture
    float score;    // in [0, 1]
};

// YuNet (doi 10.1007/s11633-023-1423-y) from OpenCV's model zoo: face_detection_yunet_2022mar.onnx, which OpenCV up to 4.7 runs as
// cv::FaceDetectorYN, or face_detection_yunet_2023mar.onnx and its kind, of which OpenCV's dnn runs the network and we read the
// outputs, whatever OpenCV's version. Thread safety: const functions may run concurrently, one waits for the other.
class YunetDetector {
public:
    // Throws Error: NOT_FOUND; BAD_DATA for a file that is no such network.
    explicit YunetDetector(const std::string &file);
    ~YunetDetector();

    // bgr: CV_8UC3 -> the surest first. Pictures are seen with at most 640 pixels on their longer side.
    std::vector<ScoredBox> find(const cv::Mat &bgr, double least_score) const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

// SFace (arXiv 2205.12010) from OpenCV's model zoo, face_recognition_sface_2021dec.onnx, run as cv::FaceRecognizerSF. Thread
// safety: as above.
class SfaceRecognizer {
public:
    // Throws Error: NOT_FOUND; BAD_DATA for a file that is no such network.
    explicit SfaceRecognizer(const std::string &file);
    ~SfaceRecognizer();

    // Of length 0.55, so that distances compare with the built-in network's: the published limit between one person and two, 1.128
    // at length 1, becomes 0.62. bgr: CV_8UC3.
    std::array<float, 128> describe(const cv::Mat &bgr, const vision::FacePoints &points) const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

} // namespace aianime::pipeline
