// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ATen/core/grad_mode.h>

#include "io/pack.h"
#include "nn/aten.h"
#include "nn/autoencoder.h"
#include "nn/module.h"
#include "pipeline/components.h"
#include "pipeline/picture_tensor.h"
#include "train/pack_eval_parts.h"
#include "vision/working_size.h"

namespace aianime::train {

double decoder_psnr(const std::string &pack, const std::vector<cv::Mat> &targets) {
    const at::NoGradGuard no_gradient;
    const nn::Component part = pipeline::base_component(io::load_pack(pack).path(), pipeline::Part::vae);
    const std::unique_ptr<nn::Autoencoder> vae = nn::Autoencoder::create(part.config);
    nn::load(vae->module(), part.source, at::kFloat, at::kCPU);
    double sum = 0;
    for (const cv::Mat &target : targets) {
        const vision::WorkingSize size = vision::working_size(target.size(), 0, static_cast<int>(vae->stride()));
        const at::Tensor picture = pipeline::to_tensor(vision::to_working(target, size));
        const at::Tensor back = vae->decode(vae->encode(picture * 2 - 1)) * 0.5 + 0.5;
        sum += psnr(vision::crop_working(pipeline::to_picture(back), size).clone(), target);
    }
    return targets.empty() ? 0 : sum / static_cast<double>(targets.size());
}

} // namespace aianime::train
