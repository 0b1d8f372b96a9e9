// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/config_reader.h"

#include <algorithm>

#include "io/error.h"

namespace aianime::nn {

namespace {

constexpr size_t max_list = 8;
constexpr double any_number = 1e12;

} // namespace

ConfigReader::ConfigReader(const io::Json &config) : config_(config) {}

bool ConfigReader::given(const std::string &key) {
    known_.push_back(key);
    return config_.has(key) && !config_.at(key).is_null();
}

void ConfigReader::refuse(const std::string &key, const std::string &why) const {
    throw Error(AIANIME_BAD_DATA, (config_.has(key) ? config_.at(key).where() : config_.where() + ": " + key) + ": " + why);
}

int64_t ConfigReader::integer(const std::string &key, int64_t fallback, int64_t min, int64_t max) {
    return given(key) ? config_.at(key).integer(min, max) : fallback;
}

double ConfigReader::number(const std::string &key, double fallback, double min, double max) {
    return given(key) ? config_.at(key).number(min, max) : fallback;
}

bool ConfigReader::boolean(const std::string &key, bool fallback) { return given(key) ? config_.at(key).boolean() : fallback; }

std::string ConfigReader::choice(const std::string &key, const std::string &fallback, const std::vector<std::string> &choices) {
    return given(key) ? config_.at(key).choice(choices) : fallback;
}

std::vector<int64_t> ConfigReader::integers(const std::string &key, int64_t min, int64_t max) {
    std::vector<int64_t> list;
    if (!given(key))
        return list;
    const io::Json array = config_.at(key);
    if (array.size() > max_list)
        refuse(key, "more than " + std::to_string(max_list) + " entries");
    for (size_t i = 0; i < array.size(); i++)
        list.push_back(array.at(i).integer(min, max));
    return list;
}

std::vector<std::string> ConfigReader::choices(const std::string &key, const std::vector<std::string> &choices) {
    std::vector<std::string> list;
    if (!given(key))
        return list;
    const io::Json array = config_.at(key);
    if (array.size() > max_list)
        refuse(key, "more than " + std::to_string(max_list) + " entries");
    for (size_t i = 0; i < array.size(); i++)
        list.push_back(array.at(i).choice(choices));
    return list;
}

std::vector<int64_t> ConfigReader::per_level(const std::string &key, int64_t fallback, size_t levels, int64_t min, int64_t max) {
    if (!config_.has(key) || !config_.at(key).is_array())
        return std::vector<int64_t>(levels, integer(key, fallback, min, max));
    std::vector<int64_t> list = integers(key, min, max);
    if (list.size() != levels)
        refuse(key, "needs " + std::to_string(levels) + " entries, one for each of block_out_channels");
    return list;
}

void ConfigReader::ignore(const std::vector<std::string> &keys) { known_.insert(known_.end(), keys.begin(), keys.end()); }

void ConfigReader::require(const std::string &key, bool value) {
    if (!given(key))
        return;
    const io::Json found = config_.at(key);
    const size_t count = found.is_array() ? found.size() : 1;
    for (size_t i = 0; i < count; i++)
        if ((found.is_array() ? found.at(i) : found).boolean() != value)
            refuse(key, value ? "only true is supported" : "only false is supported");
}

void ConfigReader::require(const std::string &key, double value) {
    if (given(key) && config_.at(key).number(-any_number, any_number) != value)
        refuse(key, "only " + std::to_string(value) + " is supported");
}

void ConfigReader::require(const std::string &key, const char *value) {
    if (given(key) && config_.at(key).string() != value)
        refuse(key, std::string("only \"") + value + "\" is supported");
}

void ConfigReader::check_rest() const {
    for (const std::string &key : config_.keys()) {
        if (key.rfind('_', 0) == 0 || std::find(known_.begin(), known_.end(), key) != known_.end() || config_.at(key).is_null())
            continue;
        refuse(key, "this setting is not supported");
    }
}

} // namespace aianime::nn
