// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "io/manifest.h"

namespace aianime::tools {

// What is known of a weight file's licence and how it is known. sha256: "" = not computed, then a hash is only looked for where a
// file of about that size is known.
struct Licence {
    io::LicenseClass license_class;
    std::string text; // "noncommercial: research only (IP-Adapter FaceID, told by its tensors); instead: ..."
};
Licence licence_of(const io::SafetensorsFile &file, const io::Manifest &manifest, const std::string &sha256 = "");

} // namespace aianime::tools
