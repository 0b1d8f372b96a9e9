// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nn/weights.h"

namespace aianime::nn {

// One level of a U-Net or ControlNet as its tensors' shapes tell.
struct LdmLevel {
    int64_t channels = 0;
    int64_t layers = 0;
    int64_t transformer_layers = 0; // 0: no attention
};

// The U-Net or the ControlNet inside a checkpoint of the original code (CompVis latent-diffusion, its names begin with
// "input_blocks."), and what its blocks are called in diffusers.
class LdmLayout {
public:
    // `prefix`: what stands before "input_blocks.", "model.diffusion_model." or "control_model." or nothing. Throws Error
    // (BAD_DATA) where there is no such network.
    LdmLayout(const WeightSource &source, const std::string &prefix);

    const std::vector<LdmLevel> &levels() const { return levels_; }
    const std::string &prefix() const { return prefix_; }
    // The diffusers name of a tensor; the name itself, without the prefix, where it is not known.
    std::string diffusers_name(const std::string &name) const;

private:
    void read_input_blocks(const WeightSource &source);
    void read_output_blocks(const WeightSource &source);

    std::string prefix_;
    std::vector<LdmLevel> levels_;
    std::map<std::string, std::string> blocks_; // "input_blocks.1.0." -> "down_blocks.0.resnets.0."
};

// Views of every tensor whose name begins with the prefix, under its diffusers name.
std::map<std::string, WeightView> ldm_views(const WeightSource &source, const LdmLayout &layout);

// The same for the autoencoder ("first_stage_model." or nothing stands before "encoder.down.").
std::map<std::string, WeightView> ldm_vae_views(const WeightSource &source, const std::string &prefix);

} // namespace aianime::nn
