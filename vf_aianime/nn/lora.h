// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace aianime::nn {

class Module;

struct LoraUse {
    std::string file;
    double weight = 1; // for the U-Net and the motion modules
    double text_weight = 1;
    bool partial = false; // layers that the networks do not have are left out instead of refused
};

// What a file turned out to be.
struct LoraReport {
    std::string file;
    std::string dialect; // "kohya LoRA", "peft LoRA DoRA", ...
    // Layers that are changed.
    int64_t unet = 0, text = 0, motion = 0;
    std::vector<std::string> unmatched; // names of layers, or of tensors that no LoRA has

    int64_t matched() const { return unet + text + motion; }
};

// LoRA files that are merged into networks while these are loaded: what patch_...() returns is loaded instead of the tensor.
// Reads kohya's, diffusers', PEFT's and LyCORIS' names and forms, see docs/models.md.
//
// The order of the files does not matter: every one changes the original weights, and the changes are added in float32. A DoRA's
// change is the whole way to the weight it makes, so that weight 0.5 goes half of it.
// Thread safety: const members from several threads.
class LoraStack {
public:
    // Compares all names and shapes with the networks', which may still be empty. Layers of a network that is null are unmatched.
    // Throws Error: as WeightSource::from_file(); BAD_DATA for layers that no network has unless the use is partial, for a file of
    // which nothing fits, and for one that is damaged; OUT_OF_RANGE for weights that are not numbers.
    LoraStack(const std::vector<LoraUse> &uses, Module &unet, Module *text_encoder, Module *motion = nullptr);
    ~LoraStack();
    LoraStack(LoraStack &&) noexcept;

    std::vector<LoraReport> reports() const;

    // For nn::load(). `weight` in any precision; the result is float32, or `weight` itself when no file changes this tensor.
    // Throws Error (IO, BAD_DATA).
    at::Tensor patch_unet(const std::string &name, const at::Tensor &weight) const;
    // With or without "text_model." in front of the name.
    at::Tensor patch_text(const std::string &name, const at::Tensor &weight) const;
    at::Tensor patch_motion(const std::string &name, const at::Tensor &weight) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace aianime::nn
