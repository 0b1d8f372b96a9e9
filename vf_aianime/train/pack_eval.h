// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <optional>
#include <string>
#include <vector>

#include "train/measures.h"
#include "train/report.h"
#include "train/sheet.h"
#include "train/style_statistics.h"

namespace aianime::train {

// What a pack is measured on: pictures its training never saw. CV_32FC3, R G B in [0, 1].
struct EvalFrame {
    cv::Mat picture;
    std::string name;
    size_t source; // number of the picture or clip it is of: frames of one clip are much alike
};
struct EvalClip {
    std::string name;
    std::vector<cv::Mat> frames; // about 10 a second, of one size
};
struct EvalData {
    std::vector<EvalFrame> frames;
    std::vector<EvalClip> clips;
    std::vector<cv::Mat> like; // pictures of the style that a LoRA was trained for; may be empty
};

struct EvalOptions {
    std::string pack;
    std::string lora;           // file, "" for none
    std::string lora_prompt;    // what asks for its style; "": the first style's prompt
    std::vector<size_t> styles; // of cel_styles()
    bool rotate = false;        // each frame in one of the styles only
    int steps = 4;
    int many_steps = 20; // what the time is compared with; 0: it is not measured
    uint64_t seed = 1;
    std::string precision = "auto";
    int threads = 0;
    size_t decoder_frames = 60;
    size_t color_frames = 4; // on which named colours are tried
    size_t sheet_cells = 24;
};

// Means over pictures.
struct StyleScore {
    std::string name;
    size_t pictures = 0;
    double ssim = 0, psnr = 0, edge_f1 = 0, edge_precision = 0, edge_recall = 0;
    double lines = 0, target_lines = 0; // line_density()
    cv::Vec3d cast;                     // mean L*a*b* less the target's
};

// Pictures asked for "red backdrop", and so on, in every hue word.
struct ColorScore {
    size_t asked = 0;
    size_t obeyed = 0;     // the region's mean colour is nearer to the teacher's in that hue than to those in the others
    double difference = 0; // CIEDE2000 to the teacher's
};

// Free regions of clips' frames whose prompt leaves the palette open: how far their mean colours are apart.
struct SpreadScore {
    std::string attention;
    double spread = 0; // color_spread()
    size_t regions = 0;
};

// What a LoRA does to a pack, on some of the frames.
struct LoraScore {
    StyleStatistics target, without, with; // target: of the pictures it should look like
    double f1_without = 0, f1_with = 0;    // edges against the teacher's picture in the first style: the composition
    size_t pictures = 0;
};

struct TimeScore {
    cv::Size size;
    int steps = 0, many_steps = 0;
    double seconds = 0, many_seconds = 0; // a frame; the least of several
};

struct EvalReport {
    std::vector<StyleScore> styles;
    StyleScore overall;
    double cast = 0; // length of overall.cast
    Blockiness blockiness{}, target_blockiness{};
    double decoder_psnr = 0;   // of targets that were encoded and decoded
    size_t probed = 0;         // pictures shown to the probe; 0 where there are too few to make one
    double probe_accuracy = 0; // share of them whose style it told
    double probe_ceiling = 0;  // likewise, of the teacher's pictures of the same frames
    ColorScore backdrop, clothes;
    std::vector<SpreadScore> spreads; // the teacher's own with a fixed palette first: what content alone makes
    std::optional<TimeScore> time;
    std::optional<LoraScore> lora;
    std::vector<SheetCell> sheet; // source, target, result
};

// Throws Error (CANCELLED) when the report's stop is wanted, and what loading and running the pack throws.
EvalReport evaluate_pack(const EvalData &data, const EvalOptions &options, const Report &report);

} // namespace aianime::train
