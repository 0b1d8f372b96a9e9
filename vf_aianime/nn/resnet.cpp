// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/resnet.h"

#include "nn/aten.h"
#include "nn/parts.h"
#include "nn/strips.h"

namespace aianime::nn {

ResnetBlock::ResnetBlock(int64_t in, int64_t out, int64_t time_channels, int64_t groups, double eps)
    : norm1(groups, in, eps), conv1(in, out, 3), norm2(groups, out, eps), conv2(out, out, 3) {
    child("norm1", norm1);
    child("conv1", conv1);
    if (time_channels) {
        time_emb_proj = std::make_unique<Linear>(time_channels, out);
        child("time_emb_proj", *time_emb_proj);
    }
    child("norm2", norm2);
    child("conv2", conv2);
    if (in != out) {
        conv_shortcut = std::make_unique<Conv2d>(in, out, 1);
        child("conv_shortcut", *conv_shortcut);
    }
}

at::Tensor ResnetBlock::forward(const at::Tensor &x, const at::Tensor &time, int64_t clips) const {
    return forward_joined(x, {}, time, clips);
}

at::Tensor ResnetBlock::forward_joined(const at::Tensor &x, const at::Tensor &skip, const at::Tensor &time, int64_t clips) const {
    const at::Tensor offset = time_emb_proj ? time_emb_proj->forward(time) : at::Tensor();
    const auto work = [&](const Part &part) {
        return convolved(skip.defined() ? at::cat({part.x, part.of(skip)}, 1) : part.x, part.of(offset), clips);
    };
    return clips ? work({x, 0, x.size(0)}) : in_parts(x, work);
}

at::Tensor ResnetBlock::convolved(const at::Tensor &x, const at::Tensor &offset, int64_t clips) const {
    const auto convolve = [clips](const GroupNorm &norm, const Conv2d &conv, const at::Tensor &in) {
        if (clips == 0 && in_strips(static_cast<int64_t>(in.nbytes()), conv.weight))
            return norm_silu_conv(norm, conv, in);
        return conv.forward(norm.forward_silu(in, clips));
    };
    at::Tensor h;
    if (!offset.defined()) {
        h = convolve(norm1, conv1, x);
    } else if (offset.size(0) == 1) {
        // A time step that is the same for the whole batch is one more bias.
        h = conv1.forward(norm1.forward_silu(x, clips), offset.squeeze(0));
    } else {
        h = conv1.forward(norm1.forward_silu(x, clips)).add_(offset.unsqueeze(2).unsqueeze(3));
    }
    h = convolve(norm2, conv2, h);
    return h.add_(conv_shortcut ? conv_shortcut->forward(x) : x);
}

Downsample::Downsample(int64_t channels, int64_t padding) : padding_(padding), conv(channels, channels, 3, 2, true, padding) {
    child("conv", conv);
}

at::Tensor Downsample::forward(const at::Tensor &x) const {
    return conv.forward(padding_ ? x : at::constant_pad_nd(x, {0, 1, 0, 1}));
}

Upsample::Upsample(int64_t channels) : conv(channels, channels) { child("conv", conv); }

at::Tensor Upsample::forward(const at::Tensor &x, int64_t height, int64_t width) const {
    const bool doubled = height == 2 * x.size(2) && width == 2 * x.size(3);
    PartSizes sizes;
    sizes.growth = 4;
    const auto work = [&](const Part &part) {
        return doubled ? conv.forward_doubled(part.x) : conv.forward(at::upsample_nearest2d(part.x, {height, width}));
    };
    return in_parts(x, work, sizes);
}

} // namespace aianime::nn
