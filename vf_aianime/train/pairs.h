// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <string>
#include <vector>

#include "train/random.h"
#include "train/report.h"
#include "train/teacher.h"

namespace aianime::train {

// Counted up with the teacher's look, so that pairs of an older one are not mixed in.
constexpr uint64_t pair_version = 4;

// A photograph and what the teacher made of it; 8 bits, R G B, one size.
struct Pair {
    cv::Mat source;
    CelBase base;
};

struct PairOptions {
    std::string pictures; // folder
    std::string clips;    // folder, "" for none
    std::string kept;     // folder the pairs are kept in, so that the teacher works once
    int64_t count = 1200;
    double scenes = 0.1;         // share of procedural scenes
    int least = 192, most = 448; // short side
    uint64_t seed = 1;
};

// A micro-batch. Tensors are float32 on the CPU.
struct Batch {
    at::Tensor source; // [n, 3, h, w] in [0, 1]
    at::Tensor target; // [n, 3, h, w] in [-1, 1]
    std::vector<std::string> prompts;
    std::vector<size_t> styles;
    at::Tensor undetermined; // [n] bool: the target's palette is neither in the source nor in the prompt
    at::Tensor hues;         // [n, 2] degrees: of backdrop and clothes that only noise decides, else below 0; undefined: none
};

struct BatchOptions {
    int64_t pictures = 8;
    int side = 128;
    int64_t looks = 1; // so many pictures in a row are of one crop, each in a style of its own
    double empty_prompts = 0.1;
    double free_palettes = 0.3;
};

class PairSet {
public:
    // Makes the pairs that are not kept yet, with progress, and loads all. Throws Error (NOT_FOUND, BAD_DATA, IO); where
    // `report.stopped()` becomes true, what is made is kept and size() may be smaller.
    PairSet(const PairOptions &options, const Report &report);

    size_t size() const { return pairs_.size(); }
    const Pair &operator[](size_t i) const { return pairs_[i]; }

    // A function of the seed only.
    Batch batch(const BatchOptions &options, uint64_t seed) const;

private:
    std::vector<Pair> pairs_;
};

// One picture of a batch: a crop of a pair in some style, with the prompt that asks for it.
struct Example {
    cv::Mat source, target; // CV_32FC3 in [0, 1]
    std::string prompt;
    size_t style;
    bool undetermined;
    FreeColors open = {}; // hues that neither source nor prompt tells
};
// Of the whole pair as it is.
Example whole_example(const Pair &pair, const BatchOptions &options, Draw &draw);
// All of one size.
Batch batch_of(const std::vector<Example> &examples);

} // namespace aianime::train
