// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

std::string tests_folder() {
    const char *folder = std::getenv("AIANIME_TESTS");
    return folder && *folder ? folder : "tests";
}

TempFolder::TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "aianime-test-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
        ck_abort_msg("cannot make a temporary folder like %s", pattern.c_str());
    path_ = pattern;
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void write_file(const std::string &path, const std::string &bytes) {
    std::error_code ignored;
    fs::create_directories(fs::path(path).parent_path(), ignored);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out)
        ck_abort_msg("cannot write %s", path.c_str());
}

void expect_error_impl(const std::function<void()> &call, aianime_result code, const char *part_of_text) {
    std::string text;
    int found = AIANIME_OK;
    try {
        call();
    } catch (const aianime::Error &error) {
        found = error.code();
        text = error.what();
    }
    if (found == AIANIME_OK)
        ck_abort_msg("no error, expected %d with \"%s\"", code, part_of_text);
    if (found != code || text.find(part_of_text) == std::string::npos)
        ck_abort_msg("error %d \"%s\", expected %d with \"%s\"", found, text.c_str(), code, part_of_text);
    if (text.find('\n') != std::string::npos)
        ck_abort_msg("the text of an error is one line: \"%s\"", text.c_str());
}

void print_skip(const std::string &why) {
    std::printf("skipped: %s\n", why.c_str());
    std::fflush(stdout);
}

void run_guarded(void (*body)()) {
    std::string text;
    try {
        body();
        return;
    } catch (const std::exception &error) {
        text = error.what();
    } catch (...) {
        text = "an exception that is no std::exception";
    }
    // Outside the handler: Check leaves by longjmp() when it does not fork.
    ck_abort_msg("exception: %s", text.c_str());
}

int run_suite(const char *name, std::initializer_list<const TTest *> tests, int timeout_seconds) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, timeout_seconds);
    for (const TTest *test : tests)
        tcase_add_test(tcase, test);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
