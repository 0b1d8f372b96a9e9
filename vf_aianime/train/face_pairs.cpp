// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/face_pairs.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>

#include "io/error.h"
#include "nn/aten.h"
#include "pipeline/faces.h"

namespace aianime::train {

namespace {

constexpr float least_side = 40; // pixels between which a face still has features of its own

// A square around the face, somewhat to one side, that lies in the picture.
cv::Rect square_around(const vision::FacePoints &points, cv::Size picture, Draw &draw) {
    const cv::Rect2f box = vision::points_box(points);
    const double largest = std::min(picture.width, picture.height);
    const double side = std::min(largest, draw.between(1.3, 2.2) * std::max(box.width, box.height));
    const auto place = [&](double center, double length) {
        return std::clamp(center - side / 2 + draw.between(-0.1, 0.1) * side, 0.0, length - side);
    };
    return {static_cast<int>(place(box.x + box.width / 2, picture.width)),
            static_cast<int>(place(box.y + box.height / 2, picture.height)), static_cast<int>(side), static_cast<int>(side)};
}

Pair scaled(const Pair &pair, const cv::Rect &place, int side) {
    const auto part = [&](const cv::Mat &whole) {
        cv::Mat out;
        cv::resize(whole(place), out, {side, side}, 0, 0, place.width > side ? cv::INTER_AREA : cv::INTER_LINEAR);
        return out;
    };
    return {part(pair.source), {part(pair.base.flat), part(pair.base.lines), part(pair.base.marks)}};
}

} // namespace

FacePairs::FacePairs(const PairSet &pairs, const std::string &faces, const Report &report) : pairs_(pairs) {
    const pipeline::FaceFinder finder(faces, at::kCPU);
    for (size_t i = 0; i < pairs.size() && !report.stopped(); i++)
        for (const pipeline::Face &face : finder.find_points(pairs[i].source, 0.6))
            if (std::min(face.box.width, face.box.height) >= least_side)
                places_.push_back({i, face.points, face.box});
    report.say("identity: " + std::to_string(places_.size()) + " faces in " + std::to_string(pairs.size()) + " pairs");
    if (places_.empty() && !report.stopped())
        throw Error(AIANIME_BAD_DATA, "identity: none of the pictures shows a face of " +
                                          std::to_string(static_cast<int>(least_side)) +
                                          " pixels; leave the stage out or add such pictures");
}

FacePairs::FaceBatch FacePairs::batch(int64_t pictures, int side, uint64_t seed) const {
    BatchOptions options;
    options.side = side;
    options.empty_prompts = 0;
    options.free_palettes = 0;
    std::vector<Example> examples;
    FaceBatch all;
    for (int64_t i = 0; i < pictures; i++) {
        Draw draw(mix(seed, static_cast<uint64_t>(i)));
        const Place &place = places_[static_cast<size_t>(draw.below(static_cast<int64_t>(places_.size())))];
        const Pair &pair = pairs_[place.pair];
        const cv::Rect square = square_around(place.points, pair.source.size(), draw);
        examples.push_back(whole_example(scaled(pair, square, side), options, draw));
        vision::FacePoints points = place.points;
        for (cv::Point2f &point : points)
            point = (point - cv::Point2f(square.tl())) * (static_cast<float>(side) / static_cast<float>(square.width));
        all.points.push_back(points);
        const cv::Point2f corner = (place.box.tl() - cv::Point2f(square.tl())) / static_cast<float>(square.width);
        all.boxes.emplace_back(corner, place.box.size() / static_cast<float>(square.width));
    }
    all.batch = batch_of(examples);
    return all;
}

} // namespace aianime::train
