// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/temporal_gain.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "nn/aten.h"
#include "pipeline/picture_tensor.h"
#include "train/lab.h"
#include "train/offset_noise.h"
#include "train/pack_samples.h"
#include "train/sheet.h"

namespace aianime::train {

namespace {

constexpr uint64_t noise_seed = 4243; // the same noise on every sheet
constexpr double least_share = 0.05;  // of a picture, that a region must have to be looked at

// What is made of the clips in [-1, 1], [clips * frames, 3, side, side].
struct Made {
    at::Tensor alone, together;
};

Made make(const PackNetworks &networks, const nn::CfaModule &cfa, const Diffusion &diffusion, const ClipBatch &clips,
          int64_t steps) {
    const at::NoGradGuard no_gradient;
    const TemporalBatch batch = temporal_batch(networks, clips, cfa.config());
    const at::Tensor noise =
        offset_noise(batch.clean.flatten(0, 1).sizes(), networks.noise_offset, {}, generator_for(noise_seed, 0, 0))
            .to(networks.device)
            .view(batch.clean.sizes());
    const TemporalNetworks parts = {*networks.unet, networks.control.get(), cfa};
    const auto pictures = [&](bool together) {
        return networks.decode(sample_clips(parts, diffusion, batch, noise, steps, together).flatten(0, 1)).cpu().clamp(-1, 1);
    };
    return {pictures(false), pictures(true)};
}

cv::Mat picture_of(const at::Tensor &pictures, int64_t i) { return pipeline::to_picture(pictures.slice(0, i, i + 1) * 0.5 + 0.5); }

// Of the frames of a clip, where all of them have the region; else nothing.
std::vector<cv::Vec3d> colors(const at::Tensor &pictures, int64_t first, const std::vector<cv::Mat> &marks, int channel) {
    std::vector<cv::Vec3d> list;
    for (size_t i = 0; i < marks.size(); i++) {
        cv::Mat mark;
        cv::extractChannel(marks[i], mark, channel);
        const cv::Mat region = mark >= 160;
        if (cv::countNonZero(region) < least_share * static_cast<double>(region.total()))
            return {};
        list.push_back(mean_lab(to_lab(picture_of(pictures, first + static_cast<int64_t>(i))), region));
    }
    return list;
}

} // namespace

TemporalGain temporal_gain(const PackNetworks &networks, const nn::CfaModule &cfa, const Diffusion &diffusion,
                           const ClipBatch &clips, int64_t steps) {
    const Made made = make(networks, cfa, diffusion, clips, steps);
    TemporalGain gain;
    for (size_t clip = 0; clip < clips.marks.size(); clip++) {
        const int64_t first = static_cast<int64_t>(clip) * clips.source.size(1);
        for (int region = 0; region < 2 && clips.open[clip]; region++) {
            const std::vector<cv::Vec3d> alone = colors(made.alone, first, clips.marks[clip], region);
            if (alone.empty())
                continue;
            gain.alone += color_spread(alone);
            gain.together += color_spread(colors(made.together, first, clips.marks[clip], region));
            gain.regions++;
        }
    }
    const double count = static_cast<double>(std::max<int64_t>(gain.regions, 1));
    gain.alone /= count;
    gain.together /= count;
    return gain;
}

void sample_temporal(const PackNetworks &networks, const nn::CfaModule &cfa, const Diffusion &diffusion, const ClipBatch &clips,
                     int64_t steps, const std::string &path) {
    const Made made = make(networks, cfa, diffusion, clips, steps);
    const at::Tensor source = clips.source.flatten(0, 1) * 2 - 1, target = clips.target.flatten(0, 1);
    std::vector<SheetCell> cells;
    for (int64_t i = 0; i < source.size(0); i++)
        cells.push_back({{picture_of(source, i), picture_of(target, i), picture_of(made.alone, i), picture_of(made.together, i)},
                         clips.prompts[static_cast<size_t>(i / clips.source.size(1))]});
    write_sheet(path, cells, static_cast<int>(2 * clips.source.size(1)), static_cast<int>(clips.source.size(4)));
}

} // namespace aianime::train
