// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/json.h"

#include <json-c/json.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "io/error.h"
#include "io/file.h"
#include "io/json_check.h"
#include "io/text.h"

namespace aianime::io {

namespace {

template <typename Number>
std::string number_text(Number value) {
    char buffer[32];
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

const char *type_text(json_object *value) {
    switch (json_object_get_type(value)) {
    case json_type_null:
        return "null";
    case json_type_boolean:
        return "true or false";
    case json_type_double:
        return "a number with a fraction";
    case json_type_int:
        return "a number";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    case json_type_string:
        return "a string";
    }
    return "something else";
}

} // namespace

Json::Json(std::shared_ptr<json_object> root, json_object *value, std::string where)
    : root_(std::move(root)), value_(value), where_(std::move(where)) {}

Json Json::load(const std::string &path, size_t max_bytes) { return parse(read_file(path, max_bytes), path); }

Json Json::parse(const std::string &text, const std::string &name) {
    check_json(text, name, max_depth);
    if (text.size() >= static_cast<size_t>(std::numeric_limits<int>::max()))
        throw Error(AIANIME_BAD_DATA, printable(name) + ": too large");

    const std::unique_ptr<json_tokener, decltype(&json_tokener_free)> tokener(json_tokener_new_ex(max_depth + 1),
                                                                              json_tokener_free);
    if (!tokener)
        throw std::bad_alloc();
    json_tokener_set_flags(tokener.get(), JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    // With its final NUL: a number at the very end is complete only then.
    json_object *value = json_tokener_parse_ex(tokener.get(), text.c_str(), static_cast<int>(text.size() + 1));
    std::shared_ptr<json_object> root(value, json_object_put);
    const json_tokener_error error = json_tokener_get_error(tokener.get());
    if (error != json_tokener_success)
        throw Error(AIANIME_BAD_DATA, printable(name) + ": not JSON: " + json_tokener_error_desc(error));
    return Json(root, value, printable(name));
}

bool Json::is_object() const { return json_object_is_type(value_, json_type_object); }
bool Json::is_array() const { return json_object_is_type(value_, json_type_array); }
bool Json::is_null() const { return json_object_is_type(value_, json_type_null); }

void Json::expected(const char *what) const {
    throw Error(AIANIME_BAD_DATA, where_ + ": expected " + what + ", found " + type_text(value_));
}

void Json::outside(const std::string &value, const std::string &min, const std::string &max) const {
    throw Error(AIANIME_OUT_OF_RANGE, where_ + ": " + value + " is outside " + min + " to " + max);
}

std::string Json::child(const std::string &key) const { return where_ + (value_ == root_.get() ? ": " : ".") + printable(key); }

bool Json::has(const std::string &key) const {
    if (!is_object())
        expected("an object");
    return json_object_object_get_ex(value_, key.c_str(), nullptr);
}

Json Json::at(const std::string &key) const {
    if (!has(key))
        throw Error(AIANIME_BAD_DATA, child(key) + ": is missing");
    return Json(root_, json_object_object_get(value_, key.c_str()), child(key));
}

std::vector<std::string> Json::keys() const {
    if (!is_object())
        expected("an object");
    std::vector<std::string> result;
    for (const lh_entry *entry = json_object_get_object(value_)->head; entry; entry = entry->next)
        result.push_back(static_cast<const char *>(lh_entry_k(entry)));
    return result;
}

void Json::only(const std::vector<std::string> &known) const {
    for (const std::string &key : keys())
        if (key.compare(0, 2, "x_") != 0 && std::find(known.begin(), known.end(), key) == known.end())
            throw Error(AIANIME_BAD_DATA, where_ + ": unknown key " + quoted(key) + suggestion(key, known));
}

size_t Json::size() const {
    if (!is_array())
        expected("an array");
    return json_object_array_length(value_);
}

Json Json::at(size_t index) const {
    const std::string where = where_ + (value_ == root_.get() ? ": [" : "[") + std::to_string(index) + "]";
    if (index >= size())
        throw Error(AIANIME_BAD_DATA, where + ": is missing");
    return Json(root_, json_object_array_get_idx(value_, index), where);
}

std::string Json::string() const {
    if (!json_object_is_type(value_, json_type_string))
        expected("a string");
    return std::string(json_object_get_string(value_), static_cast<size_t>(json_object_get_string_len(value_)));
}

bool Json::boolean() const {
    if (!json_object_is_type(value_, json_type_boolean))
        expected("true or false");
    return json_object_get_boolean(value_);
}

int64_t Json::integer(int64_t min, int64_t max) const {
    if (!json_object_is_type(value_, json_type_int))
        expected("a whole number");
    const int64_t value = json_object_get_int64(value_);
    // json-c answers with the nearest value where one does not fit.
    const bool fits = value < 0 || json_object_get_uint64(value_) <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!fits || value < min || value > max)
        outside(json_object_get_string(value_), number_text(min), number_text(max));
    return value;
}

uint64_t Json::unsigned_integer() const {
    if (!json_object_is_type(value_, json_type_int))
        expected("a whole number");
    if (json_object_get_int64(value_) < 0)
        outside(json_object_get_string(value_), "0", number_text(std::numeric_limits<uint64_t>::max()));
    return json_object_get_uint64(value_);
}

double Json::number(double min, double max) const {
    if (!json_object_is_type(value_, json_type_int) && !json_object_is_type(value_, json_type_double))
        expected("a number");
    const double value = json_object_get_double(value_);
    if (!(value >= min && value <= max))
        outside(number_text(value), number_text(min), number_text(max));
    return value;
}

std::string Json::choice(const std::vector<std::string> &choices) const {
    const std::string word = string();
    if (std::find(choices.begin(), choices.end(), word) == choices.end())
        throw Error(AIANIME_BAD_DATA, where_ + ": unknown value " + quoted(word) + suggestion(word, choices));
    return word;
}

} // namespace aianime::io
