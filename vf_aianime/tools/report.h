// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "io/error.h"

namespace aianime::tools {

// "label          value" on stdout.
void print_line(const std::string &label, const std::string &value);
// What is wrong, and how it is mended where that is known, below the line it belongs to.
void print_problem(const std::string &problem, const std::string &mend = "");

// Says each failure of a list of checks and remembers the first one's code.
class Verdict {
public:
    // Runs check(); an Error becomes a problem.
    template <typename Check>
    void check(Check check) {
        try {
            check();
        } catch (const Error &error) {
            fail(error.code(), error.what());
        }
    }
    void fail(aianime_result code, const std::string &problem, const std::string &mend = "") {
        print_problem(problem, mend);
        code_ = code_ == AIANIME_OK ? code : code_;
    }
    aianime_result code() const { return code_; }

private:
    aianime_result code_ = AIANIME_OK;
};

// 10713220 -> "10.7 M".
std::string count_text(uint64_t count);
// 21464448 -> "21.5 MB".
std::string bytes_text(uint64_t bytes);
// "1 file", "13 files".
std::string plural(uint64_t count, const std::string &noun);
// 2.5 -> "2.5", 1.0 -> "1".
std::string number_text(double number);

} // namespace aianime::tools
