// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pairs.h"

#include <opencv2/imgproc.hpp>

#include <filesystem>

#include "io/error.h"
#include "nn/aten.h"
#include "train/pair_file.h"
#include "train/pair_sources.h"

namespace aianime::train {

namespace {

// Words that a caption may hold and that must not change the style.
constexpr const char *filler[] = {"1girl",      "1boy",         "a woman",      "a man",      "portrait",   "close-up",
                                  "smiling",    "looking away", "long hair",    "short hair", "outdoors",   "indoors",
                                  "street",     "forest",       "sky",          "flowers",    "a car",      "simple background",
                                  "upper body", "masterpiece",  "best quality", "day",        "soft light", "eyes closed",
                                  "open mouth", "two people",   "a landscape",  "headphones", "a building", "full body"};

std::string with_filler(const std::string &prompt, Draw &draw) {
    std::string before, after;
    for (int64_t words = draw.chance(0.5) ? draw.below(4) : 0; words > 0; words--) {
        const std::string word = filler[draw.below(static_cast<int64_t>(std::size(filler)))];
        if (draw.chance(0.5))
            before += word + ", ";
        else
            after += ", " + word;
    }
    return before + prompt + after;
}

struct Palette {
    FreeColors colors;
    std::string words; // for the prompt
    bool undetermined = false;
};

Palette draw_palette(double share, Draw &draw) {
    Palette palette;
    if (!draw.chance(share))
        return palette;
    const std::vector<HueWord> &hues = hue_words();
    const HueWord &backdrop = hues[static_cast<size_t>(draw.below(static_cast<int64_t>(hues.size())))];
    const HueWord &cloth = hues[static_cast<size_t>(draw.below(static_cast<int64_t>(hues.size())))];
    if (draw.chance(0.5)) {
        palette.undetermined = true;
        palette.colors = {backdrop.hue, cloth.hue};
        palette.words = ", new colors";
        return palette;
    }
    const int64_t which = draw.below(3);
    if (which != 1) {
        palette.colors.backdrop = backdrop.hue;
        palette.words += ", " + backdrop.word + " backdrop";
    }
    if (which != 0) {
        palette.colors.cloth = cloth.hue;
        palette.words += ", " + cloth.word + " clothes";
    }
    return palette;
}

Pair crop_pair(const Pair &pair, const cv::Rect &place, bool mirror) {
    const auto cut = [&](const cv::Mat &whole) {
        cv::Mat part = whole(place).clone();
        if (mirror)
            cv::flip(part, part, 1);
        return part;
    };
    return {cut(pair.source), {cut(pair.base.flat), cut(pair.base.lines), cut(pair.base.marks)}};
}

Pair draw_crop(const Pair &pair, int side, Draw &draw) {
    const cv::Rect place(static_cast<int>(draw.below(pair.source.cols - side + 1)),
                         static_cast<int>(draw.below(pair.source.rows - side + 1)), side, side);
    return crop_pair(pair, place, draw.chance(0.5));
}

// CV_32FC3 -> a place in a batch, [3, h, w].
void put(const cv::Mat &picture, at::Tensor place, double factor, double offset) {
    const at::Tensor view = at::from_blob(picture.data, {picture.rows, picture.cols, 3}, at::kFloat);
    place.copy_(view.permute({2, 0, 1}) * factor + offset);
}

} // namespace

Example whole_example(const Pair &pair, const BatchOptions &options, Draw &draw) {
    const auto style = static_cast<size_t>(draw.below(static_cast<int64_t>(cel_styles().size())));
    const Palette palette = draw_palette(options.free_palettes, draw);
    Example example;
    pair.source.convertTo(example.source, CV_32FC3, 1 / 255.0);
    example.target = cel_picture(pair.base, cel_styles()[style], palette.colors);
    example.style = style;
    example.undetermined = palette.undetermined;
    if (palette.undetermined)
        example.open = palette.colors;
    example.prompt = with_filler(cel_styles()[style].prompt + palette.words, draw);
    if (draw.chance(options.empty_prompts)) {
        example.prompt.clear();
        example.undetermined = true;
        example.open = {};
    }
    return example;
}

Batch batch_of(const std::vector<Example> &examples) {
    Batch batch;
    const auto n = static_cast<int64_t>(examples.size());
    const cv::Size size = examples.front().source.size();
    batch.source = at::empty({n, 3, size.height, size.width}, at::kFloat);
    batch.target = at::empty_like(batch.source);
    batch.undetermined = at::zeros({n}, at::kBool);
    batch.hues = at::empty({n, 2}, at::kFloat);
    for (int64_t i = 0; i < n; i++) {
        const Example &example = examples[static_cast<size_t>(i)];
        put(example.source, batch.source[i], 1, 0);
        put(example.target, batch.target[i], 2, -1);
        batch.undetermined[i].fill_(example.undetermined);
        batch.hues[i][0].fill_(example.open.backdrop);
        batch.hues[i][1].fill_(example.open.cloth);
        batch.prompts.push_back(example.prompt);
        batch.styles.push_back(example.style);
    }
    return batch;
}

PairSet::PairSet(const PairOptions &options, const Report &report) {
    std::filesystem::create_directories(options.kept);
    const PairSources sources(options, report);
    const auto path = [&](int64_t i) {
        char name[64];
        std::snprintf(name, sizeof name, "/pair-%llx-%05lld.png", static_cast<unsigned long long>(sources.fingerprint()),
                      static_cast<long long>(i));
        return options.kept + name;
    };
    for (int64_t i = 0; i < options.count && !report.stopped(); i++) {
        if (!std::filesystem::exists(path(i)))
            write_pair(path(i), sources.make(i));
        pairs_.push_back(read_pair(path(i)));
        if ((i + 1) % 100 == 0 || i + 1 == options.count)
            report.say("pairs: " + std::to_string(i + 1) + " of " + std::to_string(options.count));
    }
    if (pairs_.empty())
        throw Error(AIANIME_BAD_DATA, options.pictures + ": no pictures to learn from");
}

Batch PairSet::batch(const BatchOptions &options, uint64_t seed) const {
    std::vector<Example> examples;
    Pair crop;
    for (int64_t i = 0; i < options.pictures; i++) {
        Draw draw(mix(seed, static_cast<uint64_t>(i)));
        if (i % options.looks == 0)
            crop = draw_crop(pairs_[static_cast<size_t>(draw.below(static_cast<int64_t>(pairs_.size())))], options.side, draw);
        examples.push_back(whole_example(crop, options, draw));
    }
    return batch_of(examples);
}

} // namespace aianime::train
