// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace aianime::io {

enum class LicenseClass { unknown, commercial, noncommercial };

// "commercial", "noncommercial", "unknown".
const char *to_string(LicenseClass license);

// What is known of a file, or of every file with certain tensors.
struct KnownModel {
    std::string name;
    std::string purpose; // "" for a signature
    std::string license; // "CreativeML OpenRAIL-M"
    LicenseClass license_class = LicenseClass::unknown;
    std::string substitute; // where the class is noncommercial
    std::string sha256;     // "" = not known
    uint64_t size = 0;      // bytes, 0 = not known
    uint64_t about = 0;     // bytes, roughly
    // Tensors that the file has, and others that it has not; files listed by name have neither.
    std::vector<std::string> keys, without;
};

// models/manifest.json: the files of this field by name, size and hash, with their licences. Thread safety: const use from
// several threads.
class Manifest {
public:
    // Throws Error (NOT_FOUND, BAD_DATA, ...).
    static Manifest load(const std::string &path);
    // The one that was installed with the library, or of the source tree. Throws Error (NOT_FOUND) when neither is there.
    static Manifest shipped();

    const std::vector<KnownModel> &files() const { return files_; }
    // nullptr when none is known.
    const KnownModel *by_hash(const std::string &sha256) const;
    const KnownModel *by_name(const std::string &name) const; // "x.safetensors"; a name proves nothing
    const KnownModel *by_keys(const SafetensorsFile &file) const;
    // By keys, then by hash; the hash is computed only where a file of about that size is known.
    const KnownModel *identify(const SafetensorsFile &file) const;

private:
    std::vector<KnownModel> files_, signatures_;
};

// What a licence's own words say: "CC-BY-NC-4.0", "non-commercial", "research only" are noncommercial; unknown otherwise.
LicenseClass class_of_license(const std::string &text);

// For `license=commercial`: throws Error (FORBIDDEN) where a file at `path` (a safetensors file, or a folder of them with a
// pack.json or not) is known as noncommercial, naming its licence and the substitute. Files that nothing is known of pass.
void check_commercial(const std::string &path, const Manifest &manifest);

} // namespace aianime::io
