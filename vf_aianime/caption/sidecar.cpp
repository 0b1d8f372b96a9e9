// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/sidecar.h"

#include <limits>
#include <optional>
#include <vector>

#include "caption/tag_list.h"
#include "io/error.h"
#include "io/file.h"
#include "io/text.h"

namespace aianime::caption {

namespace {

constexpr double most_seconds = 1e7; // four months
constexpr double rounding = 1e-3;    // of times as reports print them
constexpr double for_all = -std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(const std::string &name, size_t line, const std::string &what) {
    throw Error(AIANIME_BAD_DATA, io::printable(name) + ": line " + std::to_string(line) + ": " + what);
}

struct Line {
    size_t number;
    std::string text; // trimmed
};

// Lines that are not blank.
std::vector<Line> lines_of(const std::string &text, const std::string &name) {
    std::vector<Line> lines;
    size_t number = 0;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        const std::string raw = text.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (io::invalid_utf8(raw) != std::string::npos)
            refuse(name, number, "not UTF-8; save the file as UTF-8");
        const std::string line = trimmed(raw);
        for (const char c : line)
            if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
                refuse(name, number, "a control character; is it a text file?");
        if (!line.empty())
            lines.push_back({number, line});
    }
    return lines;
}

// Digits only, of at most 9.
std::optional<int> whole(const std::string &text) {
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
        return {};
    return std::stoi(text);
}

// "12", "12.5"; read without the locale's decimal point.
std::optional<double> seconds_of(const std::string &text) {
    const size_t point = text.find('.');
    const std::optional<int> before = whole(text.substr(0, point));
    if (!before || point == std::string::npos)
        return before ? std::optional<double>(*before) : std::nullopt;
    const std::string digits = text.substr(point + 1);
    const std::optional<int> behind = whole(digits);
    if (!behind)
        return {};
    double scale = 1;
    for (size_t i = 0; i < digits.size(); ++i)
        scale *= 10;
    return *before + *behind / scale;
}

// "12.5", "1:02.25", "1:00:02".
std::optional<double> time_of(const std::string &text) {
    double time = 0;
    size_t begin = 0;
    for (int part = 0; part < 3; ++part) {
        const size_t colon = text.find(':', begin);
        const bool is_last = colon == std::string::npos;
        const std::string field = text.substr(begin, is_last ? colon : colon - begin);
        const std::optional<double> value = seconds_of(field);
        if (!value || (!is_last && !whole(field)) || (part > 0 && *value >= 60))
            return {};
        time = time * 60 + *value;
        if (is_last)
            return time <= most_seconds ? std::optional<double>(time) : std::nullopt;
        begin = colon + 1;
    }
    return {};
}

// The number of "shot 3".
std::optional<int> shot_of(const std::string &text) {
    const std::string key = tag_key(text);
    return key.rfind("shot ", 0) == 0 ? whole(key.substr(5)) : std::nullopt;
}

} // namespace

Sidecar Sidecar::load(const std::string &path) { return parse(io::read_file(path, max_bytes), path); }

Sidecar Sidecar::parse(const std::string &text, const std::string &name) {
    const std::string mark = "\xEF\xBB\xBF";
    const std::vector<Line> lines = lines_of(text.rfind(mark, 0) == 0 ? text.substr(mark.size()) : text, name);
    if (lines.empty())
        throw Error(AIANIME_BAD_DATA, io::printable(name) + ": no words in it");
    const bool has_entries = lines[0].text[0] == '[';
    Sidecar sidecar;
    std::string all;
    for (const Line &line : lines) {
        const size_t close = line.text.find(']');
        const std::string head = line.text[0] == '[' && close != std::string::npos ? trimmed(line.text.substr(1, close - 1)) : "";
        const std::optional<double> time = time_of(head);
        const std::optional<int> shot = shot_of(head);
        if (!has_entries && (time || shot))
            refuse(name, line.number, "has a time or a shot, but the lines before have none; give each line its own");
        if (!has_entries) {
            all += (all.empty() ? "" : " ") + line.text;
            continue;
        }
        if (!time && !shot)
            refuse(name, line.number,
                   io::quoted(line.text) + " begins with neither a time, as [12.5] or [1:02], nor a shot, as [shot 3]");
        const std::string words = trimmed(line.text.substr(close + 1));
        if (time && !sidecar.by_time_.empty() && *time <= sidecar.by_time_.rbegin()->first)
            refuse(name, line.number, "[" + head + "] is not later than the time before it");
        if (time)
            sidecar.by_time_[*time] = words;
        else if (!sidecar.by_shot_.insert({*shot, words}).second)
            refuse(name, line.number, "[" + head + "] is there twice");
    }
    if (!has_entries)
        sidecar.by_time_[for_all] = all;
    return sidecar;
}

std::string Sidecar::caption(int shot, double begin) const {
    if (const auto found = by_shot_.find(shot); found != by_shot_.end())
        return found->second;
    const auto next = by_time_.upper_bound(begin + rounding);
    return next == by_time_.begin() ? "" : std::prev(next)->second;
}

} // namespace aianime::caption
