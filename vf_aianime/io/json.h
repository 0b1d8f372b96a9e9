// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/text.h" // nearest()

struct json_object;

namespace aianime::io {

// A strict, typed view of a JSON document. json-c parses; what it lets through even in strict mode (duplicate keys, NaN, numbers
// that overflow, single quotes, invalid UTF-8, "12abc" read as a number) is refused here. Every Error names the file and the path
// of the value ("pop.json: sampling.steps: ..."). A Json keeps the whole document alive; copies are cheap.
//
// Thread safety: as std::shared_ptr.
class Json {
public:
    static constexpr size_t max_file_bytes = 256 * 1024;
    static constexpr int max_depth = 8;

    // Reads a regular file of at most `max_bytes`. Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA with line and column, IO).
    static Json load(const std::string &path, size_t max_bytes = max_file_bytes);
    // Parses text; `name` stands for the file in messages. Throws Error (BAD_DATA).
    static Json parse(const std::string &text, const std::string &name);

    bool is_object() const;
    bool is_array() const;
    bool is_null() const;

    // Objects. Each throws Error (BAD_DATA) when this value is not an object.
    bool has(const std::string &key) const;
    Json at(const std::string &key) const; // throws when missing
    std::vector<std::string> keys() const; // in the order of the document
    // Refuses keys that are not in `known`, naming the nearest known one; keys that begin with "x_" are the user's own.
    void only(const std::vector<std::string> &known) const;

    // Arrays. Each throws Error (BAD_DATA) when this value is not an array.
    size_t size() const;
    Json at(size_t index) const;

    // Scalars: the JSON type is checked first (BAD_DATA), then the range (OUT_OF_RANGE).
    std::string string() const;
    bool boolean() const;
    int64_t integer(int64_t min, int64_t max) const; // a number without a fraction
    uint64_t unsigned_integer() const;               // 0 to 2^64 - 1
    double number(double min, double max) const;
    // A string that is one of `choices` (BAD_DATA, naming the nearest).
    std::string choice(const std::vector<std::string> &choices) const;

    // "pop.json: sampling.steps", for messages.
    const std::string &where() const { return where_; }

private:
    Json(std::shared_ptr<json_object> root, json_object *value, std::string where);
    std::shared_ptr<json_object> root_;
    std::string child(const std::string &key) const;
    [[noreturn]] void expected(const char *what) const;
    [[noreturn]] void outside(const std::string &value, const std::string &min, const std::string &max) const;

    json_object *value_; // null is JSON's null
    std::string where_;
};

} // namespace aianime::io
