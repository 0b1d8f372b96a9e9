// SPDX-License-Identifier: LGPL-2.1-or-later
// The face networks against an implementation of their own in golden/make_face.py, and what is made of their answers.
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nn/aten.h"
#include "nn/face/age_gender.h"
#include "nn/face/dense.h"
#include "nn/face/detector.h"
#include "nn/face/recognition.h"
#include "nn/weights.h"
#include "pipeline/faces.h"
#include "pipeline/picture_tensor.h"
#include "support.h"
#include "support_networks.h"
#include "support_safetensors.h"

using namespace aianime;

namespace {

std::string models() { return tests_folder() + "/../models/face"; }

template <typename Network>
void load(Network &network, const std::string &name) {
    nn::load_face_network(network, nn::WeightSource::from_file(models() + "/" + name + ".safetensors"), at::kCPU);
}

at::Tensor golden(const std::string &name) {
    return nn::WeightSource::from_file(tests_folder() + "/golden/face/io.safetensors").tensor(name, at::kFloat, at::kCPU);
}

cv::Mat astronaut() {
    cv::Mat rgb;
    cv::cvtColor(cv::imread(tests_folder() + "/golden/face/astronaut.png", cv::IMREAD_COLOR), rgb, cv::COLOR_BGR2RGB);
    return rgb;
}

at::Tensor astronaut_tensor() {
    cv::Mat floats;
    astronaut().convertTo(floats, CV_32F, 1.0 / 255);
    return pipeline::to_tensor(floats);
}

// noise() of the script.
at::Tensor noise(int64_t side) {
    at::Tensor out = at::empty({1, 3, side, side});
    uint32_t state = static_cast<uint32_t>(side);
    for (int64_t i = 0; i < out.numel(); i++) {
        state = state * 1664525u + 1013904223u;
        out.data_ptr<float>()[i] = static_cast<float>(state >> 24) / 255;
    }
    return out;
}

at::Tensor both(int64_t side) { return at::cat({noise(side), nn::cut(astronaut_tensor(), {0, 0, 192, 192}, side).picture}); }

cv::Mat pasted(cv::Size size, cv::Point at, const cv::Mat &face) {
    cv::Mat out(size, CV_8UC3, cv::Scalar(90, 110, 100));
    face.copyTo(out(cv::Rect(at, face.size())));
    return out;
}

} // namespace

AIANIME_TEST(detector_agrees) {
    const c10::InferenceMode inference;
    nn::FaceDetector network;
    load(network, "detector");
    expect_close(network.forward(noise(512)).slice(1, 0, 5118, 7), golden("detector"), 1e-4, "detector");
}

AIANIME_TEST(dense_networks_agree) {
    const c10::InferenceMode inference;
    nn::DenseFaceNet landmarks(nn::DenseFaceNet::landmarks), expression(nn::DenseFaceNet::expressions);
    load(landmarks, "landmarks");
    load(expression, "expression");
    expect_close(landmarks.forward(both(112)), golden("landmarks"), 1e-4, "landmarks");
    expect_close(expression.forward(both(112)), golden("expression"), 1e-4, "expression");
}

AIANIME_TEST(age_and_gender_agree) {
    const c10::InferenceMode inference;
    nn::AgeGender network;
    load(network, "age_gender");
    const at::Tensor features = network.forward(both(112));
    expect_close(features, golden("features"), 1e-4, "features");
    expect_close(network.age.forward(features), golden("age"), 1e-4, "age");
    expect_close(network.gender.forward(features), golden("gender"), 1e-4, "gender");
}

AIANIME_TEST(recognition_agrees) {
    const c10::InferenceMode inference;
    nn::FaceRecognition network;
    load(network, "recognition");
    expect_close(network.forward(both(150)), golden("recognition"), 1e-4, "recognition");
}

AIANIME_TEST(a_face_is_described_as_by_the_reference) {
    const pipeline::FaceFinder finder(models(), at::kCPU);
    const std::vector<pipeline::Face> faces = finder.find(astronaut());
    ck_assert_uint_eq(faces.size(), 1);
    ck_assert(finder.find_points(astronaut()).at(0).points == faces[0].points);
    ck_assert(finder.find_boxes(astronaut()).at(0).box == faces[0].box);
    const pipeline::Face &face = faces[0];
    const at::Tensor box = at::tensor({face.box.x, face.box.y, face.box.width, face.box.height});
    expect_close(box, golden("box"), 1e-4, "box");
    ck_assert_double_eq_tol(face.score, golden("score").item<double>(), 1e-4);
    std::vector<float> points;
    for (const cv::Point2f &point : face.points)
        points.insert(points.end(), {point.x, point.y});
    expect_close(at::tensor(points).view({68, 2}), golden("face.points"), 1e-4, "points");
    ck_assert_double_eq_tol(face.age, golden("face.age").item<double>(), 1e-2);
    ck_assert_double_eq_tol(face.male, golden("face.male").item<double>(), 1e-4);
    expect_close(at::tensor(at::ArrayRef<float>(face.expression)).view({1, 7}), golden("face.expression"), 1e-4, "expression");
    expect_close(at::tensor(at::ArrayRef<float>(face.descriptor)).view({1, 128}), golden("face.descriptor"), 1e-4, "descriptor");
    ck_assert_str_eq(pipeline::expression_names[face.best_expression()], "happy");
}

AIANIME_TEST(points_lie_on_eyes_and_mouth) {
    const std::vector<pipeline::Face> faces = pipeline::FaceFinder(models(), at::kCPU).find(astronaut());
    // Marked by eye in the picture; the eyes are 65 pixels apart.
    const auto near = [&](size_t point, float x, float y) {
        const cv::Point2f off = faces.at(0).points[point] - cv::Point2f(x, y);
        ck_assert_msg(std::hypot(off.x, off.y) < 7.5, "point %zu is at %.1f, %.1f", point, faces[0].points[point].x,
                      faces[0].points[point].y);
    };
    near(36, 63.5, 90.5);
    near(45, 129, 94);
    near(48, 73.5, 130);
    near(54, 114.5, 131);
    ck_assert_float_gt(faces[0].eyes, 1);
}

AIANIME_TEST(one_person_is_near_and_a_mirrored_brighter_one_too) {
    const pipeline::FaceFinder finder(models(), at::kCPU);
    cv::Mat changed;
    cv::resize(astronaut(), changed, {}, 1.7, 1.7, cv::INTER_CUBIC);
    cv::flip(changed, changed, 1);
    changed.convertTo(changed, -1, 0.8, 30);
    const std::vector<pipeline::Face> a = finder.find(astronaut()), b = finder.find(pasted({700, 500}, {300, 120}, changed));
    ck_assert_uint_eq(b.size(), 1);
    ck_assert_float_lt(pipeline::face_distance(a.at(0), b.at(0)), 0.4f);
}

AIANIME_TEST(a_tilted_head_is_the_same_person) {
    const pipeline::FaceFinder finder(models(), at::kCPU);
    cv::Mat turned;
    cv::warpAffine(astronaut(), turned, cv::getRotationMatrix2D({96, 100}, 20, 1), {192, 192}, cv::INTER_CUBIC,
                   cv::BORDER_REPLICATE);
    const std::vector<pipeline::Face> a = finder.find(astronaut()), b = finder.find(turned);
    ck_assert_uint_eq(b.size(), 1);
    const float angle = vision::recognition_square(b[0].points).angle - vision::recognition_square(a.at(0).points).angle;
    ck_assert_float_eq_tol(angle, static_cast<float>(-20 * CV_PI / 180), 0.08f);
    ck_assert_float_lt(pipeline::face_distance(a[0], b[0]), 0.3f);
}

AIANIME_TEST(a_very_large_picture_is_seen_smaller) {
    const pipeline::FaceFinder finder(models(), at::kCPU);
    cv::Mat large;
    cv::resize(astronaut(), large, {}, 10, 10, cv::INTER_CUBIC);
    const cv::Mat picture = pasted({5300, 2000}, {2000, 40}, large);
    const std::vector<pipeline::Face> a = finder.find(astronaut()), b = finder.find(picture);
    ck_assert_uint_eq(b.size(), 1);
    const cv::Point2f off = b[0].points[30] * 0.1f - cv::Point2f(200, 4) - a.at(0).points[30];
    ck_assert_msg(std::hypot(off.x, off.y) < 2, "the nose is off by %.1f, %.1f", off.x, off.y);
    ck_assert((b[0].box & cv::Rect2f(0, 0, 5300, 2000)) == b[0].box && b[0].box.width > 600);
    ck_assert_float_lt(pipeline::face_distance(a[0], b[0]), 0.35f);
}

AIANIME_TEST(a_face_at_the_border_stays_inside) {
    const pipeline::FaceFinder finder(models(), at::kCPU);
    const cv::Mat half = astronaut()(cv::Rect(95, 0, 97, 192)).clone();
    for (const cv::Mat &picture : {half, pasted({300, 200}, {0, 0}, half)}) {
        for (const pipeline::Face &face : finder.find(picture, 0.2)) {
            ck_assert((face.box & cv::Rect2f(0, 0, picture.cols, picture.rows)) == face.box);
            for (const float value : face.descriptor)
                ck_assert(std::isfinite(value));
        }
    }
}

AIANIME_TEST(pictures_without_faces_give_none) {
    const pipeline::FaceFinder finder(models(), at::kCPU);
    ck_assert(finder.find(cv::Mat(360, 640, CV_8UC3, cv::Scalar::all(0))).empty());
    ck_assert(finder.find(cv::Mat(1, 1, CV_32FC3, cv::Scalar::all(0.5))).empty());
    cv::Mat upside_down;
    cv::flip(astronaut(), upside_down, 0);
    for (const pipeline::Face &face : finder.find(upside_down))
        ck_assert(std::isfinite(face.age));
    expect_error([&] { finder.find(cv::Mat()); }, AIANIME_INVALID, "3 channels");
    expect_error([&] { finder.find(cv::Mat(8, 8, CV_8UC1)); }, AIANIME_INVALID, "3 channels");
}

AIANIME_TEST(faces_are_followed_without_a_search) {
    const pipeline::FaceFinder finder(models(), at::kCPU);
    const cv::Mat first = pasted({500, 400}, {100, 90}, astronaut()), second = pasted({500, 400}, {108, 85}, astronaut());
    const std::vector<pipeline::Face> before = finder.find(first), there = finder.find(second),
                                      found = finder.follow(second, before);
    ck_assert_uint_eq(found.size(), 1);
    for (size_t i = 0; i < found[0].points.size(); i++) {
        const cv::Point2f off = found[0].points[i] - there.at(0).points[i];
        ck_assert_float_lt(std::hypot(off.x, off.y), 4);
    }
    ck_assert_float_gt((found[0].box & there[0].box).area(), 0.8f * (found[0].box | there[0].box).area());
    ck_assert_float_gt(found[0].eyes, 1);
    ck_assert(found[0].score == before[0].score && found[0].age == before[0].age && found[0].descriptor == before[0].descriptor);
    ck_assert(finder.follow(second, {}).empty());
    std::vector<pipeline::Face> outside = before; // asked for where no picture is
    for (cv::Point2f &point : outside[0].points)
        point += cv::Point2f(3000, 3000);
    ck_assert_float_eq(finder.follow(second, outside).at(0).score, 0);
}

AIANIME_TEST(forty_faces) {
    cv::Mat small, picture;
    cv::resize(astronaut(), small, {80, 80}, 0, 0, cv::INTER_AREA);
    cv::repeat(small, 5, 8, picture);
    const std::vector<pipeline::Face> faces = pipeline::FaceFinder(models(), at::kCPU).find(picture);
    ck_assert_uint_eq(faces.size(), 40);
    for (const pipeline::Face &face : faces)
        ck_assert(face.male < 0.5f && std::isfinite(face.eyes));
}

AIANIME_TEST(files_of_other_networks_are_refused) {
    nn::AgeGender network;
    expect_error([&] { load(network, "recognition"); }, AIANIME_BAD_DATA, "missing");
    expect_error([&] { pipeline::FaceFinder("/nowhere", at::kCPU); }, AIANIME_NOT_FOUND, "detector.safetensors");
}

AIANIME_TEST(openness_follows_the_points) {
    vision::FacePoints points{};
    for (size_t i = 0; i < 3; i++) {
        points[61 + i] = {10.0f * static_cast<float>(i), 100};
        points[67 - i] = {10.0f * static_cast<float>(i), 110};
    }
    points[60] = {-5, 105};
    points[64] = {25, 105};
    ck_assert_float_eq_tol(vision::mouth_openness(points), 1.0f / 3, 1e-5f);
    ck_assert(vision::mouth_open(points));
}

int main() {
    return run_suite("face",
                     {a_tilted_head_is_the_same_person, detector_agrees, dense_networks_agree, age_and_gender_agree,
                      recognition_agrees, a_face_is_described_as_by_the_reference, points_lie_on_eyes_and_mouth,
                      one_person_is_near_and_a_mirrored_brighter_one_too, a_very_large_picture_is_seen_smaller,
                      a_face_at_the_border_stays_inside, pictures_without_faces_give_none, files_of_other_networks_are_refused,
                      openness_follows_the_points, faces_are_followed_without_a_search, forty_faces});
}
