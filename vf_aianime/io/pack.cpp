// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/pack.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "io/error.h"
#include "io/file.h"
#include "io/json.h"
#include "io/paths.h"
#include "io/text.h"

namespace aianime::io {

namespace fs = std::filesystem;

namespace {

constexpr size_t max_manifest_bytes = size_t{1} << 20;
constexpr size_t max_files = 1000;

bool exists(const std::string &path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

std::vector<PackControl> read_controls(const Json &json) {
    std::vector<PackControl> controls;
    for (size_t i = 0; i < json.size(); i++) {
        const Json entry = json.at(i);
        entry.only({"type", "folder"});
        const PackControl control{entry.at("type").choice({"source"}), entry.at("folder").string()};
        check_relative(control.folder, entry.at("folder").where());
        controls.push_back(control);
    }
    return controls;
}

bool is_sha256(const std::string &text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<PackFile> read_files(const Json &json) {
    std::vector<PackFile> files;
    std::set<std::string> seen;
    if (json.size() > max_files)
        throw Error(AIANIME_BAD_DATA, json.where() + ": more than " + std::to_string(max_files) + " entries");
    for (size_t i = 0; i < json.size(); i++) {
        const Json entry = json.at(i);
        entry.only({"path", "sha256"});
        const PackFile file{entry.at("path").string(), entry.at("sha256").string()};
        check_relative(file.path, entry.at("path").where());
        if (!seen.insert(file.path).second)
            throw Error(AIANIME_BAD_DATA, entry.at("path").where() + ": " + quoted(file.path) + " is there twice");
        if (!is_sha256(file.sha256))
            throw Error(AIANIME_BAD_DATA, entry.at("sha256").where() + ": expected 64 hexadecimal digits in lower case");
        files.push_back(file);
    }
    return files;
}

void read_defaults(const Json &json, Pack &pack) {
    json.only({"steps", "guidance", "strength", "noise_offset", "size", "scheduler", "auto_caption"});
    if (json.has("steps"))
        pack.steps = static_cast<int>(json.at("steps").integer(1, 1000));
    if (json.has("guidance"))
        pack.guidance = json.at("guidance").number(0, 50);
    if (json.has("strength"))
        pack.strength = json.at("strength").number(0, 1);
    if (json.has("noise_offset"))
        pack.noise_offset = json.at("noise_offset").number(0, 1);
    if (json.has("size"))
        pack.size = static_cast<int>(json.at("size").integer(16, 4096));
    if (json.has("scheduler"))
        pack.scheduler = json.at("scheduler").string();
    if (json.has("auto_caption"))
        pack.auto_caption = json.at("auto_caption").string();
}

void read_manifest(const std::string &path, Pack &pack) {
    const Json json = Json::load(path, max_manifest_bytes);
    json.only({"schema", "name", "license", "description", "controls", "defaults", "files"});
    const int64_t schema = json.at("schema").integer(INT64_MIN, INT64_MAX);
    if (schema != 1)
        throw Error(AIANIME_BAD_DATA, json.at("schema").where() + ": " + std::to_string(schema) + " is not known, only 1 is");
    pack.name = json.at("name").string();
    pack.license = json.at("license").string();
    if (json.has("description"))
        pack.description = json.at("description").string();
    if (json.has("controls"))
        pack.controls = read_controls(json.at("controls"));
    if (json.has("defaults"))
        read_defaults(json.at("defaults"), pack);
    if (json.has("files"))
        pack.files = read_files(json.at("files"));
}

std::string last_part(const std::string &folder) {
    const fs::path path = fs::path(folder).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
}

} // namespace

Pack load_pack(const std::string &folder) {
    Pack pack;
    if (!is_folder(real_path(folder))) {
        pack.file = folder;
        pack.name = fs::path(folder).stem().string();
        return pack;
    }
    pack.folder = folder;
    if (exists(folder + "/pack.json")) {
        read_manifest(folder + "/pack.json", pack);
        for (const PackControl &control : pack.controls)
            resolve_below(folder, control.folder);
        return pack;
    }
    if (!exists(folder + "/model_index.json") && !exists(folder + "/unet/config.json"))
        throw Error(AIANIME_BAD_DATA, printable(folder) + ": neither a pack (pack.json) nor a diffusers folder (model_index.json)");
    pack.name = last_part(folder);
    return pack;
}

void verify_pack(const Pack &pack) {
    for (const PackFile &file : pack.files)
        if (sha256_of_file(resolve_below(pack.folder, file.path)) != file.sha256)
            throw Error(AIANIME_BAD_DATA, printable(pack.folder) + ": " + quoted(file.path) +
                                              " is not the file that pack.json names (SHA-256 differs): fetch the pack again");
}

void require_hashes(const Pack &pack) {
    if (pack.files.empty())
        throw Error(AIANIME_BAD_DATA,
                    printable(pack.path()) + ": require_hash wants a pack whose pack.json lists its files' hashes");
    verify_pack(pack);
}

} // namespace aianime::io
