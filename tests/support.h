// SPDX-License-Identifier: LGPL-2.1-or-later
// What every unit test needs. Free of LibTorch and OpenCV.
#pragma once

#include <check.h>
// Check's old macros take words that the standard library's classes use.
#undef fail
#undef fail_if
#undef fail_unless

#include <functional>
#include <initializer_list>
#include <string>

#include "io/error.h"

// The repository's tests/ folder: $AIANIME_TESTS, else "tests" below the current folder.
std::string tests_folder();

// A fresh folder that is removed with all it holds.
class TempFolder {
public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder &) = delete;
    TempFolder &operator=(const TempFolder &) = delete;

    const std::string &path() const { return path_; }
    std::string path(const std::string &name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

// Writes a whole file and makes the folders above it; fails the test when it cannot.
void write_file(const std::string &path, const std::string &bytes);

// Fails the test unless `call` throws aianime::Error with this code and a text that contains `part_of_text`.
void expect_error_impl(const std::function<void()> &call, aianime_result code, const char *part_of_text);

template <typename F>
void expect_error(F call, aianime_result code, const char *part_of_text) {
    expect_error_impl([&call] { (void)call(); }, code, part_of_text);
}

// Says on stdout that a test, or the rest of it, is left out, and why.
void print_skip(const std::string &why);

// Runs a test's body; an exception that leaves it fails the test with the exception's text.
void run_guarded(void (*body)());

// AIANIME_TEST(name) { ... }: a Check test whose body may throw.
#define AIANIME_TEST(name)                                                                                                         \
    static void name##_body();                                                                                                     \
    START_TEST(name) { run_guarded(name##_body); }                                                                                 \
    END_TEST                                                                                                                       \
    static void name##_body()

// The whole of main(): `return run_suite("unit", {test_one, test_two});`. The timeout holds for each test.
int run_suite(const char *name, std::initializer_list<const TTest *> tests, int timeout_seconds = 120);
