// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string>

#include "io/error.h"
#include "io/json.h"
#include "io/text.h"
#include "pipeline/settings.h"
#include "pipeline/template.h"
#include "tools/info.h"
#include "tools/report.h"

namespace aianime::tools {

namespace {

std::string or_none(const std::string &text) { return text.empty() ? "none" : io::printable(text); }

// The template's fields completed by its pack's defaults: what a run would do.
void print_settings(const pipeline::Settings &settings) {
    const pipeline::Template &style = settings.style;
    print_line("base", settings.pack.path());
    if (!settings.vae.empty())
        print_line("vae", settings.vae);
    for (const pipeline::Settings::Control &control : settings.controls)
        print_line("control", control.settings.type + ", scale " + number_text(control.settings.scale) + ": " + control.path);
    print_line("sampling", plural(static_cast<uint64_t>(settings.steps), "step") + ", " +
                               (settings.scheduler.empty() ? "the pack's scheduler" : settings.scheduler) + ", guidance " +
                               number_text(settings.guidance) + ", strength " + number_text(settings.strength) +
                               (settings.noise_offset > 0 ? ", noise offset " + number_text(settings.noise_offset) : "") +
                               ", size " + std::to_string(settings.size) + ", seed " + std::to_string(style.seed));
    print_line("coherence", std::string("method ") + pipeline::to_string(style.method) + ", attention " +
                                pipeline::to_string(style.attention) + ", window " + std::to_string(style.window) + ", overlap " +
                                std::to_string(style.overlap) + ", segment " + std::to_string(style.segment) + ", noise " +
                                pipeline::to_string(style.noise));
    if (!settings.flow_model.empty())
        print_line("flow", std::string(pipeline::to_string(style.flow)) + ", " +
                               plural(static_cast<uint64_t>(style.flow_updates), "update") + ": " + settings.flow_model);
    print_line("time", (style.generate_fps == 0 ? "every frame generated"
                                                : number_text(style.generate_fps) + " generated frames a second") +
                           ", between them: " + pipeline::to_string(style.interpolate));
}

} // namespace

int describe_template(const std::string &path) {
    const pipeline::Template style = pipeline::load_template(path);
    const io::Json json = io::Json::load(path);
    print_line("template", io::printable(style.name) + ", " + io::printable(path));
    if (json.has("description"))
        print_line("description", io::printable(json.at("description").string()));
    print_line("prompt", or_none(style.positive));
    print_line("negative", or_none(style.negative));
    print_line("base", io::printable(style.base));
    aianime_settings given = {};
    given.struct_size = sizeof(given);
    given.template_path = path.c_str();
    std::vector<std::string> overrides;
    try {
        print_settings(pipeline::resolve_settings(given, overrides));
    } catch (const Error &error) {
        print_problem(error.what());
        return error.code();
    }
    print_line("complete", "yes; `aianime info " + io::printable(style.base) + "` checks the pack");
    return AIANIME_OK;
}

} // namespace aianime::tools
