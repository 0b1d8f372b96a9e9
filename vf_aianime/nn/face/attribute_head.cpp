// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/face/attribute_head.h"

#include "io/error.h"
#include "io/safetensors_writer.h"
#include "io/sha256.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr const char *format = "aianime.face_attribute";
constexpr const char *own = "own";
constexpr size_t most_classes = 1000;

std::vector<std::string> split(const std::string &text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == '/')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::string metadata(const io::SafetensorsFile &file, const char *key) {
    const auto entry = file.metadata().find(key);
    return entry == file.metadata().end() ? "" : entry->second;
}

at::Tensor plain(const at::Tensor &tensor) { return tensor.detach().to(at::kCPU, at::kFloat).contiguous(); }

} // namespace

AttributeHead::AttributeHead(std::string name, std::vector<std::string> classes, bool own_trunk)
    : head(FaceFeatures::features, static_cast<int64_t>(classes.size())), name_(std::move(name)), classes_(std::move(classes)) {
    child("head", head);
    if (own_trunk)
        child("trunk", *(trunk = std::make_unique<FaceFeatures>()));
}

std::unique_ptr<AttributeHead> AttributeHead::load(const std::string &path, FaceFeatures &shared, at::Device device) {
    const io::SafetensorsFile file(path);
    const std::vector<std::string> classes = split(metadata(file, "classes"));
    if (metadata(file, "format") != format || metadata(file, "name").empty() || classes.size() < 2 || classes.size() > most_classes)
        throw Error(AIANIME_BAD_DATA, path + ": is no head for faces; `aianime train attributes` makes them");
    const std::string trunk = metadata(file, "trunk");
    auto result = std::make_unique<AttributeHead>(metadata(file, "name"), classes, trunk == own);
    if (trunk != own && trunk != trunk_hash(shared))
        throw Error(AIANIME_BAD_DATA, path + ": was trained on another age_gender network; train it again, or with its own trunk");
    load_face_network(*result, WeightSource::from_file(path), device);
    return result;
}

void AttributeHead::save(const std::string &path, FaceFeatures &shared) {
    std::map<std::string, at::Tensor> kept;
    std::map<std::string, io::TensorData> tensors;
    visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &shape) {
        const at::Tensor &values = kept[name] = plain(tensor);
        tensors[name] = {io::DType::f32, shape, values.const_data_ptr()};
    });
    std::string classes;
    for (const std::string &name : classes_)
        classes += (classes.empty() ? "" : "/") + name;
    io::write_safetensors(
        path, tensors,
        {{"format", format}, {"name", name_}, {"classes", classes}, {"trunk", trunk ? std::string(own) : trunk_hash(shared)}});
}

at::Tensor AttributeHead::forward(const at::Tensor &faces, const at::Tensor &features) const {
    return head.forward(trunk ? trunk->forward(faces) : features);
}

std::string trunk_hash(FaceFeatures &trunk) {
    io::Sha256 hash;
    trunk.visit([&hash](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        if (name.compare(0, 3, "fc.") == 0)
            return;
        const at::Tensor values = plain(tensor);
        hash.update(values.const_data_ptr(), static_cast<size_t>(values.nbytes()));
    });
    return hash.hex();
}

} // namespace aianime::nn
