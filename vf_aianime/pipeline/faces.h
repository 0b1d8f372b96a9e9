// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vision/eye_state.h"
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
    float eyes; // vision::eyes_evidence(): above 0 for open ones
    std::array<float, 7> expression;
    std::array<float, 128> descriptor;     // the built-in network's: packs' identity is trained on it
    std::array<float, 128> likeness;       // what people are told apart by: the descriptor, or the chosen recognizer's
    std::vector<FaceAttribute> attributes; // in the order the heads were given

    // The likeliest.
    size_t best_expression() const;
};

// Euclidean, of the likenesses: one person's pictures are below about 0.5, two persons' above 0.6.
float face_distance(const Face &a, const Face &b);

// ONNX files of OpenCV's model zoo to be used instead of the built-in networks, see opencv_faces.h. Empty: the built-in one.
struct FaceSource {
    std::string detector;   // YuNet
    std::string recognizer; // SFace
};

// Finds faces and says what they look like. Thread safety: const functions may run concurrently.
class FaceFinder {
public:
    // folder: with detector, landmarks, expression, age_gender and recognition.safetensors; face_folder() has those that come with
    // the library. heads: files of `aianime train attributes`. Throws Error: as WeightSource::from_file, NOT_FOUND for other files
    // that are not there, BAD_DATA for files of other networks.
    FaceFinder(const std::string &folder, at::Device device, const std::vector<std::string> &heads = {},
               const FaceSource &source = {});
    ~FaceFinder();

    // rgb: CV_8UC3, or CV_32FC3 in [0, 1]; R, G, B -> the faces with at least this score, the surest first; without one 0.5, or 0.8
    // of YuNet, which is less strict. Throws Error (INVALID) for other pictures.
    std::vector<Face> find(const cv::Mat &rgb, std::optional<double> least_score = {}) const;
    // Only boxes and scores; with the points too. The rest is 0.
    std::vector<Face> find_boxes(const cv::Mat &rgb, std::optional<double> least_score = {}) const;
    std::vector<Face> find_points(const cv::Mat &rgb, std::optional<double> least_score = {}) const;
    // Faces of a picture shortly before, their points moved to where they should be now, found again without a search: box, points
    // and eyes are new, what else is known of them stays. A thirtieth of find()'s time. Their number stays; those that are not
    // where they should be get score 0.
    std::vector<Face> follow(const cv::Mat &rgb, std::vector<Face> faces) const;

private:
    struct Networks;
    std::unique_ptr<Networks> networks_;
};

// Of the networks that come with the library. Throws Error (NOT_FOUND).
std::string face_folder();

} // namespace aianime::pipeline
