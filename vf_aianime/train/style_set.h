// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/safetensors.h"
#include "nn/autoencoder.h"
#include "train/picture_folder.h"
#include "train/random.h"

namespace aianime::train {

struct StyleSetOptions {
    std::string pictures;   // folder
    std::string sources;    // folder with a picture of the same name for each, what the control network is shown
    bool own_hints = false; // without `sources`: style_hint() of each picture, a new one every time; else none
    std::string kept;       // folder for latents
    std::string trigger;    // put in front of every caption
    int side = 512;
    int step = 64; // of buckets
    bool flip = false;
    int64_t batch = 1;
    double empty_prompts = 0.1;
    uint64_t seed = 1;
};

struct StyleBatch {
    at::Tensor latents; // float32 [n, channels, h, w], one bucket's
    at::Tensor sources; // float32 [n, 3, H, W] in [0, 1]; undefined without sources and hints
    std::vector<std::string> prompts;
};

// The pictures a style is learned from. Each is encoded once (twice where it may be mirrored) and its latents are kept in a file of
// their own, by what they were made from: they take no memory, and a run that goes on finds them again.
class StyleSet {
public:
    // Throws Error (NOT_FOUND, BAD_DATA) for folders without usable pictures and for pictures without their source.
    StyleSet(const StyleSetOptions &options, const Report &report);

    // Encodes what is not kept yet. False where `report` asked for a stop. Throws Error (BAD_DATA, IO).
    bool encode(const nn::Autoencoder &vae, at::Device device, const Report &report);

    size_t size() const { return items_.size(); }
    size_t captions() const { return captions_; } // pictures that have one
    std::vector<cv::Size> buckets() const;        // one for each picture
    // "trigger, caption".
    const std::string &prompt(size_t i) const { return items_[i].prompt; }
    std::vector<std::string> prompts() const;
    // As they are learned from, CV_32FC3 in [0, 1].
    cv::Mat picture(size_t i) const;
    cv::Mat source(size_t i) const; // or a hint, always the same one

    // What the result depends on beside the options: pictures, their order and their captions.
    uint64_t fingerprint() const { return fingerprint_; }
    int64_t batches() const { return batches_; } // that show every picture once
    // Batch `place` of the run: batches of one bucket each, all pictures in a new order every time round. A function of the seed
    // and of place.
    StyleBatch batch(int64_t place) const;

private:
    struct Item {
        size_t picture, source; // in their folders
        cv::Size bucket;
        std::string prompt;
        std::string key;     // of the picture, its source and its size
        std::string latents; // file
    };
    void add_items(const Report &report);
    size_t find_source(const std::map<std::string, size_t> &sources, size_t picture) const;
    bool shown() const { return sources_ || options_.own_hints; }
    void encode_item(const Item &item, const nn::Autoencoder &vae, at::Device device) const;
    // What the control network is shown, [1, 3, H, W].
    at::Tensor hint_of(const io::SafetensorsFile &kept, cv::Size size, bool mirrored, Draw &draw) const;
    // The pictures of each batch of one time round.
    std::vector<std::vector<size_t>> plan(int64_t round) const;

    StyleSetOptions options_;
    PictureFolder pictures_;
    std::unique_ptr<PictureFolder> sources_;
    std::vector<Item> items_;
    size_t captions_ = 0;
    uint64_t fingerprint_ = 0;
    int64_t batches_ = 0;
};

} // namespace aianime::train
