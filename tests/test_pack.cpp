// SPDX-License-Identifier: LGPL-2.1-or-later
// Packs: the one in the tree, and damaged ones.
#include "support.h"

#include <filesystem>
#include <functional>
#include <numeric>

#include "io/json.h"
#include "io/pack.h"
#include "io/safetensors.h"

using namespace aianime::io;
namespace fs = std::filesystem;

namespace {

const std::string empty_sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string manifest(const std::string &more) { return R"({"schema": 1, "name": "n", "license": "MIT")" + more + "}"; }

std::string listed(const std::string &path, const std::string &sum) {
    return manifest(R"(, "files": [{"path": ")" + path + R"(", "sha256": ")" + sum + R"("}])");
}

void expect_refused(const std::string &pack_json, aianime_result code, const char *part) {
    const TempFolder folder;
    write_file(folder.path("pack.json"), pack_json);
    expect_error([&] { load_pack(folder.path()); }, code, part);
}

void expect_bad(const std::string &pack_json, const char *part) { expect_refused(pack_json, AIANIME_BAD_DATA, part); }

} // namespace

AIANIME_TEST(pocket_is_complete) {
    const Pack pack = load_pack(tests_folder() + "/../models/pocket");
    ck_assert_str_eq(pack.name.c_str(), "pocket");
    ck_assert_str_eq(pack.license.c_str(), "CC0-1.0");
    ck_assert_str_eq(pack.scheduler.c_str(), "ddim");
    ck_assert_int_eq(pack.steps, 4);
    ck_assert_int_ge(pack.size, 256);
    ck_assert_double_eq(pack.guidance, 1);
    ck_assert_double_eq(pack.strength, 1);
    ck_assert_uint_eq(pack.controls.size(), 1);
    ck_assert(pack.controls[0].type == "source" && pack.controls[0].folder == "controlnet");
    verify_pack(pack);
    // Nothing lies in the pack that its manifest does not name.
    size_t files = 0;
    for (const auto &entry : fs::recursive_directory_iterator(pack.folder))
        files += entry.is_regular_file() && entry.path().filename() != "README.md" && entry.path().filename() != "pack.json";
    ck_assert_uint_eq(files, pack.files.size());
}

// What a clone of the repository may cost, and what a step on two cores may.
AIANIME_TEST(pocket_is_small) {
    const fs::path folder = tests_folder() + "/../models/pocket";
    uintmax_t bytes = 0;
    for (const auto &entry : fs::recursive_directory_iterator(folder)) {
        bytes += entry.is_regular_file() ? entry.file_size() : 0;
        if (entry.path().extension() != ".safetensors")
            continue;
        const SafetensorsFile weights(entry.path().string());
        int64_t parameters = 0;
        for (const auto &[name, tensor] : weights.tensors()) {
            ck_assert_msg(tensor.dtype == DType::bf16, "%s: %s is no bfloat16", entry.path().c_str(), name.c_str());
            parameters += std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t{1}, std::multiplies<>());
        }
        ck_assert_int_gt(parameters, 0);
        if (entry.path().parent_path().filename() == "unet")
            ck_assert_int_le(parameters, 20000000);
    }
    ck_assert_uint_gt(bytes, 0);
    ck_assert_uint_le(bytes, 40000000);
}

AIANIME_TEST(a_vocabulary_is_strict_json) {
    const Json vocabulary = Json::load(tests_folder() + "/../models/pocket/tokenizer/vocab.json", size_t{4} << 20);
    ck_assert_uint_eq(vocabulary.keys().size(), 49408);
    ck_assert_int_eq(vocabulary.at("<|endoftext|>").integer(0, 1 << 20), 49407);
}

AIANIME_TEST(defaults_without_a_manifest) {
    const TempFolder folder;
    write_file(folder.path("some-model/unet/config.json"), "{}");
    const Pack pack = load_pack(folder.path("some-model/"));
    ck_assert_str_eq(pack.name.c_str(), "some-model");
    ck_assert(pack.license.empty() && pack.controls.empty() && pack.files.empty() && pack.scheduler.empty());
    ck_assert_int_eq(pack.steps, 20);
    ck_assert_int_eq(pack.size, 512);
    write_file(folder.path("other/model_index.json"), "{}");
    ck_assert(load_pack(folder.path("other")).name == "other");
}

AIANIME_TEST(what_is_no_pack) {
    const TempFolder folder;
    expect_error([&] { load_pack(folder.path("none")); }, AIANIME_NOT_FOUND, "none");
    write_file(folder.path("file"), "");
    ck_assert(load_pack(folder.path("file")).is_file()); // what is in it, its loader tells
    expect_error([&] { load_pack(folder.path()); }, AIANIME_BAD_DATA, "neither a pack");
    fs::create_directory(folder.path("pack.json"));
    expect_error([&] { load_pack(folder.path()); }, AIANIME_BAD_DATA, "a folder, not a regular file");
}

AIANIME_TEST(manifest_is_strict) {
    expect_bad("", "pack.json");
    expect_bad("[]", "expected an object");
    expect_bad(R"({"name": "n", "license": "MIT"})", "schema: is missing");
    expect_bad(R"({"schema": 2, "name": "n", "license": "MIT"})", "schema: 2 is not known");
    expect_bad(R"({"schema": "1", "name": "n", "license": "MIT"})", "schema: expected a whole number");
    expect_bad(R"({"schema": 1, "license": "MIT"})", "name: is missing");
    expect_bad(R"({"schema": 1, "name": "n"})", "license: is missing");
    expect_bad(manifest(R"(, "licence": "MIT")"), "did you mean \"license\"?");
    expect_bad(manifest(R"(, "defaults": {"step": 3})"), "did you mean \"steps\"?");
    expect_bad(manifest(R"(, "defaults": {"steps": "3"})"), "defaults.steps: expected a whole number");
    expect_refused(manifest(R"(, "defaults": {"steps": 0})"), AIANIME_OUT_OF_RANGE, "defaults.steps: 0 is outside 1 to 1000");
    expect_refused(manifest(R"(, "defaults": {"strength": 1.5})"), AIANIME_OUT_OF_RANGE, "defaults.strength");
    expect_refused(manifest(R"(, "defaults": {"guidance": -1})"), AIANIME_OUT_OF_RANGE, "defaults.guidance");
    expect_refused(manifest(R"(, "defaults": {"size": 8})"), AIANIME_OUT_OF_RANGE, "defaults.size");
    expect_bad(manifest(R"(, "controls": [{"type": "depth", "folder": "c"}])"), "controls[0].type: unknown value \"depth\"");
    expect_bad(manifest(R"(, "controls": [{"type": "source"}])"), "controls[0].folder: is missing");
    expect_bad(manifest(R"(, "files": {})"), "files: expected an array");
}

AIANIME_TEST(paths_stay_in_the_pack) {
    expect_refused(manifest(R"(, "controls": [{"type": "source", "folder": "../c"}])"), AIANIME_FORBIDDEN, "controls[0].folder");
    for (const char *path : {"../x", "/etc/passwd", "~/x", "a/../../x", "a\\\\b", "https://a/b"})
        expect_refused(listed(path, empty_sum), AIANIME_FORBIDDEN, "files[0].path");
    expect_bad(listed("", empty_sum), "empty");
    for (const std::string &sum :
         {std::string(""), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'), std::string(64, 'g')})
        expect_bad(listed("x", sum), "files[0].sha256");
    const std::string entry = R"({"path": "x", "sha256": ")" + empty_sum + "\"}";
    expect_bad(manifest(", \"files\": [" + entry + "," + entry + "]"), "files[1].path: \"x\" is there twice");
}

AIANIME_TEST(controls_are_there) {
    const TempFolder folder;
    write_file(folder.path("pack/pack.json"), manifest(R"(, "controls": [{"type": "source", "folder": "control"}])"));
    expect_error([&] { load_pack(folder.path("pack")); }, AIANIME_NOT_FOUND, "/control");
    fs::create_directory_symlink(folder.path(), folder.path("pack/control"));
    expect_error([&] { load_pack(folder.path("pack")); }, AIANIME_FORBIDDEN, "leaves the folder");
    fs::remove(folder.path("pack/control"));
    fs::create_directory(folder.path("pack/control"));
    ck_assert_uint_eq(load_pack(folder.path("pack")).controls.size(), 1);
}

AIANIME_TEST(hashes_are_compared) {
    const TempFolder folder;
    write_file(folder.path("pack/pack.json"), listed("x", empty_sum));
    const Pack pack = load_pack(folder.path("pack"));
    expect_error([&] { verify_pack(pack); }, AIANIME_NOT_FOUND, "/x");
    write_file(folder.path("pack/x"), "");
    verify_pack(pack);
    write_file(folder.path("pack/x"), "changed");
    expect_error([&] { verify_pack(pack); }, AIANIME_BAD_DATA, "\"x\" is not the file");
    // A link out of the pack is not followed, even to a file with the right content.
    fs::remove(folder.path("pack/x"));
    write_file(folder.path("outside"), "");
    fs::create_symlink("../outside", folder.path("pack/x"));
    expect_error([&] { verify_pack(pack); }, AIANIME_FORBIDDEN, "leaves the folder");
}

AIANIME_TEST(a31_hashes_that_must_be_there) {
    const TempFolder folder;
    write_file(folder.path("model_index.json"), "{}");
    expect_error([&] { aianime::io::require_hashes(load_pack(folder.path())); }, AIANIME_BAD_DATA, "lists its files' hashes");
    write_file(folder.path("x"), "abc");
    const auto write = [&](const std::string &sha256) {
        write_file(folder.path("pack.json"),
                   R"({"schema": 1, "name": "n", "license": "l", "files": [{"path": "x", "sha256": ")" + sha256 + "\"}]}");
    };
    write("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    aianime::io::require_hashes(load_pack(folder.path()));
    write("0a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_error([&] { aianime::io::require_hashes(load_pack(folder.path())); }, AIANIME_BAD_DATA, "SHA-256 differs");
}

int main() {
    return run_suite("pack", {pocket_is_complete, pocket_is_small, a_vocabulary_is_strict_json, defaults_without_a_manifest,
                              what_is_no_pack, manifest_is_strict, paths_stay_in_the_pack, controls_are_there, hashes_are_compared,
                              a31_hashes_that_must_be_there});
}
