// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pack_writer.h"

#include <json-c/json.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/file.h"
#include "io/pack.h"
#include "nn/aten.h"
#include "train/state_file.h"

namespace aianime::train {

namespace {

namespace fs = std::filesystem;
constexpr size_t most_text = 64 << 20;

using JsonObject = std::unique_ptr<json_object, int (*)(json_object *)>;

void write_text(const std::string &path, const std::string &text) {
    io::AtomicFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

void write_json(const std::string &path, json_object *object) {
    write_text(path, std::string(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                                            JSON_C_TO_STRING_NOSLASHESCAPE)) +
                         "\n");
}

void copy_file(const std::string &from, const std::string &to) {
    if (fs::exists(to) && fs::equivalent(from, to))
        return;
    write_text(to, io::read_file(from, most_text));
}

void write_weights(nn::Module &module, const std::string &path) {
    Parameters tensors;
    module.visit(
        [&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) { tensors.emplace_back(name, tensor); });
    write_bfloat16(path, tensors, {{"format", "pt"}});
}

// The trained scale becomes the file's scaling factor, so that every reader of such folders finds unit latents.
void write_vae_config(const PackNetworks &networks, const std::string &from, const std::string &to) {
    const JsonObject config(json_tokener_parse(io::read_file(from, most_text).c_str()), json_object_put);
    const double before = json_object_get_double(json_object_object_get(config.get(), "scaling_factor"));
    json_object_object_add(config.get(), "scaling_factor",
                           json_object_new_double((before != 0 ? before : 1) * networks.latent_scale));
    write_json(to, config.get());
}

void add_text(json_object *object, const char *key, const std::string &value) {
    json_object_object_add(object, key, json_object_new_string(value.c_str()));
}

json_object *defaults_of(const io::Pack &pack) {
    json_object *defaults = json_object_new_object();
    json_object_object_add(defaults, "steps", json_object_new_int(pack.steps));
    json_object_object_add(defaults, "guidance", json_object_new_double(pack.guidance));
    json_object_object_add(defaults, "strength", json_object_new_double(pack.strength));
    if (pack.noise_offset > 0)
        json_object_object_add(defaults, "noise_offset", json_object_new_double(pack.noise_offset));
    json_object_object_add(defaults, "size", json_object_new_int(pack.size));
    if (!pack.scheduler.empty())
        add_text(defaults, "scheduler", pack.scheduler);
    add_text(defaults, "auto_caption", pack.auto_caption);
    return defaults;
}

std::vector<std::string> files_of(const std::string &folder) {
    std::vector<std::string> files;
    for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder)) {
        const std::string path = fs::relative(entry.path(), folder).string();
        if (entry.is_regular_file() && path != "pack.json" && entry.path().extension() != ".md")
            files.push_back(path);
    }
    std::sort(files.begin(), files.end());
    return files;
}

void write_description(const io::Pack &pack, const std::string &folder) {
    const JsonObject json(json_object_new_object(), json_object_put);
    json_object_object_add(json.get(), "schema", json_object_new_int(1));
    add_text(json.get(), "name", pack.name);
    add_text(json.get(), "license", pack.license);
    add_text(json.get(), "description", pack.description);
    json_object *control = json_object_new_object(), *controls = json_object_new_array(), *files = json_object_new_array();
    add_text(control, "type", "source");
    add_text(control, "folder", "controlnet");
    json_object_array_add(controls, control);
    json_object_object_add(json.get(), "controls", controls);
    json_object_object_add(json.get(), "defaults", defaults_of(pack));
    for (const std::string &path : files_of(folder)) {
        json_object *file = json_object_new_object();
        add_text(file, "path", path);
        add_text(file, "sha256", io::sha256_of_file(folder + "/" + path));
        json_object_array_add(files, file);
    }
    json_object_object_add(json.get(), "files", files);
    write_json(folder + "/pack.json", json.get());
}

} // namespace

void write_pack(const PackNetworks &networks, const std::string &shape, const std::string &folder) {
    const io::Pack pack = io::load_pack(shape);
    for (const char *component : {"vae", "unet", "controlnet", "text_encoder", "tokenizer", "scheduler"})
        fs::create_directories(folder + "/" + component);
    for (const char *path :
         {"unet/config.json", "controlnet/config.json", "text_encoder/config.json", "tokenizer/vocab.json", "tokenizer/merges.txt",
          "tokenizer/tokenizer_config.json", "scheduler/scheduler_config.json", "model_index.json"})
        copy_file(shape + "/" + path, folder + "/" + path);
    write_vae_config(networks, shape + "/vae/config.json", folder + "/vae/config.json");
    write_weights(networks.vae->module(), folder + "/vae/diffusion_pytorch_model.safetensors");
    write_weights(networks.unet->module(), folder + "/unet/diffusion_pytorch_model.safetensors");
    write_weights(networks.control->module(), folder + "/controlnet/diffusion_pytorch_model.safetensors");
    write_weights(networks.text->module(), folder + "/text_encoder/model.safetensors");
    write_description(pack, folder);
}

} // namespace aianime::train
