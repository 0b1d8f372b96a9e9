// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/manifest.h"

#include <algorithm>
#include <filesystem>

#include "io/error.h"
#include "io/json.h"
#include "io/pack.h"
#include "io/paths.h"
#include "io/system_error.h"
#include "io/text.h"

namespace aianime::io {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> strings(const Json &json) {
    std::vector<std::string> result;
    for (size_t i = 0; i < json.size(); i++)
        result.push_back(json.at(i).string());
    return result;
}

LicenseClass read_class(const Json &json) {
    const std::string text = json.choice({"commercial", "noncommercial", "unknown"});
    return text == "commercial"      ? LicenseClass::commercial
           : text == "noncommercial" ? LicenseClass::noncommercial
                                     : LicenseClass::unknown;
}

KnownModel read_model(const Json &json) {
    json.only({"name", "purpose", "license", "class", "source", "size", "about", "sha256", "substitute", "keys", "without"});
    const auto text = [&](const char *key) { return json.has(key) ? json.at(key).string() : std::string(); };
    const auto number = [&](const char *key) { return json.has(key) ? json.at(key).unsigned_integer() : 0; };
    KnownModel model;
    model.name = json.at("name").string();
    model.purpose = text("purpose");
    model.license = json.at("license").string();
    model.license_class = read_class(json.at("class"));
    model.substitute = text("substitute");
    model.sha256 = text("sha256");
    model.size = number("size");
    model.about = number("about");
    if (json.has("keys"))
        model.keys = strings(json.at("keys"));
    if (json.has("without"))
        model.without = strings(json.at("without"));
    if (model.license_class == LicenseClass::noncommercial && model.substitute.empty())
        throw Error(AIANIME_BAD_DATA, json.where() + ": a noncommercial file needs a substitute");
    return model;
}

std::vector<KnownModel> read_models(const Json &json) {
    std::vector<KnownModel> models;
    for (size_t i = 0; i < json.size(); i++)
        models.push_back(read_model(json.at(i)));
    return models;
}

// Sizes of pages are rounded.
bool has_about_size(const KnownModel &model, uint64_t bytes) {
    const uint64_t slack = model.about / 32;
    return model.size ? model.size == bytes : bytes + slack >= model.about && bytes <= model.about + slack;
}

bool fits(const KnownModel &model, const SafetensorsFile &file) {
    const auto there = [&](const std::string &key) { return file.tensors().count(key) != 0; };
    return !model.keys.empty() && std::all_of(model.keys.begin(), model.keys.end(), there) &&
           std::none_of(model.without.begin(), model.without.end(), there);
}

[[noreturn]] void refuse(const std::string &what, const std::string &license, const std::string &substitute) {
    throw Error(AIANIME_FORBIDDEN, what + " is not for commercial use (" + license + "), and license=commercial is set" +
                                       (substitute.empty() ? "; choose another model" : "; use " + substitute + " instead"));
}

void check_file(const std::string &path, const Manifest &manifest) {
    const KnownModel *known = manifest.identify(SafetensorsFile(path));
    if (known && known->license_class == LicenseClass::noncommercial)
        refuse(printable(path) + ": " + known->name, known->license, known->substitute);
}

} // namespace

const char *to_string(LicenseClass license) {
    switch (license) {
    case LicenseClass::commercial:
        return "commercial";
    case LicenseClass::noncommercial:
        return "noncommercial";
    case LicenseClass::unknown:
        break;
    }
    return "unknown";
}

Manifest Manifest::load(const std::string &path) {
    const Json json = Json::load(path);
    json.only({"schema", "files", "signatures"});
    json.at("schema").integer(1, 1);
    Manifest manifest;
    manifest.files_ = read_models(json.at("files"));
    manifest.signatures_ = read_models(json.at("signatures"));
    return manifest;
}

Manifest Manifest::shipped() {
    const std::string path = shipped_file("models/manifest.json", "models/manifest.json");
    if (path.empty())
        throw Error(AIANIME_NOT_FOUND,
                    "models/manifest.json, which tells licences, is neither installed nor in the source tree; make install");
    return load(path);
}

const KnownModel *Manifest::by_hash(const std::string &sha256) const {
    const auto found = std::find_if(files_.begin(), files_.end(),
                                    [&](const KnownModel &model) { return !sha256.empty() && model.sha256 == sha256; });
    return found == files_.end() ? nullptr : &*found;
}

const KnownModel *Manifest::by_name(const std::string &name) const {
    const auto found = std::find_if(files_.begin(), files_.end(), [&](const KnownModel &model) { return model.name == name; });
    return found == files_.end() ? nullptr : &*found;
}

const KnownModel *Manifest::by_keys(const SafetensorsFile &file) const {
    const auto found =
        std::find_if(signatures_.begin(), signatures_.end(), [&](const KnownModel &model) { return fits(model, file); });
    return found == signatures_.end() ? nullptr : &*found;
}

const KnownModel *Manifest::identify(const SafetensorsFile &file) const {
    if (const KnownModel *known = by_keys(file))
        return known;
    const uint64_t bytes = file.bytes();
    const auto possible = [&](const KnownModel &model) { return !model.sha256.empty() && has_about_size(model, bytes); };
    return std::any_of(files_.begin(), files_.end(), possible) ? by_hash(sha256_of_file(file.path())) : nullptr;
}

LicenseClass class_of_license(const std::string &text) {
    std::string words = " ";
    for (char c : text)
        words += c >= 'A' && c <= 'Z'                               ? static_cast<char>(c - 'A' + 'a')
                 : (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c
                                                                    : ' ';
    words += " ";
    for (const char *mark : {" nc ", " noncommercial ", " non commercial ", " research only "})
        if (words.find(mark) != std::string::npos)
            return LicenseClass::noncommercial;
    return LicenseClass::unknown;
}

void check_commercial(const std::string &path, const Manifest &manifest) {
    if (!is_folder(path))
        return check_file(path, manifest);
    std::error_code ignored;
    if (fs::exists(path + "/pack.json", ignored))
        if (const Pack pack = load_pack(path); class_of_license(pack.license) == LicenseClass::noncommercial)
            refuse(printable(path) + ": the pack " + quoted(pack.name), printable(pack.license), "");
    std::error_code error;
    for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().extension() == ".safetensors" && entry->is_regular_file(ignored))
            check_file(entry->path().string(), manifest);
    if (error)
        throw system_error(path, "cannot be looked through", error.value());
}

} // namespace aianime::io
