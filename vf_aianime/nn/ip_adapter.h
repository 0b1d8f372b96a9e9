// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "nn/clip_vision.h"
#include "nn/image_prompt.h"
#include "nn/unet.h"

namespace aianime::nn {

// How much an image prompt weighs, as a whole and in each part of the U-Net on top; 0 leaves the part alone.
struct ImageScales {
    double all = 1;
    double down = 1, mid = 1, up = 1;
};

// An IP-Adapter for Stable Diffusion: base, light, plus, plus-face or full-face (arXiv 2308.06721). It shows pictures to a U-Net
// beside the text. Thread safety: const members may run concurrently.
class IpAdapter {
public:
    // Reads a safetensors file with tensors below "image_proj." and "ip_adapter.", or "image_proj_model." and "adapter_modules." as
    // the training code names them. Throws Error: as WeightSource::from_file, and BAD_DATA for a file that is none, that is a
    // FaceID one (with the substitute) or that does not fit the U-Net.
    IpAdapter(const std::string &file, const UNetConfig &unet, at::ScalarType dtype, at::Device device);
    ~IpAdapter();

    std::string kind() const; // for messages and reports: "base", "plus" or "full-face"
    Module &module();

    // Throws Error (BAD_DATA) unless the tower's features have the width that this adapter was trained with.
    void check_tower(const ClipVision &tower) const;

    // Pictures [n, 3, h, w] in [0, 1], RGB, of any size -> what UNet::forward takes, with one row a branch. With two branches the
    // first, the negative one, sees what the adapter makes of no picture, as in diffusers: an embedding of zeros (base), or the
    // tower's hidden states for a picture of zeros (the others). Checks the tower as check_tower().
    ImagePrompt prompt(const ClipVision &tower, const at::Tensor &pictures, int64_t branches, const ImageScales &scales) const;

private:
    struct Impl;
    at::Tensor tokens(const ClipVision &tower, const at::Tensor &pictures, int64_t branches) const;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
