// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "io/json.h"

namespace aianime::nn {

// Typed access to a network's config.json. Settings that are asked for are known; check_rest() at the end refuses every other one
// that is not null, so that a network this code would compute differently from its authors is never loaded.
class ConfigReader {
public:
    explicit ConfigReader(const io::Json &config);

    // Missing and null give the fallback.
    int64_t integer(const std::string &key, int64_t fallback, int64_t min, int64_t max);
    double number(const std::string &key, double fallback, double min, double max);
    bool boolean(const std::string &key, bool fallback);
    std::string choice(const std::string &key, const std::string &fallback, const std::vector<std::string> &choices);
    // A list of any length up to 8; missing and null give an empty one.
    std::vector<int64_t> integers(const std::string &key, int64_t min, int64_t max);
    std::vector<std::string> choices(const std::string &key, const std::vector<std::string> &choices);
    // One integer for all levels or one a level.
    std::vector<int64_t> per_level(const std::string &key, int64_t fallback, size_t levels, int64_t min, int64_t max);

    // Settings without influence on the results here.
    void ignore(const std::vector<std::string> &keys);
    // Settings implemented for one value only; others throw Error (BAD_DATA).
    void require(const std::string &key, bool value);
    void require(const std::string &key, double value);
    void require(const std::string &key, const char *value);
    // Refuses what nobody asked for; keys that begin with "_" are bookkeeping.
    void check_rest() const;

    // Throws Error (BAD_DATA) naming the key.
    [[noreturn]] void refuse(const std::string &key, const std::string &why) const;

private:
    bool given(const std::string &key);
    io::Json config_;
    std::vector<std::string> known_;
};

} // namespace aianime::nn
