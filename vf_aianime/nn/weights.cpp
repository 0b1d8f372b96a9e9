// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/weights.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "io/error.h"
#include "io/json.h"
#include "io/paths.h"
#include "nn/aten.h"

namespace aianime::nn {

namespace {

namespace fs = std::filesystem;

// An index lists one name a tensor; the largest known one has 2 MB.
constexpr size_t max_index_bytes = 16 * 1024 * 1024;

at::ScalarType scalar_type(io::DType dtype) {
    switch (dtype) {
    case io::DType::f32:
        return at::kFloat;
    case io::DType::f16:
        return at::kHalf;
    case io::DType::bf16:
        return at::kBFloat16;
    case io::DType::i64:
        return at::kLong;
    case io::DType::i32:
        return at::kInt;
    case io::DType::u8:
        return at::kByte;
    case io::DType::boolean:
        return at::kBool;
    }
    throw Error(AIANIME_INTERNAL, "weights: a tensor type without a counterpart");
}

bool exists(const std::string &path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

// The first pickle of a folder, "" when there is none.
std::string find_pickle(const std::string &folder) {
    static const std::vector<std::string> endings = {".bin", ".pt", ".pth", ".ckpt"};
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error))
        if (std::find(endings.begin(), endings.end(), file->path().extension().string()) != endings.end())
            found.push_back(file->path().filename().string());
    std::sort(found.begin(), found.end());
    return found.empty() ? "" : found.front();
}

[[noreturn]] void throw_no_weights(const std::string &folder) {
    if (!exists(folder))
        throw Error(AIANIME_NOT_FOUND, folder + ": no such folder");
    const std::string pickle = find_pickle(folder);
    if (pickle.empty())
        throw Error(AIANIME_NOT_FOUND, folder + ": no weights; expected diffusion_pytorch_model.safetensors or model.safetensors");
    const std::string stem = fs::path(pickle).stem().string() == "pytorch_model" ? "model" : fs::path(pickle).stem().string();
    throw Error(AIANIME_FORBIDDEN,
                folder + "/" + pickle +
                    ": a pickle can run code and is never opened; convert it on a machine you can lose: python3 -c \"import torch, "
                    "safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in torch.load('" +
                    pickle + "', weights_only=True).items()}, '" + stem + ".safetensors')\"");
}

// Names of the shards that an index lists, each once, and the shard every tensor is said to be in.
std::vector<std::string> read_index(const std::string &folder, const std::string &index, std::map<std::string, size_t> &shard_of) {
    const io::Json map = io::Json::load(folder + "/" + index, max_index_bytes).at("weight_map");
    std::vector<std::string> shards;
    for (const std::string &name : map.keys()) {
        const std::string shard = map.at(name).string();
        const auto place = std::find(shards.begin(), shards.end(), shard);
        shard_of[name] = static_cast<size_t>(place - shards.begin());
        if (place == shards.end())
            shards.push_back(shard);
    }
    return shards;
}

} // namespace

WeightSource WeightSource::from_file(const std::string &path) {
    WeightSource source;
    source.description_ = path;
    source.files_.push_back(std::make_shared<io::SafetensorsFile>(path));
    for (const auto &entry : source.files_.front()->tensors())
        source.file_of_[entry.first] = 0;
    return source;
}

WeightSource WeightSource::from_folder(const std::string &folder) {
    static const std::vector<std::string> single = {"diffusion_pytorch_model.safetensors", "model.safetensors",
                                                    "diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors"};
    static const std::vector<std::string> sharded = {
        "diffusion_pytorch_model.safetensors.index.json", "model.safetensors.index.json",
        "diffusion_pytorch_model.safetensors.index.fp16.json", "model.safetensors.index.fp16.json"};
    for (const std::string &name : single)
        if (exists(folder + "/" + name))
            return from_file(folder + "/" + name);
    for (const std::string &name : sharded)
        if (exists(folder + "/" + name))
            return from_index(folder, name);
    throw_no_weights(folder);
}

WeightSource WeightSource::from_index(const std::string &folder, const std::string &index) {
    WeightSource source;
    source.description_ = folder + "/" + index;
    for (const std::string &shard : read_index(folder, index, source.file_of_))
        source.files_.push_back(std::make_shared<io::SafetensorsFile>(io::resolve_below(folder, shard)));
    for (const auto &[name, shard] : source.file_of_)
        if (!source.files_[shard]->tensors().count(name))
            throw Error(AIANIME_BAD_DATA, source.description_ + ": " + name + " is not in " + source.files_[shard]->path());
    return source;
}

std::vector<std::string> WeightSource::names() const {
    std::vector<std::string> names;
    for (const auto &entry : file_of_)
        names.push_back(entry.first);
    return names;
}

bool WeightSource::has(const std::string &name) const { return file_of_.count(name) != 0; }

const io::TensorInfo &WeightSource::info(const std::string &name) const {
    const auto place = file_of_.find(name);
    if (place == file_of_.end())
        throw Error(AIANIME_BAD_DATA, description_ + ": there is no tensor " + name);
    return files_[place->second]->tensors().at(name);
}

std::vector<int64_t> WeightSource::shape(const std::string &name) const { return info(name).shape; }

at::Tensor WeightSource::tensor(const std::string &name, at::ScalarType dtype, at::Device device) const {
    const io::TensorInfo &found = info(name);
    at::Tensor tensor = at::empty(found.shape, at::TensorOptions(scalar_type(found.dtype)));
    files_[file_of_.at(name)]->read(name, tensor.data_ptr());
    return tensor.to(device, dtype);
}

} // namespace aianime::nn
