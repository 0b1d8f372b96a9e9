// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/info.h"

#include <filesystem>

#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "pipeline/template_search.h"
#include "tools/verbs.h"

namespace aianime::tools {

namespace fs = std::filesystem;

namespace {

int describe_folder(const std::string &folder) { return is_captioner(folder) ? describe_captioner(folder) : describe_pack(folder); }

// A bare name is that of a pack or of a template, as everywhere.
int describe_name(const std::string &name) {
    const std::string pack = io::find_in(io::model_folders(), name);
    if (io::is_folder(pack))
        return describe_folder(pack);
    std::string path;
    try {
        path = pipeline::find_template(name);
    } catch (const Error &error) {
        throw Error(error.code(),
                    "no file or folder here, no pack in " + io::joined(io::model_folders()) + ", and " + error.what());
    }
    return describe_template(path);
}

int run_info(const Arguments &arguments) {
    if (arguments.size() != 1)
        throw Error(AIANIME_INVALID, "info: one path or name is needed");
    const std::string &path = arguments[0];
    std::error_code ignored;
    if (path.find('/') == std::string::npos && !fs::exists(path, ignored))
        return describe_name(path);
    if (io::is_folder(path))
        return describe_folder(path);
    if (fs::path(path).extension() == ".json")
        return describe_template(path);
    return describe_weights(path);
}

} // namespace

const Verb info_verb = {
    "info", "what a pack, a diffusers folder, a weight file, a captioner or a template is, and whether it is complete",
    "usage: aianime info PATH|NAME\n\n"
    "PATH is a pack or diffusers folder, the folder of a captioner (a WD tagger, a whole CLIP, a BLIP-2), a safetensors file, or "
    "a\n"
    "template (.json). A bare NAME is looked for among\n"
    "the packs and templates (AIANIME_MODELS, AIANIME_TEMPLATES, the installed folders, the source tree).\n"
    "Of a weight file: kind, dialect, precision, licence, what it fits, and whether its numbers are finite; told by its\n"
    "tensors' names and shapes, never by its name.\n"
    "Hashes of a pack's files are compared, and every tensor's name and shape with what its config.json asks for.\n"
    "The exit status is 0 when all is complete, else that of the failure a run would end with.\n",
    run_info};

} // namespace aianime::tools
