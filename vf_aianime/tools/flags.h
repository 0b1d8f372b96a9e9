// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/verbs.h"

namespace aianime::tools {

// A command line of words and flags with one value each ("-o out.png", "--seed 7", "--seed=7"); "--" ends the flags.
class Flags {
public:
    // known: every accepted spelling and the name it is read by, {{"-o", "output"}, {"--output", "output"}}. Throws Error (INVALID)
    // for others.
    Flags(const std::string &verb, const Arguments &arguments, const std::map<std::string, std::string> &known);

    const std::vector<std::string> &words() const { return words_; }
    bool has(const std::string &name) const { return values_.count(name) != 0; }
    // "" when the flag was not given.
    std::string text(const std::string &name) const;
    // The whole value must be a number of the range: Error (INVALID), (OUT_OF_RANGE).
    double number(const std::string &name, double min, double max) const;
    int64_t integer(const std::string &name, int64_t min, int64_t max) const;

private:
    std::string verb_;
    std::vector<std::string> words_;
    std::map<std::string, std::string> values_;
};

} // namespace aianime::tools
