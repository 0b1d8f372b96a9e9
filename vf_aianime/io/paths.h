// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::io {

// Resolves a path written inside a template or pack below `folder`. Absolute paths, "..", "~", backslashes, URLs, NUL bytes and
// symbolic links that leave the folder throw Error (FORBIDDEN); a missing file throws Error (NOT_FOUND).
std::string resolve_below(const std::string &folder, const std::string &relative);

// The first of `folders` that holds `name`, joined with it; "" when none does.
std::string find_in(const std::vector<std::string> &folders, const std::string &name);

// Folder the library itself lies in, found through dladdr(); "" when it cannot be told.
std::string library_folder();

// Search paths, most specific first: the environment variable's folders (colon separated), the installed folder next to the library
// (../share/aianime/templates), the source tree (relative to the library in build/lib).
std::vector<std::string> template_folders(); // AIANIME_TEMPLATES
std::vector<std::string> model_folders();    // AIANIME_MODELS

} // namespace aianime::io
