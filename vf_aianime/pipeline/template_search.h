// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::pipeline {

// The file that a template's name or path stands for (docs/templates.md). Throws Error (NOT_FOUND) with the folders searched.
std::string find_template(const std::string &name_or_path);

// "templates/pop.json" -> "pop".
std::string template_name(const std::string &path);

} // namespace aianime::pipeline
