// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::tools {

// The four things `aianime info` can describe. Each prints what it finds, incomplete things too, and returns AIANIME_OK when all
// is well, else the code of the first thing that is not. Throws Error for what cannot be described at all.
int describe_pack(const std::string &folder);
int describe_weights(const std::string &path);
int describe_template(const std::string &path);
int describe_captioner(const std::string &folder);

// Whether a folder is that of a WD tagger, of a whole CLIP or of a BLIP-2, whole or not.
bool is_captioner(const std::string &folder);

} // namespace aianime::tools
