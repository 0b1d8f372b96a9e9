// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_samples.h"

#include <ATen/core/grad_mode.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <cmath>

#include "nn/aten.h"
#include "pipeline/picture_tensor.h"
#include "train/offset_noise.h"

namespace aianime::train {

namespace {

constexpr uint64_t sheet_seed = 4242; // the same crops on every sheet

Batch fixed_batch(const PairSet &pairs, int64_t pictures) {
    BatchOptions options;
    options.pictures = pictures;
    options.side = 192;
    options.empty_prompts = 0;
    options.free_palettes = 0.2;
    return pairs.batch(options, sheet_seed);
}

// Rows of pictures [n, 3, h, w] in [0, 1], a column each.
void write_sheet(const std::string &path, const std::vector<at::Tensor> &rows) {
    std::vector<cv::Mat> lines;
    for (const at::Tensor &row : rows) {
        std::vector<cv::Mat> cells;
        for (int64_t i = 0; i < row.size(0); i++)
            cells.push_back(pipeline::to_picture(row.slice(0, i, i + 1)));
        cv::Mat line;
        cv::hconcat(cells, line);
        lines.push_back(line);
    }
    cv::Mat sheet;
    cv::vconcat(lines, sheet);
    cv::cvtColor(sheet, sheet, cv::COLOR_RGB2BGR);
    sheet.convertTo(sheet, CV_8UC3, 255);
    cv::imwrite(path, sheet);
}

at::Tensor to_unit(const at::Tensor &picture) { return picture * 0.5 + 0.5; }

} // namespace

at::Tensor ddim_step(const Diffusion &diffusion, const at::Tensor &x, const at::Tensor &velocity, int64_t from, int64_t to) {
    const auto at_step = [&](int64_t t) { return at::tensor({t}, at::kLong); };
    const at::Tensor signal = diffusion.signal(at_step(from)).to(x.device()),
                     spread = diffusion.noise(at_step(from)).to(x.device());
    const at::Tensor clean = signal * x - spread * velocity;
    if (to < 0)
        return clean;
    const at::Tensor noise = spread * x + signal * velocity;
    return diffusion.signal(at_step(to)).to(x.device()) * clean + diffusion.noise(at_step(to)).to(x.device()) * noise;
}

at::Tensor sample_latents(const PackNetworks &networks, const Diffusion &diffusion, const at::Tensor &source,
                          const at::Tensor &text, const at::Tensor &noise, int64_t steps, const nn::LocalText *local) {
    const at::NoGradGuard no_gradient;
    const at::Tensor hint = networks.control->embed_hint(source.to(networks.device));
    at::Tensor x = noise.to(networks.device);
    const std::vector<int64_t> timesteps = diffusion.trailing(steps);
    for (size_t i = 0; i < timesteps.size(); i++) {
        const at::Tensor t = at::full({x.size(0)}, timesteps[i], x.options());
        x = ddim_step(diffusion, x, networks.velocity(x, t, text, hint, local), timesteps[i],
                      i + 1 < timesteps.size() ? timesteps[i + 1] : -1);
    }
    return x;
}

double reconstruction_psnr(const PackNetworks &networks, const PairSet &pairs) {
    const at::NoGradGuard no_gradient;
    const Batch batch = fixed_batch(pairs, 16);
    const at::Tensor back = networks.decode(networks.encode(batch.target.to(networks.device))).cpu().clamp(-1, 1);
    const at::Tensor errors = (to_unit(back) - to_unit(batch.target)).square().mean({1, 2, 3});
    return (errors.log10() * -10).mean().item<double>();
}

void sample_autoencoder(const PackNetworks &networks, const PairSet &pairs, const std::string &path) {
    const at::NoGradGuard no_gradient;
    const Batch batch = fixed_batch(pairs, 8);
    const at::Tensor back = networks.decode(networks.encode(batch.target.to(networks.device))).cpu();
    write_sheet(path, {to_unit(batch.target), to_unit(back)});
}

void sample_denoiser(const PackNetworks &networks, const Diffusion &diffusion, const PairSet &pairs, int64_t steps,
                     const std::string &path) {
    const at::NoGradGuard no_gradient;
    const Batch batch = fixed_batch(pairs, 8);
    const at::Tensor clean = networks.encode(batch.target.to(networks.device));
    const at::Tensor noise = offset_noise(clean.sizes(), networks.noise_offset, batch.hues, generator_for(sheet_seed, 0, 0));
    const at::Tensor made =
        networks.decode(sample_latents(networks, diffusion, batch.source, networks.encode_text(batch.prompts), noise, steps));
    write_sheet(path, {batch.source, to_unit(batch.target), to_unit(made.cpu())});
}

} // namespace aianime::train
