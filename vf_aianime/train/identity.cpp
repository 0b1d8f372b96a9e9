// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/identity.h"

#include <filesystem>

#include "io/atomic_file.h"
#include "io/error.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "train/state_file.h"

namespace aianime::train {

namespace {

constexpr double border = 0.6; // dlib's, for its own network

} // namespace

IdentityJudge::IdentityJudge(const std::string &faces, at::Device device) {
    nn::load_face_network(recognition_, nn::WeightSource::from_file(faces + "/recognition.safetensors"), device);
}

at::Tensor IdentityJudge::descriptors(const at::Tensor &pictures, const std::vector<vision::FacePoints> &points) const {
    if (pictures.size(0) != static_cast<int64_t>(points.size()))
        throw Error(AIANIME_INTERNAL, "as many faces as pictures are wanted");
    std::vector<at::Tensor> faces;
    for (size_t i = 0; i < points.size(); i++) {
        const vision::TurnedSquare square = vision::recognition_square(points[i]);
        const at::Tensor picture = pictures.narrow(0, static_cast<int64_t>(i), 1).to(at::kFloat);
        faces.push_back(
            nn::cut_turned(picture, square.centre.x, square.centre.y, square.side, square.angle, nn::FaceRecognition::side));
    }
    return recognition_.forward(at::cat(faces));
}

at::Tensor IdentityJudge::loss(const at::Tensor &pictures, const std::vector<vision::FacePoints> &points,
                               const at::Tensor &source) const {
    const at::Tensor found = descriptors(pictures, points);
    return (found - source.detach().to(found.options())).square().sum(1).mean() / (border * border);
}

Likeness likeness(const at::Tensor &a, const at::Tensor &b) {
    const at::Tensor x = a.detach().to(at::kCPU, at::kFloat), y = b.detach().to(at::kCPU, at::kFloat);
    return {(x - y).norm(2, {1}).mean().item<double>(), at::cosine_similarity(x, y, 1).mean().item<double>()};
}

void write_identity(nn::IdentityTokens &tokens, const std::string &folder) {
    std::filesystem::create_directories(folder);
    Parameters tensors;
    tokens.visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        tensors.emplace_back(name, tensor.detach());
    });
    write_bfloat16(folder + "/diffusion_pytorch_model.safetensors", tensors, {{"format", "pt"}});
    const std::string config = tokens.config().to_json();
    io::AtomicFile file(folder + "/config.json");
    file.write(config.data(), config.size());
    file.commit();
}

} // namespace aianime::train
