// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/license_gate.h"

#include <algorithm>
#include <string>
#include <vector>

#include "io/manifest.h"

namespace aianime::pipeline {

namespace {

std::vector<std::string> model_files(const Settings &settings) {
    std::vector<std::string> paths = {settings.pack.path()};
    paths.push_back(settings.vae);
    for (const Settings::Control &control : settings.controls) {
        paths.push_back(control.path);
        paths.push_back(control.annotator);
    }
    for (const nn::LoraUse &lora : settings.loras)
        paths.push_back(lora.file);
    for (const EmbeddingSettings &embedding : settings.embeddings)
        paths.push_back(embedding.file);
    for (const std::string &path :
         {settings.motion, settings.flow_model, settings.identity.ip_adapter, settings.identity.image_encoder,
          settings.caption_model, settings.identity.detector, settings.identity.recognizer})
        paths.push_back(path);
    paths.erase(std::remove(paths.begin(), paths.end(), ""), paths.end());
    return paths;
}

} // namespace

void check_licenses(const Settings &settings) {
    if (!settings.commercial)
        return;
    const io::Manifest manifest = io::Manifest::shipped();
    for (const std::string &path : model_files(settings))
        io::check_commercial(path, manifest);
}

} // namespace aianime::pipeline
