// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "vision/face_shape.h"

namespace aianime::pipeline {

// In the order of Face::expression.
constexpr std::array<const char *, 7> expression_names = {"neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"};

// What a further head says: a probability for each of its classes.
struct FaceAttribute {
    std::string name; // "beard"
    std::vector<std::string> classes;
    std::vector<float> probabilities;

    // The likeliest.
    size_t best() const;
};

struct Face {
    cv::Rect2f box; // inside the picture
    float score;    // of the detector, in [0, 1]
    vision::FacePoints points;
    float male; // probability; female is the rest
    float age;  // years
    std::array<float, 7> expression;
    std::array<float, 128> descriptor;
    std::vector<FaceAttribute> attributes; // in the order the heads were given

    // The likeliest.
    size_t best_expression() const;
};

// Euclidean: one person's pictures are below about 0.5, two persons' above 0.6.
float face_distance(const Face &a, const Face &b);

// The built-in face networks. Thread safety: const functions may run concurrently.
class FaceFinder {
public:
    // folder: with detector, landmarks, expression, age_gender and recognition.safetensors; face_folder() has those that come with
    // the library. heads: files of `aianime train attributes`. Throws Error: as WeightSource::from_file, BAD_DATA for files of
    // other networks.
    FaceFinder(const std::string &folder, at::Device device, const std::vector<std::string> &heads = {});
    ~FaceFinder();

    // rgb: CV_8UC3, or CV_32FC3 in [0, 1]; R, G, B -> the faces with at least this score, the surest first. Throws Error (INVALID)
    // for other pictures.
    std::vector<Face> find(const cv::Mat &rgb, double least_score = 0.5) const;
    // Only boxes and scores; with the points too. The rest is 0.
    std::vector<Face> find_boxes(const cv::Mat &rgb, double least_score = 0.5) const;
    std::vector<Face> find_points(const cv::Mat &rgb, double least_score = 0.5) const;

private:
    struct Networks;
    std::unique_ptr<Networks> networks_;
};

// Of the networks that come with the library. Throws Error (NOT_FOUND).
std::string face_folder();

} // namespace aianime::pipeline
