// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "train/pack_eval.h"
#include "train/pack_render.h"
#include "train/teacher.h"

namespace aianime::train {

// The parts of evaluate_pack(). All throw as it does.

// A frame and what the teacher made of it.
struct TaughtFrame {
    const EvalFrame *frame;
    CelBase base;
};

RenderOptions render_options(const EvalOptions &options, const std::string &prompt);
// Throws Error (CANCELLED) where fewer came back than were sent.
std::vector<cv::Mat> render_all(const PackRenderer &renderer, const std::vector<cv::Mat> &sources, const RenderOptions &options,
                                const Report &report);

// Targets through the autoencoder of a pack and back, mean dB.
double decoder_psnr(const std::string &pack, const std::vector<cv::Mat> &targets);

// Names every hue of a free region in the prompt, on up to options.color_frames frames that have such a region.
ColorScore named_colors(const PackRenderer &renderer, const std::vector<TaughtFrame> &frames, bool backdrop,
                        const EvalOptions &options, const Report &report);

// Clips with an open palette and noise of their own for every frame: the teacher's with a fixed palette, the pack's with
// self-attention, with anchors, and with trained attention along the motion where it has that.
std::vector<SpreadScore> color_spreads(const PackRenderer &renderer, const std::vector<EvalClip> &clips, const EvalOptions &options,
                                       const Report &report);

// Up to 12 of the frames without the LoRA and with it.
LoraScore lora_effect(const PackRenderer &renderer, const std::vector<TaughtFrame> &frames, const std::vector<cv::Mat> &like,
                      const EvalOptions &options, const Report &report);

TimeScore frame_time(const PackRenderer &renderer, const cv::Mat &picture, const EvalOptions &options, const Report &report);

} // namespace aianime::train
