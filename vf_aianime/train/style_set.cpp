// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/style_set.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>

#include "io/error.h"
#include "io/file.h"
#include "io/safetensors_writer.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/picture_tensor.h"
#include "train/buckets.h"
#include "train/random.h"
#include "train/style_hint.h"

namespace aianime::train {

namespace fs = std::filesystem;

namespace {

// Below the folder, without the extension: what a picture and its source share.
std::string stem_below(const std::string &folder, const std::string &path) {
    fs::path relative = fs::path(path).lexically_relative(folder);
    return relative.replace_extension().generic_string();
}

cv::Mat as_float(const cv::Mat &picture) {
    cv::Mat out;
    picture.convertTo(out, CV_32FC3, 1 / 255.0);
    return out;
}

std::string joined_prompt(const std::string &trigger, const std::string &caption) {
    return trigger.empty() || caption.empty() ? trigger + caption : trigger + ", " + caption;
}

// Tells autoencoders apart: what one makes of a picture with a bit of everything.
uint64_t probe(const nn::Autoencoder &vae, at::Device device) {
    const int64_t side = 4 * vae.stride();
    const at::Tensor ramp = at::sin(at::arange(3 * side * side, at::kFloat) * 0.37).view({1, 3, side, side});
    const at::Tensor latent = vae.encode(ramp.to(device)).to(at::kCPU, at::kFloat).contiguous();
    return text_hash(std::string(static_cast<const char *>(latent.const_data_ptr()), latent.nbytes()));
}

std::string hexadecimal(uint64_t number) {
    char text[24];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
    return text;
}

at::Tensor encoded(const nn::Autoencoder &vae, const cv::Mat &picture, at::Device device) {
    const at::Tensor pixels = pipeline::to_tensor(picture).to(device) * 2 - 1;
    return vae.encode(pixels.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kCPU, at::kFloat).contiguous();
}

const std::vector<int64_t> &shape_of(const io::SafetensorsFile &kept, const std::string &name, io::DType dtype) {
    const auto found = kept.tensors().find(name);
    if (found == kept.tensors().end() || found->second.dtype != dtype)
        throw Error(AIANIME_BAD_DATA, kept.path() + ": not latents of this run; remove it");
    return found->second.shape;
}

void shuffle(std::vector<size_t> &list, Draw &draw) {
    for (size_t i = list.size(); i > 1; i--)
        std::swap(list[i - 1], list[static_cast<size_t>(draw.below(static_cast<int64_t>(i)))]);
}

} // namespace

StyleSet::StyleSet(const StyleSetOptions &options, const Report &report) : options_(options), pictures_(options.pictures, report) {
    if (!options.sources.empty())
        sources_ = std::make_unique<PictureFolder>(options.sources, report);
    add_items(report);
    if (items_.empty())
        throw Error(AIANIME_BAD_DATA, options.pictures + ": every picture is smaller than " + std::to_string(options.step) + "x" +
                                          std::to_string(options.step) + " pixels");
    std::map<std::pair<int, int>, int64_t> counts;
    for (const Item &item : items_) {
        fingerprint_ = mix(fingerprint_, text_hash(item.key), text_hash(item.prompt));
        counts[{item.bucket.width, item.bucket.height}]++;
    }
    for (const auto &entry : counts)
        batches_ += (entry.second + options.batch - 1) / options.batch;
}

void StyleSet::add_items(const Report &report) {
    std::map<std::string, size_t> sources;
    for (size_t i = 0; sources_ && i < sources_->size(); i++)
        sources[stem_below(options_.sources, sources_->path(i))] = i;
    for (size_t i = 0; i < pictures_.size(); i++) {
        const cv::Size bucket = choose_bucket(pictures_.extent(i), options_.side, options_.step);
        if (bucket.empty()) {
            report.say(pictures_.path(i) + ": smaller than " + std::to_string(options_.step) + "x" + std::to_string(options_.step) +
                       " pixels; left out");
            continue;
        }
        Item item{i, 0, bucket, joined_prompt(options_.trigger, pictures_.caption(i)), {}, {}};
        item.key = io::sha256_of_file(pictures_.path(i));
        if (sources_) {
            item.source = find_source(sources, i);
            item.key += " " + io::sha256_of_file(sources_->path(item.source));
        } else if (options_.own_hints) {
            item.key += " own";
        }
        item.key += " " + std::to_string(bucket.width) + "x" + std::to_string(bucket.height) + (options_.flip ? " flip" : "");
        captions_ += !pictures_.caption(i).empty();
        items_.push_back(item);
    }
}

size_t StyleSet::find_source(const std::map<std::string, size_t> &sources, size_t picture) const {
    const std::string wanted = stem_below(options_.pictures, pictures_.path(picture));
    const auto found = sources.find(wanted);
    if (found == sources.end())
        throw Error(AIANIME_NOT_FOUND, options_.sources + ": there is no picture " + io::quoted(wanted) + " for " +
                                           pictures_.path(picture) + "; each picture needs its source under the same name");
    const cv::Size own = pictures_.extent(picture), other = sources_->extent(found->second);
    const double shapes = static_cast<double>(own.width) * other.height / (static_cast<double>(own.height) * other.width);
    if (std::abs(std::log(shapes)) > 0.02)
        throw Error(AIANIME_BAD_DATA, sources_->path(found->second) + ": " + std::to_string(other.width) + "x" +
                                          std::to_string(other.height) + " is another shape than that of " +
                                          pictures_.path(picture) + "; a source and its picture must lie on each other");
    return found->second;
}

bool StyleSet::encode(const nn::Autoencoder &vae, at::Device device, const Report &report) {
    const at::NoGradGuard no_gradient;
    std::error_code failed;
    fs::create_directories(options_.kept, failed);
    const std::string autoencoder = hexadecimal(probe(vae, device));
    size_t made = 0;
    for (Item &item : items_) {
        item.latents = options_.kept + "/" + hexadecimal(text_hash(item.key + autoencoder)) + ".safetensors";
        if (fs::exists(item.latents, failed))
            continue;
        if (report.stopped())
            return false;
        encode_item(item, vae, device);
        if (++made % 100 == 0)
            report.say("latents: " + std::to_string(made) + " pictures encoded");
    }
    if (made)
        report.say("latents: " + std::to_string(made) + " of " + std::to_string(items_.size()) + " pictures encoded, kept in " +
                   options_.kept);
    return true;
}

void StyleSet::encode_item(const Item &item, const nn::Autoencoder &vae, at::Device device) const {
    const cv::Mat fitted = fit_bucket(pictures_.read(item.picture), item.bucket), upright = as_float(fitted);
    std::map<std::string, at::Tensor> tensors{{"plain", encoded(vae, upright, device)}};
    if (options_.flip) {
        cv::Mat mirrored;
        cv::flip(upright, mirrored, 1);
        tensors["mirrored"] = encoded(vae, mirrored, device);
    }
    std::map<std::string, io::TensorData> data;
    for (const auto &[name, tensor] : tensors) {
        if (!std::isfinite(tensor.sum().item<double>()))
            throw Error(AIANIME_NOT_FINITE,
                        pictures_.path(item.picture) + ": its latents are not finite: the autoencoder cannot do it");
        data[name] = {io::DType::f32, tensor.sizes().vec(), tensor.const_data_ptr()};
    }
    cv::Mat source;
    if (shown()) {
        source = sources_ ? fit_bucket(sources_->read(item.source), item.bucket) : fitted;
        data["source"] = {io::DType::u8, {source.rows, source.cols, 3}, source.data};
    }
    io::write_safetensors(item.latents, data);
}

std::vector<cv::Size> StyleSet::buckets() const {
    std::vector<cv::Size> list;
    for (const Item &item : items_)
        list.push_back(item.bucket);
    return list;
}

std::vector<std::string> StyleSet::prompts() const {
    std::vector<std::string> list;
    for (const Item &item : items_)
        list.push_back(item.prompt);
    return list;
}

cv::Mat StyleSet::picture(size_t i) const { return as_float(fit_bucket(pictures_.read(items_[i].picture), items_[i].bucket)); }

cv::Mat StyleSet::source(size_t i) const {
    if (sources_)
        return as_float(fit_bucket(sources_->read(items_[i].source), items_[i].bucket));
    if (!options_.own_hints)
        return {};
    Draw draw(mix(options_.seed, i, 3));
    return as_float(style_hint(fit_bucket(pictures_.read(items_[i].picture), items_[i].bucket), draw));
}

std::vector<std::vector<size_t>> StyleSet::plan(int64_t round) const {
    Draw draw(mix(options_.seed, static_cast<uint64_t>(round), 1));
    std::map<std::pair<int, int>, std::vector<size_t>> buckets;
    for (size_t i = 0; i < items_.size(); i++)
        buckets[{items_[i].bucket.width, items_[i].bucket.height}].push_back(i);
    std::vector<std::vector<size_t>> batches;
    for (auto &entry : buckets) {
        shuffle(entry.second, draw);
        for (size_t first = 0; first < entry.second.size(); first += static_cast<size_t>(options_.batch)) {
            const size_t end = std::min(entry.second.size(), first + static_cast<size_t>(options_.batch));
            batches.emplace_back(entry.second.begin() + static_cast<ptrdiff_t>(first),
                                 entry.second.begin() + static_cast<ptrdiff_t>(end));
        }
    }
    std::vector<size_t> order(batches.size());
    for (size_t i = 0; i < order.size(); i++)
        order[i] = i;
    shuffle(order, draw);
    std::vector<std::vector<size_t>> shuffled;
    for (const size_t i : order)
        shuffled.push_back(batches[i]);
    return shuffled;
}

at::Tensor StyleSet::hint_of(const io::SafetensorsFile &kept, cv::Size size, bool mirrored, Draw &draw) const {
    if (shape_of(kept, "source", io::DType::u8) != std::vector<int64_t>{size.height, size.width, 3})
        throw Error(AIANIME_BAD_DATA, kept.path() + ": not latents of this run; remove it");
    cv::Mat pixels(size, CV_8UC3);
    kept.read("source", pixels.data);
    if (mirrored)
        cv::flip(pixels, pixels, 1);
    return pipeline::to_tensor(as_float(sources_ ? pixels : style_hint(pixels, draw)));
}

StyleBatch StyleSet::batch(int64_t place) const {
    Draw draw(mix(options_.seed, static_cast<uint64_t>(place), 2));
    std::vector<at::Tensor> latents, sources;
    StyleBatch batch;
    const std::vector<std::vector<size_t>> round = plan(place / batches_);
    for (const size_t i : round[static_cast<size_t>(place % batches_)]) {
        const Item &item = items_[i];
        const bool mirrored = draw.chance(0.5) && options_.flip;
        batch.prompts.push_back(draw.chance(options_.empty_prompts) ? "" : item.prompt);
        const io::SafetensorsFile kept(item.latents);
        const std::string name = mirrored ? "mirrored" : "plain";
        const at::Tensor latent = at::empty(shape_of(kept, name, io::DType::f32), at::kFloat);
        kept.read(name, latent.mutable_data_ptr());
        latents.push_back(latent);
        if (shown())
            sources.push_back(hint_of(kept, item.bucket, mirrored, draw));
    }
    batch.latents = at::cat(latents);
    if (shown())
        batch.sources = at::cat(sources);
    return batch;
}

} // namespace aianime::train
