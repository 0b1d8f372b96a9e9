// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/wd_tagger.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <opencv2/imgproc.hpp>

#include "caption/rgb_tensor.h"
#include "caption/selected_tags.h"
#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/vit_tagger.h"
#include "nn/weights.h"

namespace aianime::caption {

namespace fs = std::filesystem;

namespace {

constexpr const char *list_name = "selected_tags.csv";
constexpr double least_character_cut = 0.15;
// The network makes a square of a picture first; a long strip must not take all memory.
constexpr int largest_side = 4096;

bool exists(const std::string &path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::string folder_of(const std::string &path) {
    if (io::is_folder(path))
        return path;
    const std::string parent = fs::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

nn::WeightSource open_weights(const std::string &path) {
    if (!exists(path))
        throw Error(AIANIME_NOT_FOUND, io::printable(path) + ": no such file or folder");
    if (!io::is_folder(path))
        return nn::WeightSource::from_file(path);
    if (!exists(path + "/model.safetensors") && exists(path + "/model.onnx"))
        throw Error(AIANIME_NOT_FOUND, io::printable(path) + ": model.onnx is not read; model.safetensors from the same place is");
    return nn::WeightSource::from_folder(path);
}

nn::VitTagger make_network(const std::string &folder, const nn::WeightSource &source) {
    const std::string config = folder + "/config.json";
    return nn::VitTagger(exists(config) ? io::Json::load(config) : nn::VitTagger::config_of(source));
}

void check(const char *name, double threshold) {
    if (!(threshold >= 0 && threshold <= 1))
        throw Error(AIANIME_OUT_OF_RANGE, std::string("tagger: the threshold of ") + name + " tags, " + std::to_string(threshold) +
                                              ", is not between 0 and 1");
}

cv::Mat bounded(const cv::Mat &rgb) {
    const int side = std::max(rgb.rows, rgb.cols);
    if (side <= largest_side)
        return rgb;
    const auto scaled = [side](int length) { return std::max(1, static_cast<int>(int64_t{length} * largest_side / side)); };
    cv::Mat smaller;
    cv::resize(rgb, smaller, {scaled(rgb.cols), scaled(rgb.rows)}, 0, 0, cv::INTER_AREA);
    return smaller;
}

std::vector<float> probabilities_of(const std::vector<Tag> &tags, bool character) {
    std::vector<float> found;
    for (const Tag &tag : tags)
        if (tag.character == character)
            found.push_back(tag.probability);
    return found;
}

} // namespace

double best_cut(std::vector<float> probabilities) {
    if (probabilities.size() < 2)
        return 0;
    std::sort(probabilities.begin(), probabilities.end(), std::greater<>());
    size_t widest = 0;
    const auto gap = [&probabilities](size_t i) { return probabilities[i] - probabilities[i + 1]; };
    for (size_t i = 1; i + 1 < probabilities.size(); ++i)
        if (gap(i) > gap(widest))
            widest = i;
    return (static_cast<double>(probabilities[widest]) + probabilities[widest + 1]) / 2;
}

struct WdTagger::Impl {
    Impl(const std::string &path, const nn::WeightSource &source, at::ScalarType dtype, at::Device on,
         const WdTaggerSettings &wanted)
        : settings(wanted), device(on), network(make_network(folder_of(path), source)) {
        const std::string list = folder_of(path) + "/" + list_name;
        if (!exists(list))
            throw Error(AIANIME_NOT_FOUND,
                        io::printable(list) + ": missing; it comes with the tagger's weights and stands beside them");
        names = read_tag_list(list);
        if (static_cast<int64_t>(names.size()) != network.classes())
            throw Error(AIANIME_BAD_DATA, io::printable(list) + ": " + std::to_string(names.size()) +
                                              " tags, but the network tells " + std::to_string(network.classes()) +
                                              "; the two do not belong together");
        network.load(source, dtype, device);
    }

    WdTaggerSettings settings;
    at::Device device;
    nn::VitTagger network;
    std::vector<TagName> names;
};

WdTagger::WdTagger(const std::string &path, at::ScalarType dtype, at::Device device, const WdTaggerSettings &settings) {
    check("general", settings.general);
    check("character", settings.character);
    impl_ = std::make_unique<Impl>(path, open_weights(path), dtype, device, settings);
}

WdTagger::~WdTagger() = default;

std::vector<Tag> WdTagger::rank(const cv::Mat &rgb) const {
    const c10::InferenceMode inference;
    const nn::VitTagger &network = impl_->network;
    const at::Tensor pixels = network.preprocess(rgb_tensor(bounded(rgb)).to(impl_->device));
    const at::Tensor found = at::sigmoid(network.forward(pixels).to(at::kCPU, at::kFloat)).flatten().contiguous();
    if (!at::isfinite(found).all().item<bool>())
        throw Error(AIANIME_NOT_FINITE, "tagger: the network's numbers are not finite");
    const float *probability = found.data_ptr<float>();
    std::vector<Tag> tags;
    for (size_t i = 0; i < impl_->names.size(); ++i)
        if (impl_->names[i].category != TagCategory::rating)
            tags.push_back({impl_->names[i].text, probability[i], impl_->names[i].category == TagCategory::character});
    std::stable_sort(tags.begin(), tags.end(), [](const Tag &a, const Tag &b) { return a.probability > b.probability; });
    return tags;
}

std::vector<Tag> WdTagger::tags(const cv::Mat &rgb) const {
    std::vector<Tag> tags = rank(rgb);
    double general = impl_->settings.general, character = impl_->settings.character;
    if (impl_->settings.best_cut) {
        general = best_cut(probabilities_of(tags, false));
        character = std::max(least_character_cut, best_cut(probabilities_of(tags, true)));
    }
    const auto below = [&](const Tag &tag) { return tag.probability <= (tag.character ? character : general); };
    tags.erase(std::remove_if(tags.begin(), tags.end(), below), tags.end());
    return tags;
}

std::string WdTagger::caption(const cv::Mat &rgb) const {
    std::string text;
    for (const Tag &tag : tags(rgb))
        text += (text.empty() ? "" : ", ") + tag.text;
    return text;
}

} // namespace aianime::caption
