// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/control_picture.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>

#include "io/error.h"
#include "io/text.h"
#include "nn/annotators/annotator.h"
#include "nn/annotators/body_pose.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/picture_tensor.h"
#include "vision/pose.h"
#include "vision/preprocess.h"

namespace aianime::pipeline {

namespace {

using Preprocess = cv::Mat (*)(const cv::Mat &frame);

struct Type {
    const char *name;
    Preprocess preprocess; // null: a network
};

constexpr std::array<Type, 11> types = {{
    {"source", [](const cv::Mat &frame) { return frame.clone(); }},
    {"canny", [](const cv::Mat &frame) { return vision::canny_edges(frame); }},
    {"tile", [](const cv::Mat &frame) { return vision::tile_picture(frame); }},
    {"blur", [](const cv::Mat &frame) { return vision::gaussian_blur(frame); }},
    {"scribble", [](const cv::Mat &frame) { return vision::scribble_lines(frame); }},
    {"color", [](const cv::Mat &frame) { return vision::color_grid(frame); }},
    {"lineart", nullptr},
    {"lineart_anime", nullptr},
    {"softedge", nullptr},
    {"depth", nullptr},
    {"openpose", nullptr},
}};

const Type &find_type(const std::string &name) {
    for (const Type &type : types)
        if (name == type.name)
            return type;
    throw Error(AIANIME_BAD_DATA,
                "unknown type of control picture " + io::quoted(name) + io::suggestion(name, ControlPicture::names()));
}

class Preprocessed : public ControlPicture {
public:
    explicit Preprocessed(Preprocess preprocess) : preprocess_(preprocess) {}
    cv::Mat picture(const cv::Mat &frame) const override { return preprocess_(frame); }

private:
    Preprocess preprocess_;
};

class Annotated : public ControlPicture {
public:
    Annotated(const std::string &type, const std::string &file, at::Device device)
        : annotator_(nn::load_annotator(type, nn::WeightSource::from_file(file), device)) {}

    // The network sees the frame at the next larger size it can take; what it draws is brought back to the frame's.
    cv::Mat picture(const cv::Mat &frame) const override {
        const c10::InferenceMode inference;
        const cv::Mat seen = resized(frame, {network_side(frame.cols), network_side(frame.rows)});
        const cv::Mat drawn = to_picture(annotator_->annotate(to_tensor(seen)).repeat({1, 3, 1, 1}));
        return cv::max(0.0, cv::min(1.0, resized(drawn, frame.size())));
    }

private:
    static cv::Mat resized(const cv::Mat &picture, cv::Size size) {
        if (picture.size() == size)
            return picture;
        cv::Mat out;
        cv::resize(picture, out, size, 0, 0, cv::INTER_CUBIC);
        return out;
    }

    int network_side(int side) const {
        const int stride = static_cast<int>(annotator_->stride());
        return (std::max(side, smallest_side) + stride - 1) / stride * stride;
    }

    static constexpr int smallest_side = 64; // the networks' paddings and the reference's pictures

    std::unique_ptr<nn::Annotator> annotator_;
};

std::vector<cv::Mat> channels_of(const at::Tensor &maps) {
    std::vector<cv::Mat> channels;
    const at::Tensor rows = maps[0].to(at::kCPU, at::kFloat).contiguous();
    for (int64_t i = 0; i < rows.size(0); i++)
        channels.push_back(
            cv::Mat(static_cast<int>(rows.size(1)), static_cast<int>(rows.size(2)), CV_32F, rows[i].data_ptr()).clone());
    return channels;
}

class Posed : public ControlPicture {
public:
    Posed(const std::string &file, at::Device device) : network_(nn::load_body_pose(nn::WeightSource::from_file(file), device)) {}

    cv::Mat picture(const cv::Mat &frame) const override {
        const c10::InferenceMode inference;
        const vision::PoseInput input = vision::pose_input(frame);
        const nn::BodyPose::Maps maps = network_->forward(nn::like_weight(to_tensor(input.picture), network_->weight()));
        return vision::draw_people(vision::find_people({vision::pose_channels(channels_of(maps.affinity), input, frame.size()),
                                                        vision::pose_channels(channels_of(maps.heat), input, frame.size())}),
                                   frame.size());
    }

private:
    std::unique_ptr<nn::BodyPose> network_;
};

} // namespace

std::vector<std::string> ControlPicture::names() {
    std::vector<std::string> names;
    for (const Type &type : types)
        names.emplace_back(type.name);
    return names;
}

bool ControlPicture::wants_file(const std::string &type) { return !find_type(type).preprocess; }

std::unique_ptr<ControlPicture> ControlPicture::make(const std::string &type, const std::string &annotator_file,
                                                     at::Device device) {
    const Type &found = find_type(type);
    if (found.preprocess && !annotator_file.empty())
        throw Error(AIANIME_BAD_DATA,
                    annotator_file + ": control pictures of type \"" + type + "\" need no annotator; leave it out");
    if (found.preprocess)
        return std::make_unique<Preprocessed>(found.preprocess);
    if (annotator_file.empty())
        throw Error(AIANIME_BAD_DATA, "control pictures of type \"" + type + "\" need an annotator: " + nn::annotator_file(type) +
                                          " as safetensors (tools/convert_pickle.py makes it)");
    if (type == "openpose")
        return std::make_unique<Posed>(annotator_file, device);
    return std::make_unique<Annotated>(type, annotator_file, device);
}

} // namespace aianime::pipeline
