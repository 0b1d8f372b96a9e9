// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/judges.h"

#include <ATen/core/grad_mode.h>

#include "io/paths.h"
#include "nn/aten.h"
#include "nn/clip_vision.h"
#include "nn/weights.h"
#include "pipeline/faces.h"
#include "pipeline/picture_tensor.h"
#include "train/identity.h"

namespace aianime::eval {

namespace {

constexpr float least_face = 32; // pixels of a face's height, below which nobody is told from another

std::shared_ptr<nn::ClipVision> load_tower(const std::string &path) {
    const bool folder = io::is_folder(io::real_path(path));
    const nn::WeightSource source = folder ? nn::WeightSource::from_folder(path) : nn::WeightSource::from_file(path);
    auto tower =
        std::make_shared<nn::ClipVision>(folder ? io::Json::load(path + "/config.json") : nn::ClipVision::config_of(source));
    tower->load(source, at::kFloat, at::kCPU);
    return tower;
}

struct Faces {
    explicit Faces(const std::string &folder) : finder(folder, at::kCPU), judge(folder, at::kCPU) {}

    std::vector<vision::FacePoints> find(const cv::Mat &source) const {
        std::vector<vision::FacePoints> points;
        for (const pipeline::Face &face : finder.find_points(source))
            if (face.box.height >= least_face)
                points.push_back(face.points);
        return points;
    }
    at::Tensor descriptors(const cv::Mat &picture, const std::vector<vision::FacePoints> &points) const {
        const at::Tensor one = pipeline::to_tensor(picture);
        return judge.descriptors(one.expand({static_cast<int64_t>(points.size()), -1, -1, -1}), points);
    }

    pipeline::FaceFinder finder;
    train::IdentityJudge judge;
};

} // namespace

std::function<std::vector<float>(const cv::Mat &picture)> clip_judge(const std::string &path) {
    return [tower = load_tower(path)](const cv::Mat &picture) {
        const at::NoGradGuard no_gradient;
        at::Tensor embedding = tower->forward(tower->preprocess(pipeline::to_tensor(picture))).embedding[0].to(at::kFloat);
        embedding = (embedding / embedding.norm().clamp_min(1e-12)).contiguous();
        const float *numbers = embedding.const_data_ptr<float>();
        return std::vector<float>(numbers, numbers + embedding.numel());
    };
}

std::function<std::vector<double>(const std::vector<cv::Mat> &pictures)> face_judge(const std::string &folder, size_t every) {
    const auto faces = std::make_shared<Faces>(folder);
    const auto asked = std::make_shared<size_t>(0);
    return [faces, asked, every](const std::vector<cv::Mat> &pictures) {
        std::vector<double> scores(pictures.size(), no_score);
        if ((*asked)++ % every != 0)
            return scores;
        const at::NoGradGuard no_gradient;
        const std::vector<vision::FacePoints> points = faces->find(pictures[0]);
        if (points.empty())
            return scores;
        const at::Tensor source = faces->descriptors(pictures[0], points);
        for (size_t i = 0; i < pictures.size(); i++)
            if (!pictures[i].empty())
                scores[i] = 1 - train::likeness(source, faces->descriptors(pictures[i], points)).distance;
        return scores;
    };
}

} // namespace aianime::eval
