// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::io {

// Refuses what must not stand as a path inside a template or pack: absolute paths, "..", "~", backslashes, URLs, control and NUL
// bytes throw Error (FORBIDDEN), an empty path Error (BAD_DATA). `where` is what the message begins with, file and field.
void check_relative(const std::string &relative, const std::string &where);

// Resolves a path written inside a template or pack below `folder`. Absolute paths, "..", "~", backslashes, URLs, NUL bytes and
// symbolic links that leave the folder throw Error (FORBIDDEN); a missing file throws Error (NOT_FOUND). The result has no links
// left.
std::string resolve_below(const std::string &folder, const std::string &relative);

// The first of `folders` that holds `name`, joined with it; "" when none does.
std::string find_in(const std::vector<std::string> &folders, const std::string &name);

// The absolute path without links. Throws Error (NOT_FOUND, FORBIDDEN).
std::string real_path(const std::string &path);

// Whether `path` is a folder; links are followed.
bool is_folder(const std::string &path);

// Folder the library itself lies in, found through dladdr(); "" when it cannot be told.
std::string library_folder();

// A file that comes with the library: `installed` below share/aianime beside the library's folder, else `in_tree` below the source
// tree; "" when it is in neither. Other folders are not looked into.
std::string shipped_file(const std::string &installed, const std::string &in_tree);

// Search paths, most specific first: the environment variable's folders (colon separated), the installed folder next to the library
// (../share/aianime/templates), the source tree (two folders above the library in build/lib, where it is one).
std::vector<std::string> template_folders(); // AIANIME_TEMPLATES
std::vector<std::string> model_folders();    // AIANIME_MODELS

} // namespace aianime::io
