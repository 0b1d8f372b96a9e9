// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/license_gate.h"

#include <string>
#include <vector>

#include "io/manifest.h"

namespace aianime::pipeline {

namespace {

std::vector<std::string> model_files(const Settings &settings) {
    std::vector<std::string> paths = {settings.pack.path()};
    if (!settings.vae.empty())
        paths.push_back(settings.vae);
    for (const Settings::Control &control : settings.controls)
        paths.push_back(control.path);
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
