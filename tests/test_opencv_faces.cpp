// SPDX-License-Identifier: LGPL-2.1-or-later
// OpenCV's face networks chosen instead of the built-in ones, by tiny networks of golden/make_opencv_faces.py with the same
// outputs. AIANIME_TEST_YUNET and AIANIME_TEST_SFACE may name the real files.
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "pipeline/faces.h"
#include "pipeline/opencv_faces.h"
#include "support.h"

using namespace aianime;
using pipeline::ScoredBox;
using pipeline::SfaceRecognizer;
using pipeline::YunetDetector;

namespace {

std::string file(const std::string &name) { return tests_folder() + "/golden/opencv_faces/" + name; }

std::string models() { return tests_folder() + "/../models/face"; }

cv::Mat astronaut() {
    cv::Mat rgb;
    cv::cvtColor(cv::imread(tests_folder() + "/golden/face/astronaut.png", cv::IMREAD_COLOR), rgb, cv::COLOR_BGR2RGB);
    return rgb;
}

// A white spot of 16 pixels, times `scale`, on black.
cv::Mat spot(cv::Size size, cv::Point at, int scale = 1) {
    cv::Mat out(size, CV_8UC3, cv::Scalar::all(0));
    out(cv::Rect(at * scale, cv::Size(16 * scale, 16 * scale))).setTo(cv::Scalar::all(255));
    return out;
}

void expect_box(const ScoredBox &found, float x, float y, float side) {
    ck_assert_msg(std::abs(found.box.x - x) < 0.5f && std::abs(found.box.y - y) < 0.5f && std::abs(found.box.width - side) < 0.5f &&
                      std::abs(found.box.height - side) < 0.5f,
                  "%.1f %.1f %.1f %.1f", found.box.x, found.box.y, found.box.width, found.box.height);
    ck_assert_float_gt(found.score, 0.99f);
}

} // namespace

AIANIME_TEST(yunet_of_2023) {
    const YunetDetector detector(file("cells.onnx"));
    const std::vector<ScoredBox> found = detector.find(spot({200, 120}, {64, 48}), 0.8);
    ck_assert_uint_eq(found.size(), 1);
    expect_box(found[0], 56, 40, 32);
    ck_assert(detector.find(cv::Mat(120, 200, CV_8UC3, cv::Scalar::all(0)), 0.8).empty());
    // At the border a box is cut off; a large picture is seen smaller.
    const std::vector<ScoredBox> corner = detector.find(spot({200, 120}, {0, 0}), 0.8);
    ck_assert_uint_eq(corner.size(), 1);
    expect_box(corner[0], 0, 0, 24);
    const std::vector<ScoredBox> large = detector.find(spot({1920, 960}, {64, 48}, 3), 0.8);
    ck_assert_uint_eq(large.size(), 1);
    expect_box(large[0], 168, 120, 96);
    ck_assert(detector.find(cv::Mat(1, 1, CV_8UC3, cv::Scalar::all(0)), 0.8).empty());
    ck_assert(detector.find(cv::Mat(4096, 16, CV_8UC3, cv::Scalar::all(0)), 0.8).empty());
}

AIANIME_TEST(yunet_of_2022) {
    if (CV_VERSION_MAJOR > 4 || CV_VERSION_MINOR >= 8) {
        print_skip("this OpenCV reads no YuNet of 2022");
        return;
    }
    const YunetDetector detector(file("priors.onnx"));
    const std::vector<ScoredBox> found = detector.find(spot({192, 128}, {64, 48}), 0.8);
    ck_assert_uint_eq(found.size(), 1);
    expect_box(found[0], 56, 40, 32); // the least box of that stride
    ck_assert(detector.find(cv::Mat(128, 192, CV_8UC3, cv::Scalar::all(0)), 0.8).empty());
}

AIANIME_TEST(sface) {
    const SfaceRecognizer recognizer(file("recognizer.onnx"));
    const cv::Mat rgb = astronaut();
    const pipeline::FaceFinder finder(models(), at::kCPU);
    const pipeline::Face face = finder.find(rgb).at(0);
    cv::Mat bgr, mirrored;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    const std::array<float, 128> one = recognizer.describe(bgr, face.points);
    ck_assert_float_eq_tol(std::sqrt(std::inner_product(one.begin(), one.end(), one.begin(), 0.0f)), 0.55f, 1e-4f);
    // Cut out by the points: twice as large elsewhere it is the same.
    cv::Mat large(600, 700, CV_8UC3, cv::Scalar::all(40)), twice;
    cv::resize(bgr, twice, {}, 2, 2, cv::INTER_CUBIC);
    twice.copyTo(large(cv::Rect({90, 60}, twice.size())));
    vision::FacePoints moved = face.points;
    for (cv::Point2f &point : moved)
        point = point * 2 + cv::Point2f(90, 60);
    const std::array<float, 128> other = recognizer.describe(large, moved);
    for (size_t i = 0; i < one.size(); i++)
        ck_assert_float_eq_tol(one[i], other[i], 0.02f);
}

AIANIME_TEST(chosen_in_a_finder) {
    const pipeline::FaceFinder built_in(models(), at::kCPU);
    const pipeline::FaceFinder chosen(models(), at::kCPU, {}, {"", file("recognizer.onnx")});
    const pipeline::Face a = built_in.find(astronaut()).at(0), b = chosen.find(astronaut()).at(0);
    ck_assert(a.descriptor == b.descriptor && a.descriptor == a.likeness && b.likeness != b.descriptor);
    ck_assert(a.points == b.points && a.age == b.age);

    const pipeline::FaceFinder spots(models(), at::kCPU, {}, {file("cells.onnx"), ""});
    cv::Mat picture = spot({200, 120}, {64, 48});
    const std::vector<pipeline::Face> found = spots.find(picture);
    ck_assert_uint_eq(found.size(), 1);
    ck_assert(std::abs(found[0].box.x - 56) < 1 && std::isfinite(found[0].age));
    picture.convertTo(picture, CV_32F, 1.0 / 255);
    ck_assert(spots.find_boxes(picture).at(0).box == found[0].box);
    ck_assert(spots.find(cv::Mat(120, 200, CV_8UC3, cv::Scalar::all(60))).empty());
}

AIANIME_TEST(several_threads) {
    const YunetDetector detector(file("cells.onnx"));
    std::array<size_t, 4> found{};
    std::vector<std::thread> threads;
    for (size_t i = 0; i < found.size(); i++)
        threads.emplace_back([&, i] {
            for (int round = 0; round < 5; round++)
                found[i] += detector.find(spot({200 + 32 * static_cast<int>(i), 120}, {64, 48}), 0.8).size();
        });
    for (std::thread &thread : threads)
        thread.join();
    for (const size_t count : found)
        ck_assert_uint_eq(count, 5);
}

AIANIME_TEST(other_files_are_refused) {
    expect_error([] { YunetDetector("/nowhere.onnx"); }, AIANIME_NOT_FOUND, "no such file");
    expect_error([] { SfaceRecognizer("/nowhere.onnx"); }, AIANIME_NOT_FOUND, "no such file");
    expect_error([] { YunetDetector(file("recognizer.onnx")); }, AIANIME_BAD_DATA, "is not a YuNet detector");
    expect_error([] { SfaceRecognizer(file("short.onnx")); }, AIANIME_BAD_DATA, "64 numbers, not 128");
    expect_error([] { SfaceRecognizer(file("cells.onnx")); }, AIANIME_BAD_DATA, "is not an SFace recognizer");
    TempFolder folder;
    write_file(folder.path("text.onnx"), "not a network\n");
    write_file(folder.path("empty.onnx"), "");
    const cv::Mat picture = cv::imread(tests_folder() + "/golden/face/astronaut.png");
    std::vector<unsigned char> png;
    cv::imencode(".png", picture, png);
    write_file(folder.path("png.onnx"), std::string(png.begin(), png.end()));
    for (const char *name : {"text.onnx", "empty.onnx", "png.onnx"}) {
        expect_error([&] { YunetDetector detector(folder.path(name)); }, AIANIME_BAD_DATA, name);
        expect_error([&] { SfaceRecognizer recognizer(folder.path(name)); }, AIANIME_BAD_DATA, name);
    }
    expect_error(
        [&] {
            pipeline::FaceFinder(models(), at::kCPU, {}, {folder.path("text.onnx"), ""});
        },
        AIANIME_BAD_DATA, "text.onnx");
}

// A file that was cut off at any place.
AIANIME_TEST(half_a_file) {
    FILE *stream = std::fopen(file("cells.onnx").c_str(), "rb");
    ck_assert_ptr_nonnull(stream);
    std::string bytes(64 * 1024, '\0');
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), stream));
    std::fclose(stream);
    TempFolder folder;
    for (size_t length = 7; length < bytes.size(); length += bytes.size() / 23) {
        write_file(folder.path("half.onnx"), bytes.substr(0, length));
        expect_error([&] { YunetDetector detector(folder.path("half.onnx")); }, AIANIME_BAD_DATA, "half.onnx");
    }
}

AIANIME_TEST(the_real_files) {
    const char *yunet = std::getenv("AIANIME_TEST_YUNET"), *sface = std::getenv("AIANIME_TEST_SFACE");
    if (!yunet || !sface) {
        print_skip("AIANIME_TEST_YUNET and AIANIME_TEST_SFACE name no files");
        return;
    }
    const pipeline::FaceFinder built_in(models(), at::kCPU), finder(models(), at::kCPU, {}, {yunet, sface});
    const cv::Mat rgb = astronaut();
    cv::Mat changed;
    cv::flip(rgb, changed, 1);
    changed.convertTo(changed, -1, 0.8, 30);
    const std::vector<pipeline::Face> faces = finder.find(rgb), other = finder.find(changed);
    ck_assert_uint_eq(faces.size(), 1);
    ck_assert_uint_eq(other.size(), 1);
    const cv::Rect2f box = faces[0].box, known = built_in.find(rgb).at(0).box;
    ck_assert_float_gt((box & known).area(), 0.5f * (box | known).area());
    ck_assert_float_lt(pipeline::face_distance(faces[0], other[0]), 0.5f);
}

int main() {
    return run_suite("opencv_faces", {yunet_of_2023, yunet_of_2022, sface, chosen_in_a_finder, several_threads,
                                      other_files_are_refused, half_a_file, the_real_files});
}
