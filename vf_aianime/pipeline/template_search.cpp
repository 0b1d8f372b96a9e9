// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/template_search.h"

#include <filesystem>
#include <map>

#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "pipeline/template.h"

namespace aianime::pipeline {

namespace fs = std::filesystem;

namespace {

constexpr const char *schema_file = "schema.json"; // lies beside the templates for editors

bool is_file(const std::string &path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

bool ends_in_json(const std::string &name) { return fs::path(name).extension() == ".json"; }

[[noreturn]] void not_found(const std::string &name, const std::vector<std::string> &folders) {
    std::vector<std::string> names;
    for (const std::string &path : installed_templates())
        names.push_back(template_name(path));
    throw Error(AIANIME_NOT_FOUND, "template " + io::quoted(name) + ": not found in " + io::printable(io::joined(folders), 600) +
                                       (names.empty() ? "; set AIANIME_TEMPLATES to the folder that holds it"
                                                      : io::suggestion(template_name(name), names)));
}

} // namespace

std::string template_name(const std::string &path) {
    const fs::path name = fs::path(path).filename();
    return (ends_in_json(path) ? name.stem() : name).string();
}

std::string find_template(const std::string &name_or_path) {
    const bool is_path = name_or_path.find('/') != std::string::npos;
    if (is_path && !is_file(name_or_path) && !ends_in_json(name_or_path) && is_file(name_or_path + ".json"))
        return name_or_path + ".json";
    if (is_path || (ends_in_json(name_or_path) && is_file(name_or_path)))
        return name_or_path;
    const std::vector<std::string> folders = io::template_folders();
    const std::string file = ends_in_json(name_or_path) ? name_or_path : name_or_path + ".json";
    const std::string found = name_or_path.empty() ? "" : io::find_in(folders, file);
    if (found.empty())
        not_found(name_or_path, folders);
    return found;
}

std::vector<std::string> installed_templates() {
    std::map<std::string, std::string> by_name;
    for (const std::string &folder : io::template_folders()) {
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
            const std::string path = entry->path().string();
            if (is_file(path) && ends_in_json(path) && entry->path().filename() != schema_file)
                by_name.emplace(template_name(path), path);
        }
    }
    std::vector<std::string> paths;
    for (const auto &[name, path] : by_name)
        paths.push_back(path);
    return paths;
}

} // namespace aianime::pipeline
