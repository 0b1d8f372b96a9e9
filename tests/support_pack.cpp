// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support_pack.h"

#include <filesystem>

#include "io/json.h"
#include "nn/aten.h"
#include "nn/autoencoder.h"
#include "nn/clip_text.h"
#include "nn/unet.h"
#include "support_synthetic.h"

using namespace aianime;
namespace fs = std::filesystem;

namespace {

void write_part(nn::Module &module, const std::string &folder, const std::string &part, const std::string &file) {
    std::vector<ListedTensor> tensors;
    module.visit([&](const std::string &name, at::Tensor &, const std::vector<int64_t> &shape) {
        // A stack of convolutions without norms would lose the picture on the way.
        const bool hint = name.find("cond_embedding") != std::string::npos && shape.size() > 1;
        tensors.push_back({part + "." + name, "BF16", shape, name, hint ? 2.0 : 1.0});
    });
    write_synthetic(folder + "/" + part + "/" + file, tensors);
}

} // namespace

void write_golden_pack(const std::string &folder) {
    const fs::path tests = tests_folder();
    fs::copy(tests / "golden/pack", folder, fs::copy_options::recursive);
    fs::copy(tests / "../models/pocket/tokenizer", folder + "/tokenizer", fs::copy_options::recursive);
    const auto config = [&](const std::string &part) { return io::Json::load(folder + "/" + part + "/config.json"); };
    const std::string weights = "diffusion_pytorch_model.safetensors";
    write_part(nn::Autoencoder::create(config("vae"))->module(), folder, "vae", weights);
    write_part(nn::UNet(nn::UNetConfig::from_json(config("unet"))).module(), folder, "unet", weights);
    write_part(nn::ControlNet(nn::UNetConfig::from_json(config("controlnet"))).module(), folder, "controlnet", weights);
    write_part(nn::ClipText(config("text_encoder")).module(), folder, "text_encoder", "model.safetensors");
}

pipeline::Settings GoldenPack::settings(const std::string &look) const {
    aianime_settings given{};
    given.struct_size = sizeof(given);
    const std::string models = models_.path();
    given.models_path = models.c_str();
    given.template_path = look.c_str();
    std::vector<std::string> overrides;
    return pipeline::resolve_settings(given, overrides);
}
