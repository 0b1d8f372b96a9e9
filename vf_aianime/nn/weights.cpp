// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/weights.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>
#include <system_error>

#include "io/error.h"
#include "io/file_kind.h"
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

int64_t elements(const std::vector<int64_t> &shape) {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

// Of all sides but the first.
int64_t row_elements(const std::vector<int64_t> &shape) { return shape.empty() ? 1 : elements({shape.begin() + 1, shape.end()}); }

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
    throw Error(AIANIME_FORBIDDEN, folder + "/" + pickle + ": a pickle" + io::convert_hint(folder + "/" + pickle));
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
        source.add(entry.first, 0);
    return source;
}

void WeightSource::add(const std::string &name, size_t file) {
    places_[name] = {file, {name, files_[file]->tensors().at(name).shape}};
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
    std::map<std::string, size_t> shard_of;
    for (const std::string &shard : read_index(folder, index, shard_of))
        source.files_.push_back(std::make_shared<io::SafetensorsFile>(io::resolve_below(folder, shard)));
    for (const auto &[name, shard] : shard_of) {
        if (!source.files_[shard]->tensors().count(name))
            throw Error(AIANIME_BAD_DATA, source.description_ + ": " + name + " is not in " + source.files_[shard]->path());
        source.add(name, shard);
    }
    return source;
}

WeightSource WeightSource::renamed(const std::map<std::string, WeightView> &views) const {
    WeightSource source;
    source.description_ = description_;
    source.files_ = files_;
    for (const auto &[name, view] : views) {
        const Place &old = place(view.name);
        const std::vector<int64_t> &whole = old.view.shape;
        const int64_t first = view.first_row, rows = elements(view.shape) / std::max<int64_t>(1, row_elements(whole));
        if (whole.empty() || elements(view.shape) != rows * row_elements(whole) || first < 0 || first + rows > whole.front())
            throw Error(AIANIME_BAD_DATA, description_ + ": " + view.name + " has not the shape that its name promises");
        source.places_[name] = {old.file, {old.view.name, view.shape, old.view.first_row + first}};
    }
    return source;
}

WeightSource WeightSource::joined(const std::string &prefix, const WeightSource &other, const std::string &other_prefix) const {
    WeightSource source;
    source.description_ = description_ + " and " + other.description_;
    source.files_ = files_;
    source.files_.insert(source.files_.end(), other.files_.begin(), other.files_.end());
    for (const auto &[name, place] : places_)
        source.places_[prefix + name] = place;
    for (const auto &[name, place] : other.places_)
        source.places_[other_prefix + name] = {place.file + files_.size(), place.view};
    return source;
}

std::vector<std::string> WeightSource::names() const {
    std::vector<std::string> names;
    for (const auto &entry : places_)
        names.push_back(entry.first);
    return names;
}

bool WeightSource::has(const std::string &name) const { return places_.count(name) != 0; }

const WeightSource::Place &WeightSource::place(const std::string &name) const {
    const auto found = places_.find(name);
    if (found == places_.end())
        throw Error(AIANIME_BAD_DATA, description_ + ": there is no tensor " + name);
    return found->second;
}

const io::TensorInfo &WeightSource::info(const Place &place) const { return files_[place.file]->tensors().at(place.view.name); }

std::vector<int64_t> WeightSource::shape(const std::string &name) const { return place(name).view.shape; }

at::ScalarType WeightSource::dtype(const std::string &name) const { return scalar_type(info(place(name)).dtype); }

at::Tensor WeightSource::tensor(const std::string &name, at::ScalarType dtype, at::Device device) const {
    const Place &found = place(name);
    const io::TensorInfo &whole = info(found);
    at::Tensor tensor = at::empty(whole.shape, at::TensorOptions(scalar_type(whole.dtype)));
    files_[found.file]->read(found.view.name, tensor.data_ptr());
    const std::vector<int64_t> &shape = found.view.shape;
    if (shape != whole.shape)
        tensor =
            tensor.flatten().slice(0, found.view.first_row * row_elements(whole.shape)).slice(0, 0, elements(shape)).view(shape);
    return tensor.to(device, dtype);
}

} // namespace aianime::nn
