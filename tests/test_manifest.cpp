// SPDX-License-Identifier: LGPL-2.1-or-later
// models/manifest.json, and what license=commercial refuses by keys, by hash and by a pack's own words.
#include "support.h"

#include <set>

#include "io/manifest.h"
#include "io/safetensors_writer.h"

using namespace aianime::io;

namespace {

// A file of one-element tensors.
void write_names(const std::string &path, const std::vector<std::string> &names) {
    static const float one = 1;
    std::map<std::string, TensorData> tensors;
    for (const std::string &name : names)
        tensors[name] = {DType::f32, {1}, &one};
    write_safetensors(path, tensors);
}

void expect_forbidden(const std::string &path, const char *part) {
    expect_error([&] { check_commercial(path, Manifest::shipped()); }, AIANIME_FORBIDDEN, part);
}

} // namespace

AIANIME_TEST(the_shipped_one_is_sound) {
    const Manifest manifest = Manifest::shipped();
    ck_assert_uint_gt(manifest.files().size(), 100);
    std::set<std::string> names, hashes;
    for (const KnownModel &model : manifest.files()) {
        ck_assert_msg(names.insert(model.name).second, "%s is there twice", model.name.c_str());
        ck_assert(!model.purpose.empty() && !model.license.empty());
        ck_assert(model.size == 0 || model.about == 0);
        if (model.sha256.empty())
            continue;
        ck_assert(model.sha256.size() == 64 && model.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
        ck_assert_msg(hashes.insert(model.sha256).second, "%s has the hash of another", model.name.c_str());
        ck_assert(manifest.by_hash(model.sha256) == &model);
    }
    ck_assert(manifest.by_name("buffalo_l")->license_class == LicenseClass::noncommercial);
    ck_assert(manifest.by_name("taesd_encoder.pth")->license_class == LicenseClass::commercial);
    ck_assert(manifest.by_name("none") == nullptr && manifest.by_hash("") == nullptr);
}

AIANIME_TEST(refused_by_keys) {
    const TempFolder folder;
    const std::string path = folder.path("innocent.safetensors");
    write_names(path, {"ip_adapter.0.to_q_lora.down.weight", "image_proj.proj.0.weight"});
    expect_forbidden(path, "IP-Adapter FaceID is not for commercial use (non-commercial, research only), and license=commercial is "
                           "set; use ip-adapter-plus-face_sd15.safetensors (Apache-2.0) instead");
    write_names(path, {"image_proj.proj.0.weight", "image_proj.proj.2.weight", "ip_adapter.1.to_k_ip.weight"});
    expect_forbidden(path, "FaceID portrait");
    write_names(path, {"query_tokens", "language_model.model.decoder.embed_positions.weight"});
    expect_forbidden(path, "use wd-vit-tagger-v3");
    write_names(path, {"conv1_1.weight", "Mconv7_stage6_L2.weight"});
    expect_forbidden(path, "OpenPose body network is not for commercial use");
    // The full face adapter has another layer behind the one that marks the portrait.
    write_names(path, {"image_proj.proj.0.weight", "image_proj.proj.2.weight", "image_proj.proj.3.weight"});
    check_commercial(path, Manifest::shipped());
    write_names(path, {"anything.weight"});
    check_commercial(path, Manifest::shipped());
}

AIANIME_TEST(refused_by_hash) {
    const TempFolder folder;
    const std::string path = folder.path("renamed.safetensors"), list = folder.path("manifest.json");
    write_names(path, {"lora.down.weight", "lora.up.weight"});
    const std::string bytes = std::to_string(SafetensorsFile(path).bytes()), hash = sha256_of_file(path);
    const auto manifest = [&](const std::string &size, const std::string &sha256, const char *license) {
        write_file(list,
                   "{\"schema\": 1, \"signatures\": [], \"files\": [{\"name\": \"face_lora.safetensors\", \"license\": \"NC\", "
                   "\"substitute\": \"another\", " +
                       size + ", \"sha256\": \"" + sha256 + "\", \"class\": \"" + license + "\"}]}");
        return Manifest::load(list);
    };
    const auto refused = [&](const Manifest &known) {
        expect_error([&] { check_commercial(path, known); }, AIANIME_FORBIDDEN, "face_lora.safetensors is not for commercial use");
    };
    refused(manifest("\"size\": " + bytes, hash, "noncommercial"));
    refused(manifest("\"about\": " + std::to_string(SafetensorsFile(path).bytes() + 2), hash, "noncommercial"));
    check_commercial(path, manifest("\"size\": " + bytes, hash, "unknown"));
    check_commercial(path, manifest("\"size\": " + bytes, std::string(64, '0'), "noncommercial"));
    check_commercial(path, manifest("\"size\": 1", hash, "noncommercial")); // another size is another file
    // A folder is looked through.
    expect_error([&] { check_commercial(folder.path(), manifest("\"size\": " + bytes, hash, "noncommercial")); }, AIANIME_FORBIDDEN,
                 "renamed.safetensors: face_lora");
}

AIANIME_TEST(refused_by_a_packs_words) {
    const TempFolder folder;
    const auto pack = [&](const char *license) {
        write_file(folder.path("p/pack.json"), std::string("{\"schema\": 1, \"name\": \"p\", \"license\": \"") + license + "\"}");
        return folder.path("p");
    };
    expect_forbidden(pack("CC-BY-NC-4.0"), "the pack \"p\" is not for commercial use (CC-BY-NC-4.0)");
    expect_forbidden(pack("for research only"), "choose another model");
    check_commercial(pack("CC0-1.0"), Manifest::shipped());
    ck_assert(class_of_license("Non-Commercial") == LicenseClass::noncommercial);
    ck_assert(class_of_license("MIT, since 1999; ncurses") == LicenseClass::unknown);
}

AIANIME_TEST(bad_manifests) {
    const TempFolder folder;
    const auto bad = [&](const std::string &json, const char *part) {
        write_file(folder.path("m"), json);
        expect_error([&] { Manifest::load(folder.path("m")); }, AIANIME_BAD_DATA, part);
    };
    bad("{\"schema\": 1, \"files\": []}", "signatures");
    bad("{\"schema\": 1, \"files\": [{\"name\": \"x\", \"license\": \"y\", \"class\": \"free\"}], \"signatures\": []}", "class");
    bad("{\"schema\": 1, \"files\": [{\"name\": \"x\", \"license\": \"y\", \"class\": \"noncommercial\"}], \"signatures\": []}",
        "substitute");
    expect_error([&] { Manifest::load(folder.path("none")); }, AIANIME_NOT_FOUND, "none");
}

int main() {
    return run_suite("manifest",
                     {the_shipped_one_is_sound, refused_by_keys, refused_by_hash, refused_by_a_packs_words, bad_manifests});
}
