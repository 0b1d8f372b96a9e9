// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/paths.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <system_error>

#include "io/error.h"
#include "io/text.h"

namespace aianime::io {

namespace fs = std::filesystem;

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool has_parent_step(const std::string &path) {
    std::istringstream parts(path);
    for (std::string part; std::getline(parts, part, '/');)
        if (part == "..")
            return true;
    return false;
}

// Why a path may not stand in a template or pack, nullptr when it may.
const char *forbidden_form(const std::string &path) {
    if (std::any_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
        return "holds a control byte";
    if (path[0] == '/')
        return "is absolute";
    if (path[0] == '~')
        return "names a home folder";
    if (path.find('\\') != std::string::npos)
        return "holds a backslash";
    if (path.find("://") != std::string::npos)
        return "is a URL";
    if (path.size() >= 2 && path[1] == ':' && is_letter(path[0]))
        return "names a drive";
    if (has_parent_step(path))
        return "leaves its folder by \"..\"";
    return nullptr;
}

void add_from_environment(std::vector<std::string> &folders, const char *variable) {
    const char *value = std::getenv(variable);
    std::istringstream parts(value ? value : "");
    for (std::string part; std::getline(parts, part, ':');)
        if (!part.empty())
            folders.push_back(part);
}

std::vector<std::string> search_path(const char *variable, const char *name) {
    std::vector<std::string> folders;
    add_from_environment(folders, variable);
    const std::string library = library_folder();
    if (library.empty())
        return folders;
    const fs::path base = fs::path(library).parent_path();
    folders.push_back((base / "share" / "aianime" / name).string());
    const fs::path tree = base.parent_path();
    if (std::error_code ignored; fs::exists(tree / "templates" / "schema.json", ignored))
        folders.push_back((tree / name).string());
    return folders;
}

} // namespace

void check_relative(const std::string &relative, const std::string &where) {
    if (relative.empty())
        throw Error(AIANIME_BAD_DATA, where + ": the path is empty");
    if (const char *why = forbidden_form(relative))
        throw Error(AIANIME_FORBIDDEN,
                    where + ": " + quoted(relative) + " " + why + "; paths are relative and stay below their folder");
}

std::string resolve_below(const std::string &folder, const std::string &relative) {
    check_relative(relative, printable(folder));
    const std::string root = real_path(folder);
    const std::string result = real_path(folder + "/" + relative);
    const std::string below = root == "/" ? root : root + "/";
    if (result != root && result.compare(0, below.size(), below) != 0)
        throw Error(AIANIME_FORBIDDEN, printable(folder) + ": " + quoted(relative) + " is a link that leaves the folder");
    return result;
}

std::string find_in(const std::vector<std::string> &folders, const std::string &name) {
    for (const std::string &folder : folders) {
        const std::string path = (fs::path(folder) / name).string();
        if (struct stat status; stat(path.c_str(), &status) == 0)
            return path;
    }
    return "";
}

std::string real_path(const std::string &path) {
    const std::unique_ptr<char, decltype(&std::free)> result(realpath(path.c_str(), nullptr), std::free);
    if (result)
        return result.get();
    const int error = errno;
    const std::string text = printable(path) + ": " + std::generic_category().message(error);
    throw Error(error == EACCES ? AIANIME_FORBIDDEN : AIANIME_NOT_FOUND, text);
}

bool is_folder(const std::string &path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

std::string shipped_file(const std::string &installed, const std::string &in_tree) {
    const fs::path base = fs::path(library_folder()).parent_path();
    for (const fs::path &path : {base / "share" / "aianime" / installed, base.parent_path() / in_tree})
        if (std::error_code ignored; !base.empty() && fs::exists(path, ignored))
            return path.string();
    return "";
}

std::string library_folder() {
    Dl_info info;
    std::error_code error;
    if (!dladdr(reinterpret_cast<const void *>(&library_folder), &info) || !info.dli_fname)
        return "";
    fs::path file = fs::canonical(info.dli_fname, error);
    // Linked into a program, the name is how the program was called, which need not be a path from here.
    if (error || std::string(info.dli_fname).find('/') == std::string::npos)
        file = fs::canonical("/proc/self/exe", error);
    return error ? "" : file.parent_path().string();
}

std::vector<std::string> template_folders() { return search_path("AIANIME_TEMPLATES", "templates"); }

std::vector<std::string> model_folders() { return search_path("AIANIME_MODELS", "models"); }

} // namespace aianime::io
