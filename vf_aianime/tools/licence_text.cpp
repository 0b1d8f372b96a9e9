// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/licence_text.h"

#include <filesystem>

#include "io/text.h"

namespace aianime::tools {

namespace {

Licence known(const io::KnownModel &model, const std::string &how) {
    const std::string instead = model.substitute.empty() ? "" : "; instead: " + model.substitute;
    return {model.license_class, std::string(io::to_string(model.license_class)) + ": " + model.license + " (" + model.name + ", " +
                                     how + ")" + instead};
}

} // namespace

Licence licence_of(const io::SafetensorsFile &file, const io::Manifest &manifest, const std::string &sha256) {
    if (const io::KnownModel *model = manifest.by_keys(file))
        return known(*model, "told by its tensors");
    if (const io::KnownModel *model = sha256.empty() ? manifest.identify(file) : manifest.by_hash(sha256))
        return known(*model, "told by its hash");
    const auto stated = file.metadata().find("modelspec.license");
    if (stated != file.metadata().end() && !stated->second.empty())
        return {io::class_of_license(stated->second), std::string(io::to_string(io::class_of_license(stated->second))) +
                                                          ", the file says: " + io::printable(stated->second, 80)};
    const io::KnownModel *same_name = manifest.by_name(std::filesystem::path(file.path()).filename().string());
    if (same_name && same_name->sha256.empty())
        return {io::LicenseClass::unknown, std::string("unknown; the file that is known by this name: ") + same_name->license};
    return {io::LicenseClass::unknown, "unknown; see where it was downloaded"};
}

} // namespace aianime::tools
