// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/components.h"

#include "io/error.h"
#include "io/paths.h"

namespace aianime::pipeline {

namespace {

struct PartName {
    const char *folder;
    const char *text;
};

PartName name_of(Part part) {
    switch (part) {
    case Part::unet:
        return {"unet", "U-Net"};
    case Part::vae:
        return {"vae", "autoencoder"};
    case Part::text_encoder:
        return {"text_encoder", "text encoder"};
    case Part::controlnet:
        break;
    }
    return {"controlnet", "ControlNet"};
}

std::optional<nn::Component> find(const nn::SingleFile &file, Part part) {
    switch (part) {
    case Part::unet:
        return file.unet();
    case Part::vae:
        return file.vae();
    case Part::text_encoder:
        return file.text_encoder();
    case Part::controlnet:
        break;
    }
    return file.controlnet();
}

} // namespace

nn::Component component(const std::string &path, Part part) {
    if (io::is_folder(io::real_path(path)))
        return {nn::WeightSource::from_folder(path), io::Json::load(path + "/config.json")};
    std::optional<nn::Component> found = find(nn::SingleFile(path), part);
    if (!found)
        throw Error(AIANIME_BAD_DATA, path + ": there is no " + name_of(part).text +
                                          " in this file (aianime info tells what it holds)" +
                                          (part == Part::vae ? "; name an autoencoder with model.vae" : ""));
    return std::move(*found);
}

nn::Component base_component(const std::string &base, Part part) {
    return component(io::is_folder(io::real_path(base)) ? base + "/" + name_of(part).folder : base, part);
}

} // namespace aianime::pipeline
