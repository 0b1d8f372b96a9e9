// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/flags.h"

#include <charconv>

#include "io/error.h"
#include "io/text.h"

namespace aianime::tools {

namespace {

// std::from_chars takes no account of the locale.
template <typename T>
T parse(const std::string &where, const std::string &text, T min, T max) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range || (error == std::errc() && !(value >= min && value <= max)))
        throw Error(AIANIME_OUT_OF_RANGE,
                    where + ": " + text + " is not between " + std::to_string(min) + " and " + std::to_string(max));
    if (error != std::errc() || end != text.data() + text.size())
        throw Error(AIANIME_INVALID, where + ": " + io::quoted(text) + " is not a number");
    return value;
}

} // namespace

Flags::Flags(const std::string &verb, const Arguments &arguments, const std::map<std::string, std::string> &known) : verb_(verb) {
    bool flags_end = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string &word = arguments[i];
        if (flags_end || word.size() < 2 || word[0] != '-') {
            words_.push_back(word);
            continue;
        }
        if (word == "--") {
            flags_end = true;
            continue;
        }
        const size_t equals = word.find('=');
        const std::string flag = word.substr(0, equals);
        const auto found = known.find(flag);
        if (found == known.end()) {
            std::vector<std::string> spellings;
            for (const auto &entry : known)
                spellings.push_back(entry.first);
            throw Error(AIANIME_INVALID, verb + ": unknown flag " + io::quoted(flag) + io::suggestion(flag, spellings));
        }
        if (equals == std::string::npos && i + 1 == arguments.size())
            throw Error(AIANIME_INVALID, verb + ": " + flag + " needs a value");
        values_[found->second] = equals == std::string::npos ? arguments[++i] : word.substr(equals + 1);
    }
}

std::string Flags::text(const std::string &name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
}

double Flags::number(const std::string &name, double min, double max) const {
    return parse(verb_ + ": " + name, text(name), min, max);
}

int64_t Flags::integer(const std::string &name, int64_t min, int64_t max) const {
    return parse(verb_ + ": " + name, text(name), min, max);
}

} // namespace aianime::tools
