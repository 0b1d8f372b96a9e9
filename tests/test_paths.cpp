// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths inside templates and packs stay below their folder (case B12), and search paths.
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "io/paths.h"

using namespace aianime::io;
namespace fs = std::filesystem;

AIANIME_TEST(resolves_below_a_folder) {
    const TempFolder folder;
    write_file(folder.path("models/pocket/unet/config.json"), "{}");
    const std::string root = fs::canonical(folder.path("models")).string();
    ck_assert(resolve_below(folder.path("models"), "pocket") == root + "/pocket");
    ck_assert(resolve_below(folder.path("models"), "pocket/unet/config.json") == root + "/pocket/unet/config.json");
    ck_assert(resolve_below(folder.path("models") + "/", "./pocket//unet/") == root + "/pocket/unet");
    ck_assert(resolve_below(folder.path("models"), ".") == root);
    write_file(folder.path("models/..odd..name/x"), "");
    ck_assert(resolve_below(folder.path("models"), "..odd..name/x") == root + "/..odd..name/x");
    ck_assert(resolve_below("/", "dev/null") == "/dev/null");
}

AIANIME_TEST(missing_files) {
    const TempFolder folder;
    expect_error([&] { resolve_below(folder.path(), "none"); }, AIANIME_NOT_FOUND, "none");
    expect_error([&] { resolve_below(folder.path("none"), "x"); }, AIANIME_NOT_FOUND, "none");
    expect_error([&] { resolve_below(folder.path(), ""); }, AIANIME_BAD_DATA, "empty");
}

AIANIME_TEST(b12_forbidden_forms) {
    const TempFolder folder;
    write_file(folder.path("outside"), "");
    write_file(folder.path("models/x"), "");
    const std::string nul("x\0/../../outside", 16);
    for (const std::string &path :
         {std::string("../outside"), std::string("x/../../outside"), std::string(".."), std::string("models/.."),
          std::string("/etc/passwd"), folder.path("models/x"), std::string("~/x"), std::string("~root/x"),
          std::string("..\\outside"), std::string("a\\b"), std::string("https://example.org/x"), std::string("file:///etc/passwd"),
          std::string("C:/x"), nul, std::string("x\n")}) {
        expect_error([&] { resolve_below(folder.path("models"), path); }, AIANIME_FORBIDDEN, "stay below");
        expect_error([&] { check_relative(path, "t.json: model.base"); }, AIANIME_FORBIDDEN, "t.json: model.base: ");
    }
    check_relative("a/b.c-d_e", "t");
}

AIANIME_TEST(b12_links) {
    const TempFolder folder;
    write_file(folder.path("outside/secret"), "");
    write_file(folder.path("models/real/x"), "");
    write_file(folder.path("models-too/x"), "");
    fs::create_symlink("../outside/secret", folder.path("models/out"));
    fs::create_directory_symlink(folder.path("outside"), folder.path("models/folder-out"));
    fs::create_directory_symlink("../models-too", folder.path("models/sibling"));
    fs::create_directory_symlink("real", folder.path("models/in"));
    fs::create_symlink("loop", folder.path("models/loop"));
    for (const char *path : {"out", "folder-out/secret", "folder-out", "sibling/x"})
        expect_error([&] { resolve_below(folder.path("models"), path); }, AIANIME_FORBIDDEN, "a link that leaves the folder");
    expect_error([&] { resolve_below(folder.path("models"), "loop"); }, AIANIME_NOT_FOUND, "loop");
    ck_assert(resolve_below(folder.path("models"), "in/x") == fs::canonical(folder.path("models/real/x")).string());
    // The folder itself may be a link: the user chose it.
    fs::create_directory_symlink(folder.path("models"), folder.path("chosen"));
    ck_assert(resolve_below(folder.path("chosen"), "real/x") == fs::canonical(folder.path("models/real/x")).string());
}

AIANIME_TEST(finds_the_first) {
    const TempFolder folder;
    write_file(folder.path("b/pop.json"), "");
    write_file(folder.path("c/pop.json"), "");
    const std::vector<std::string> folders = {folder.path("a"), folder.path("b"), folder.path("c")};
    ck_assert(find_in(folders, "pop.json") == folder.path("b/pop.json"));
    ck_assert(find_in(folders, "ink.json").empty());
    ck_assert(find_in({}, "pop.json").empty());
}

AIANIME_TEST(search_path_begins_with_the_environment) {
    ck_assert_int_eq(setenv("AIANIME_TEMPLATES", "/one::/two", 1), 0);
    const std::vector<std::string> folders = template_folders();
    ck_assert_uint_ge(folders.size(), 2);
    ck_assert(folders[0] == "/one" && folders[1] == "/two");
    ck_assert_int_eq(unsetenv("AIANIME_TEMPLATES"), 0);
    ck_assert_uint_eq(template_folders().size(), folders.size() - 2);
    ck_assert_int_eq(setenv("AIANIME_MODELS", "", 1), 0);
    const std::vector<std::string> models = model_folders();
    ck_assert(
        std::all_of(models.begin(), models.end(), [](const std::string &m) { return m.find("/models") != std::string::npos; }));
}

// Linked into this program, the library's folder is the program's.
AIANIME_TEST(library_folder_is_absolute) {
    ck_assert(library_folder() == fs::canonical("/proc/self/exe").parent_path().string());
    ck_assert(chdir("/") == 0);
    ck_assert(is_folder(library_folder()) && !is_folder("/proc/self/exe") && !is_folder("/none"));
}

int main() {
    return run_suite("paths", {resolves_below_a_folder, missing_files, b12_forbidden_forms, b12_links, finds_the_first,
                               search_path_begins_with_the_environment, library_folder_is_absolute});
}
