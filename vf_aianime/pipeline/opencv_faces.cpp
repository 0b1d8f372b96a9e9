// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/opencv_faces.h"

#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect/face.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <numeric>

#include "io/error.h"
#include "io/text.h"

namespace aianime::pipeline {

namespace {

constexpr int longest = 640, most_boxes = 5000;
constexpr float most_overlap = 0.3f;
constexpr std::array<int, 3> strides = {8, 16, 32};

[[noreturn]] void refuse(const std::string &file, const std::string &wanted, const std::string &why) {
    throw Error(AIANIME_BAD_DATA, io::quoted(file) + " is not " + wanted + ": " + io::printable(why));
}

void must_exist(const std::string &file) {
    std::error_code code;
    if (!std::filesystem::is_regular_file(file, code))
        throw Error(AIANIME_NOT_FOUND, io::quoted(file) + ": there is no such file");
}

// Boxes of one stride's cells, see YuNet's published post-processing: the corner of a cell, an offset and a logarithmic size in
// cells.
void decode(const cv::Mat &sure, const cv::Mat &there, const cv::Mat &place, int stride, int columns, double least_score,
            std::vector<cv::Rect2d> &boxes, std::vector<float> &scores) {
    const auto *face = sure.ptr<float>(), *object = there.ptr<float>(), *code = place.ptr<float>();
    for (size_t i = 0; i < sure.total(); i++, code += 4) {
        const float score = std::sqrt(std::clamp(face[i], 0.0f, 1.0f) * std::clamp(object[i], 0.0f, 1.0f));
        if (!(score >= least_score))
            continue;
        const auto row = static_cast<double>(i / static_cast<size_t>(columns)),
                   column = static_cast<double>(i % static_cast<size_t>(columns));
        const double width = std::exp(std::min(static_cast<double>(code[2]), 10.0)) * stride,
                     height = std::exp(std::min(static_cast<double>(code[3]), 10.0)) * stride;
        boxes.emplace_back((column + code[0]) * stride - width / 2, (row + code[1]) * stride - height / 2, width, height);
        scores.push_back(score);
    }
}

} // namespace

struct YunetDetector::Network {
    explicit Network(const std::string &path) : file(path) {}

    std::vector<ScoredBox> look(const cv::Mat &seen, double least_score);
    std::vector<ScoredBox> look_by_opencv(const cv::Mat &seen, double least_score);
    std::vector<ScoredBox> look_by_cells(const cv::Mat &seen, double least_score);

    const std::string file;
    std::mutex mutex;
    cv::Ptr<cv::FaceDetectorYN> whole; // for files of 2022; else
    cv::dnn::Net net;
};

YunetDetector::YunetDetector(const std::string &file) : network_(std::make_unique<Network>(file)) {
    must_exist(file);
    try {
        network_->net = cv::dnn::readNetFromONNX(file);
        const std::vector<std::string> outputs = network_->net.getUnconnectedOutLayersNames();
        const auto has = [&](const char *name) { return std::find(outputs.begin(), outputs.end(), name) != outputs.end(); };
        if (has("loc") && has("conf") && has("iou"))
            network_->whole = cv::FaceDetectorYN::create(file, "", {64, 64}, 0.5f, most_overlap, most_boxes);
        else if (!has("cls_8") || !has("obj_8") || !has("bbox_8"))
            refuse(file, "a YuNet detector", "it has neither the outputs loc, conf and iou nor cls_8, obj_8 and bbox_8");
        network_->look(cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(90)), 0.5);
    } catch (const cv::Exception &error) {
        refuse(file, "a YuNet detector that this OpenCV reads", error.err);
    }
}

YunetDetector::~YunetDetector() = default;

std::vector<ScoredBox> YunetDetector::Network::look(const cv::Mat &seen, double least_score) {
    const std::lock_guard<std::mutex> lock(mutex);
    return whole ? look_by_opencv(seen, least_score) : look_by_cells(seen, least_score);
}

std::vector<ScoredBox> YunetDetector::Network::look_by_opencv(const cv::Mat &seen, double least_score) {
    whole->setInputSize(seen.size());
    whole->setScoreThreshold(static_cast<float>(least_score));
    cv::Mat rows;
    whole->detect(seen, rows);
    std::vector<ScoredBox> found;
    for (int i = 0; i < rows.rows; i++) {
        const auto *row = rows.ptr<float>(i);
        found.push_back({{row[0], row[1], row[2], row[3]}, row[rows.cols - 1]});
    }
    return found;
}

std::vector<ScoredBox> YunetDetector::Network::look_by_cells(const cv::Mat &seen, double least_score) {
    constexpr int multiple = 32;
    const int right = (multiple - seen.cols % multiple) % multiple, below = (multiple - seen.rows % multiple) % multiple;
    cv::Mat padded;
    cv::copyMakeBorder(seen, padded, 0, below, 0, right, cv::BORDER_CONSTANT, cv::Scalar::all(0));
    std::vector<cv::String> names;
    for (const char *kind : {"cls_", "obj_", "bbox_"})
        for (const int stride : strides)
            names.push_back(kind + std::to_string(stride));
    net.setInput(cv::dnn::blobFromImage(padded));
    std::vector<cv::Mat> outputs;
    net.forward(outputs, names);
    std::vector<cv::Rect2d> boxes;
    std::vector<float> scores;
    for (size_t i = 0; i < strides.size(); i++) {
        const int columns = padded.cols / strides[i];
        const auto cells = static_cast<size_t>(columns * (padded.rows / strides[i]));
        const cv::Mat &sure = outputs[i], &there = outputs[i + 3], &place = outputs[i + 6];
        if (sure.total() != cells || there.total() != cells || place.total() != 4 * cells || sure.depth() != CV_32F)
            refuse(file, "a YuNet detector", "its outputs have other sizes");
        decode(sure, there, place, strides[i], columns, least_score, boxes, scores);
    }
    std::vector<int> kept;
    cv::dnn::NMSBoxes(boxes, scores, static_cast<float>(least_score), most_overlap, kept, 1, most_boxes);
    std::vector<ScoredBox> found;
    for (const int i : kept)
        found.push_back({cv::Rect2f(boxes[static_cast<size_t>(i)]), scores[static_cast<size_t>(i)]});
    return found;
}

std::vector<ScoredBox> YunetDetector::find(const cv::Mat &bgr, double least_score) const {
    cv::Mat seen = bgr;
    const int side = std::max(bgr.cols, bgr.rows);
    if (side > longest)
        cv::resize(bgr, seen, {std::max(bgr.cols * longest / side, 1), std::max(bgr.rows * longest / side, 1)}, 0, 0,
                   cv::INTER_AREA);
    std::vector<ScoredBox> found;
    try {
        found = network_->look(seen, least_score);
    } catch (const cv::Exception &error) {
        refuse(network_->file, "a YuNet detector that this OpenCV runs", error.err);
    }
    const float scale = static_cast<float>(bgr.cols) / static_cast<float>(seen.cols);
    const cv::Rect2f whole(0, 0, static_cast<float>(bgr.cols), static_cast<float>(bgr.rows));
    for (ScoredBox &one : found)
        one.box = cv::Rect2f(one.box.tl() * scale, one.box.br() * scale) & whole;
    found.erase(std::remove_if(found.begin(), found.end(),
                               [](const ScoredBox &one) { return !(one.box.width >= 1 && one.box.height >= 1); }),
                found.end());
    std::stable_sort(found.begin(), found.end(), [](const ScoredBox &a, const ScoredBox &b) { return a.score > b.score; });
    return found;
}

struct SfaceRecognizer::Network {
    explicit Network(const std::string &path) : file(path) {}

    cv::Mat feature(const cv::Mat &bgr, const cv::Mat &place) {
        const std::lock_guard<std::mutex> lock(mutex);
        cv::Mat aligned, out;
        recognizer->alignCrop(bgr, place, aligned);
        recognizer->feature(aligned, out);
        return out;
    }

    const std::string file;
    std::mutex mutex;
    cv::Ptr<cv::FaceRecognizerSF> recognizer;
};

SfaceRecognizer::SfaceRecognizer(const std::string &file) : network_(std::make_unique<Network>(file)) {
    must_exist(file);
    vision::FacePoints upright{};
    std::fill(upright.begin(), upright.end(), cv::Point2f(32, 44));
    std::fill(upright.begin() + 36, upright.begin() + 42, cv::Point2f(20, 24));
    std::fill(upright.begin() + 42, upright.begin() + 48, cv::Point2f(44, 24));
    upright[30] = {32, 36};
    upright[48] = {24, 48};
    upright[54] = {40, 48};
    try {
        network_->recognizer = cv::FaceRecognizerSF::create(file, "");
    } catch (const cv::Exception &error) {
        refuse(file, "an SFace recognizer that this OpenCV reads", error.err);
    }
    describe(cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(90)), upright);
}

SfaceRecognizer::~SfaceRecognizer() = default;

std::array<float, 128> SfaceRecognizer::describe(const cv::Mat &bgr, const vision::FacePoints &points) const {
    const auto middle = [&](size_t first) {
        return std::accumulate(points.begin() + first, points.begin() + first + 6, cv::Point2f()) * (1.0f / 6);
    };
    // Of a detector's row only the five points are looked at, from the fifth number on.
    cv::Mat place = cv::Mat::zeros(1, 15, CV_32FC1);
    const std::array<cv::Point2f, 5> five = {middle(36), middle(42), points[30], points[48], points[54]};
    for (int i = 0; i < 5; i++) {
        place.at<float>(4 + 2 * i) = five[static_cast<size_t>(i)].x;
        place.at<float>(5 + 2 * i) = five[static_cast<size_t>(i)].y;
    }
    cv::Mat feature;
    try {
        feature = network_->feature(bgr, place);
    } catch (const cv::Exception &error) {
        refuse(network_->file, "an SFace recognizer that this OpenCV runs", error.err);
    }
    std::array<float, 128> descriptor{};
    if (feature.total() != descriptor.size() || feature.depth() != CV_32F)
        refuse(network_->file, "an SFace recognizer", "it gives " + std::to_string(feature.total()) + " numbers, not 128");
    constexpr float length = 0.55f;
    const auto norm = static_cast<float>(cv::norm(feature));
    const auto *values = feature.ptr<float>();
    for (size_t i = 0; i < descriptor.size(); i++)
        descriptor[i] = norm > 0 ? values[i] / norm * length : 0;
    return descriptor;
}

} // namespace aianime::pipeline
