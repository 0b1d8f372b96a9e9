// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support_training.h"

#include <filesystem>

#include "nn/aten.h"
#include "support.h"

namespace fs = std::filesystem;

namespace {

constexpr const char *unet = R"("in_channels": 4, "block_out_channels": [8, 16, 16], "layers_per_block": 1, "norm_num_groups": 4,
    "attention_head_dim": 2, "cross_attention_dim": 8, "down_block_types": ["DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"])";

} // namespace

void write_tiny_shape(const std::string &folder) {
    write_file(folder + "/vae/config.json", R"({"_class_name": "AutoencoderTiny", "latent_channels": 4, "scaling_factor": 1.0,
        "encoder_block_out_channels": [8, 8, 8], "decoder_block_out_channels": [8, 8, 8], "num_encoder_blocks": [1, 1, 1],
        "num_decoder_blocks": [1, 1, 1]})");
    write_file(folder + "/unet/config.json",
               std::string("{\"_class_name\": \"UNet2DConditionModel\", \"out_channels\": 4, "
                           "\"up_block_types\": [\"CrossAttnUpBlock2D\", \"UpBlock2D\", \"UpBlock2D\"], ") +
                   unet + "}");
    write_file(folder + "/controlnet/config.json",
               std::string("{\"_class_name\": \"ControlNetModel\", \"conditioning_embedding_out_channels\": [4, 8, 8], ") + unet +
                   "}");
    write_file(folder + "/text_encoder/config.json", R"({"model_type": "clip_text_model", "hidden_size": 8, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2})");
    write_file(folder + "/scheduler/scheduler_config.json",
               R"({"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "prediction_type": "v_prediction", "timestep_spacing": "trailing", "clip_sample": false,
        "set_alpha_to_one": true})");
    write_file(folder + "/model_index.json", R"({"_class_name": "StableDiffusionControlNetPipeline"})");
    write_file(folder + "/pack.json", R"({"schema": 1, "name": "tiny", "license": "CC0-1.0", "description": "for tests",
        "controls": [{"type": "source", "folder": "controlnet"}], "defaults": {"steps": 4, "guidance": 1, "strength": 1, "size": 64},
        "files": []})");
    fs::copy(fs::path(tests_folder()).parent_path() / "models/pocket/tokenizer", folder + "/tokenizer",
             fs::copy_options::recursive);
}

aianime::train::Batch random_batch(int64_t pictures, int64_t side, uint64_t seed) {
    const at::Generator generator = aianime::train::generator_for(seed, 0, 0);
    aianime::train::Batch batch;
    batch.source = at::rand({pictures, 3, side, side}, generator, at::kFloat);
    batch.target = at::rand({pictures, 3, side, side}, generator, at::kFloat) * 2 - 1;
    batch.undetermined = at::zeros({pictures}, at::kBool);
    const char *const words[] = {"pop anime style", "ink manga style", "", "night anime style"};
    for (int64_t i = 0; i < pictures; i++)
        batch.prompts.emplace_back(words[i % 4]);
    batch.styles.assign(static_cast<size_t>(pictures), 0);
    return batch;
}
