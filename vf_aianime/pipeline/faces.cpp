// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/faces.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "io/paths.h"
#include "nn/aten.h"
#include "nn/face/attribute_head.h"
#include "nn/face/dense.h"
#include "nn/face/detector.h"
#include "nn/face/recognition.h"
#include "nn/weights.h"
#include "pipeline/opencv_faces.h"
#include "pipeline/picture_tensor.h"

namespace aianime::pipeline {

namespace {

// A picture as the networks see it. Very large ones are halved and so on: faces in them are large too, or too small to be found.
struct Seen {
    at::Tensor picture;
    float scale; // the given picture's side by this one's
};

Seen seen_by_networks(const cv::Mat &rgb, at::Device device) {
    constexpr int longest = 2560;
    if (rgb.empty() || (rgb.type() != CV_8UC3 && rgb.type() != CV_32FC3))
        throw Error(AIANIME_INVALID, "faces are looked for in pictures of 3 channels of 8 bits or floats");
    cv::Mat floats = rgb;
    const int divisor = (std::max(rgb.cols, rgb.rows) + longest - 1) / longest;
    if (divisor > 1)
        cv::resize(rgb, floats, {std::max(rgb.cols / divisor, 1), std::max(rgb.rows / divisor, 1)}, 0, 0, cv::INTER_AREA);
    const float scale = static_cast<float>(rgb.cols) / static_cast<float>(floats.cols);
    if (floats.type() == CV_8UC3)
        floats.convertTo(floats, CV_32F, 1.0 / 255);
    return {to_tensor(floats).to(device), scale};
}

// Back to the given picture's pixels.
std::vector<Face> enlarged(std::vector<Face> faces, const cv::Mat &rgb, float scale) {
    if (scale == 1)
        return faces;
    for (Face &face : faces) {
        const cv::Rect2f whole(0, 0, static_cast<float>(rgb.cols), static_cast<float>(rgb.rows));
        face.box = cv::Rect2f(face.box.tl() * scale, face.box.br() * scale) & whole;
        for (cv::Point2f &point : face.points)
            point *= scale;
    }
    return faces;
}

// As OpenCV's own networks are fed.
cv::Mat bgr_bytes(const cv::Mat &rgb) {
    cv::Mat bytes = rgb, out;
    if (rgb.depth() == CV_32F)
        rgb.convertTo(bytes, CV_8U, 255);
    cv::cvtColor(bytes, out, cv::COLOR_RGB2BGR);
    return out;
}

float overlap_by_union(const cv::Rect2f &a, const cv::Rect2f &b) {
    const float both = (a & b).area(), all = a.area() + b.area() - both;
    return all > 0 ? both / all : 0;
}

// Lies to `now` as it lay to `before`.
cv::Rect2f moved_box(const cv::Rect2f &box, const cv::Rect2f &before, const cv::Rect2f &now) {
    const float across = now.width / before.width, down = now.height / before.height;
    return {now.x + (box.x - before.x) * across, now.y + (box.y - before.y) * down, box.width * across, box.height * down};
}

nn::FaceBox box_of(const cv::Rect2f &box) { return {box.x, box.y, box.width, box.height}; }

template <size_t n>
void copy_row(const at::Tensor &rows, int64_t row, std::array<float, n> &out) {
    std::copy_n(rows[row].const_data_ptr<float>(), n, out.begin());
}

at::Tensor on_cpu(const at::Tensor &x) { return x.to(at::kCPU, at::kFloat).contiguous(); }

// Those of all faces, one below the other.
struct Cuts {
    std::vector<nn::FaceCut> each;
    at::Tensor all;
};

template <typename BoxOf>
Cuts cut_all(const at::Tensor &picture, const std::vector<Face> &faces, int64_t side, BoxOf box) {
    Cuts cuts;
    std::vector<at::Tensor> pictures;
    for (const Face &face : faces) {
        cuts.each.push_back(nn::cut(picture, box_of(box(face)), side));
        pictures.push_back(cuts.each.back().picture);
    }
    cuts.all = at::cat(pictures);
    return cuts;
}

} // namespace

struct FaceFinder::Networks {
    Networks(const std::string &folder, at::Device on, const std::vector<std::string> &files, const FaceSource &source)
        : device(on), landmarks(nn::DenseFaceNet::landmarks), expression(nn::DenseFaceNet::expressions) {
        const auto load = [&](const char *name, nn::Module &network) {
            nn::load_face_network(network, nn::WeightSource::from_file(folder + "/" + name + ".safetensors"), device);
        };
        load("detector", detector);
        load("landmarks", landmarks);
        load("expression", expression);
        load("age_gender", age_gender);
        load("recognition", recognition);
        for (const std::string &file : files)
            heads.push_back(nn::AttributeHead::load(file, age_gender, device));
        if (!source.detector.empty())
            yunet = std::make_unique<YunetDetector>(source.detector);
        if (!source.recognizer.empty())
            sface = std::make_unique<SfaceRecognizer>(source.recognizer);
    }

    std::vector<Face> boxes(const cv::Mat &rgb, const Seen &seen, std::optional<double> least_score) const;
    template <typename BoxOf>
    void look_for_points(const at::Tensor &picture, std::vector<Face> &faces, BoxOf box) const;
    void place_points(const at::Tensor &picture, std::vector<Face> &faces) const;
    at::Tensor identities(const at::Tensor &picture, const std::vector<Face> &faces) const;
    void describe(const at::Tensor &picture, std::vector<Face> &faces) const;
    void look_closely(const cv::Mat &rgb, std::vector<Face> &faces) const;
    void ask_heads(const at::Tensor &pictures, const at::Tensor &features, std::vector<Face> &faces) const;

    at::Device device;
    nn::FaceDetector detector;
    nn::DenseFaceNet landmarks, expression;
    nn::AgeGender age_gender;
    nn::FaceRecognition recognition;
    std::vector<std::unique_ptr<nn::AttributeHead>> heads;
    std::unique_ptr<YunetDetector> yunet;   // or the detector
    std::unique_ptr<SfaceRecognizer> sface; // likenesses, or the descriptors are those
};

namespace {

Face face_of(const cv::Rect2f &box, float score) {
    Face face{};
    face.box = box;
    face.score = score;
    return face;
}

} // namespace

// In the pixels of what the networks see.
std::vector<Face> FaceFinder::Networks::boxes(const cv::Mat &rgb, const Seen &seen, std::optional<double> least_score) const {
    std::vector<Face> faces;
    if (yunet)
        for (const ScoredBox &found : yunet->find(bgr_bytes(rgb), least_score.value_or(0.8)))
            faces.push_back(face_of(cv::Rect2f(found.box.tl() / seen.scale, found.box.br() / seen.scale), found.score));
    else
        for (const nn::FoundFace &found : detector.find(seen.picture, least_score.value_or(0.5)))
            faces.push_back(
                face_of(cv::Rect2d(found.box.x, found.box.y, found.box.width, found.box.height), static_cast<float>(found.score)));
    return faces;
}

template <typename BoxOf>
void FaceFinder::Networks::look_for_points(const at::Tensor &picture, std::vector<Face> &faces, BoxOf box) const {
    const Cuts cuts = cut_all(picture, faces, nn::DenseFaceNet::side, box);
    const at::Tensor points = on_cpu(landmarks.forward(cuts.all));
    for (size_t i = 0; i < faces.size(); i++) {
        const nn::FaceCut &cut = cuts.each[i];
        const float *row = points[static_cast<int64_t>(i)].const_data_ptr<float>();
        for (size_t k = 0; k < faces[i].points.size(); k++)
            faces[i].points[k] = {static_cast<float>(cut.x + row[2 * k] * cut.full_side),
                                  static_cast<float>(cut.y + row[2 * k + 1] * cut.full_side)};
    }
}

// The second look, at the box of the first one's points, depends less on where exactly the detector put its own: the points then
// tremble by a half to a third as much.
void FaceFinder::Networks::place_points(const at::Tensor &picture, std::vector<Face> &faces) const {
    if (faces.empty())
        return;
    look_for_points(picture, faces, [](const Face &face) { return face.box; });
    look_for_points(picture, faces, [](const Face &face) { return vision::points_box(face.points); });
}

// The mean of a face's descriptor and its mirror image's.
at::Tensor FaceFinder::Networks::identities(const at::Tensor &picture, const std::vector<Face> &faces) const {
    std::vector<at::Tensor> cuts;
    for (const Face &face : faces) {
        const vision::TurnedSquare square = vision::recognition_square(face.points);
        cuts.push_back(
            nn::cut_turned(picture, square.centre.x, square.centre.y, square.side, square.angle, nn::FaceRecognition::side));
    }
    const at::Tensor all = at::cat(cuts);
    return (recognition.forward(all) + recognition.forward(all.flip(3))) / 2;
}

void FaceFinder::Networks::describe(const at::Tensor &picture, std::vector<Face> &faces) const {
    const Cuts seen =
        cut_all(picture, faces, nn::DenseFaceNet::side, [](const Face &face) { return vision::points_box(face.points); });
    const at::Tensor features = age_gender.forward(seen.all);
    const at::Tensor years = on_cpu(age_gender.age.forward(features)),
                     male = on_cpu(at::softmax(age_gender.gender.forward(features), 1));
    const at::Tensor expressions = on_cpu(at::softmax(expression.forward(seen.all), 1));
    const at::Tensor descriptors = on_cpu(identities(picture, faces));
    for (size_t i = 0; i < faces.size(); i++) {
        const auto row = static_cast<int64_t>(i);
        faces[i].age = std::max(years[row][0].item<float>(), 0.0f);
        faces[i].male = male[row][0].item<float>();
        copy_row(expressions, row, faces[i].expression);
        copy_row(descriptors, row, faces[i].descriptor);
        faces[i].likeness = faces[i].descriptor;
    }
    ask_heads(seen.all, features, faces);
}

// What is read from the picture as it is.
void FaceFinder::Networks::look_closely(const cv::Mat &rgb, std::vector<Face> &faces) const {
    const cv::Mat bgr = sface && !faces.empty() ? bgr_bytes(rgb) : cv::Mat();
    for (Face &face : faces) {
        face.eyes = vision::eyes_evidence(rgb, face.points);
        if (sface)
            face.likeness = sface->describe(bgr, face.points);
    }
}

void FaceFinder::Networks::ask_heads(const at::Tensor &pictures, const at::Tensor &features, std::vector<Face> &faces) const {
    for (const auto &head : heads) {
        const at::Tensor said = on_cpu(at::softmax(head->forward(pictures, features), 1));
        for (size_t i = 0; i < faces.size(); i++) {
            const float *row = said[static_cast<int64_t>(i)].const_data_ptr<float>();
            faces[i].attributes.push_back({head->name(), head->classes(), std::vector<float>(row, row + head->classes().size())});
        }
    }
}

size_t FaceAttribute::best() const {
    return static_cast<size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
}

size_t Face::best_expression() const {
    return static_cast<size_t>(std::max_element(expression.begin(), expression.end()) - expression.begin());
}

float face_distance(const Face &a, const Face &b) {
    float sum = 0;
    for (size_t i = 0; i < a.likeness.size(); i++)
        sum += (a.likeness[i] - b.likeness[i]) * (a.likeness[i] - b.likeness[i]);
    return std::sqrt(sum);
}

FaceFinder::FaceFinder(const std::string &folder, at::Device device, const std::vector<std::string> &heads,
                       const FaceSource &source)
    : networks_(std::make_unique<Networks>(folder, device, heads, source)) {}

FaceFinder::~FaceFinder() = default;

std::vector<Face> FaceFinder::find_boxes(const cv::Mat &rgb, std::optional<double> least_score) const {
    const c10::InferenceMode inference;
    const Seen seen = seen_by_networks(rgb, networks_->device);
    return enlarged(networks_->boxes(rgb, seen, least_score), rgb, seen.scale);
}

std::vector<Face> FaceFinder::find_points(const cv::Mat &rgb, std::optional<double> least_score) const {
    const c10::InferenceMode inference;
    const Seen seen = seen_by_networks(rgb, networks_->device);
    std::vector<Face> faces = networks_->boxes(rgb, seen, least_score);
    networks_->place_points(seen.picture, faces);
    return enlarged(std::move(faces), rgb, seen.scale);
}

std::vector<Face> FaceFinder::find(const cv::Mat &rgb, std::optional<double> least_score) const {
    const c10::InferenceMode inference;
    const Seen seen = seen_by_networks(rgb, networks_->device);
    std::vector<Face> faces = networks_->boxes(rgb, seen, least_score);
    networks_->place_points(seen.picture, faces);
    if (!faces.empty())
        networks_->describe(seen.picture, faces);
    faces = enlarged(std::move(faces), rgb, seen.scale);
    networks_->look_closely(rgb, faces);
    return faces;
}

std::vector<Face> FaceFinder::follow(const cv::Mat &rgb, std::vector<Face> faces) const {
    if (faces.empty())
        return faces;
    const c10::InferenceMode inference;
    const Seen seen = seen_by_networks(rgb, networks_->device);
    std::vector<Face> found = faces;
    const cv::Rect2f whole(0, 0, static_cast<float>(rgb.cols), static_cast<float>(rgb.rows));
    for (Face &face : found) {
        for (cv::Point2f &point : face.points)
            point *= 1 / seen.scale;
        face.box = vision::points_box(face.points);
    }
    networks_->look_for_points(seen.picture, found, [](const Face &face) { return face.box; });
    found = enlarged(std::move(found), rgb, seen.scale);
    for (size_t i = 0; i < faces.size(); i++) {
        const cv::Rect2f before = vision::points_box(faces[i].points), now = vision::points_box(found[i].points);
        const bool there = overlap_by_union(before, now) > 0.5f && (now & whole).area() > 0.5f * now.area();
        faces[i].score = there ? faces[i].score : 0;
        if (!there)
            continue;
        faces[i].box = moved_box(faces[i].box, before, now) & whole;
        faces[i].points = found[i].points;
        faces[i].eyes = vision::eyes_evidence(rgb, faces[i].points);
    }
    return faces;
}

std::string face_folder() {
    const std::string folder = io::find_in(io::model_folders(), "face");
    if (folder.empty())
        throw Error(AIANIME_NOT_FOUND,
                    "the folder of the face networks is missing: models/face, or face below a folder of AIANIME_MODELS");
    return folder;
}

} // namespace aianime::pipeline
