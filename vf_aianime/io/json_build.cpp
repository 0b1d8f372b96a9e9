// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/json_build.h"

#include <json-c/json.h>

#include <charconv>
#include <cmath>

namespace aianime::io {

namespace {

json_object *number(double value, int digits = 6) {
    if (!std::isfinite(value))
        return nullptr;
    char text[32] = {};
    std::to_chars(text, text + sizeof text - 1, value, std::chars_format::general, digits);
    return json_object_new_double_s(value, text);
}

json_object *string(const std::string &text) { return json_object_new_string_len(text.data(), static_cast<int>(text.size())); }

} // namespace

JsonRoot json_root() { return {json_object_new_object(), json_object_put}; }

void add(json_object *object, const char *key, const std::string &text) { json_object_object_add(object, key, string(text)); }
void add(json_object *object, const char *key, double value) { json_object_object_add(object, key, number(value)); }
void add(json_object *object, const char *key, bool value) { json_object_object_add(object, key, json_object_new_boolean(value)); }

void add_seconds(json_object *object, const char *key, double value) {
    json_object_object_add(object, key, number(std::round(value * 1e6) / 1e6, 15));
}

void add_integer(json_object *object, const char *key, int64_t value) {
    json_object_object_add(object, key, json_object_new_int64(value));
}

void add_count(json_object *object, const char *key, uint64_t count) {
    json_object_object_add(object, key, json_object_new_uint64(count));
}

json_object *object_in(json_object *parent, const char *key) {
    json_object *object = json_object_new_object();
    json_object_object_add(parent, key, object);
    return object;
}

json_object *list_in(json_object *parent, const char *key) {
    json_object *list = json_object_new_array();
    json_object_object_add(parent, key, list);
    return list;
}

void append(json_object *list, double value) { json_object_array_add(list, number(value)); }
void append(json_object *list, const std::string &text) { json_object_array_add(list, string(text)); }

json_object *object_at_end(json_object *list) {
    json_object *object = json_object_new_object();
    json_object_array_add(list, object);
    return object;
}

std::string text_of(json_object *root) {
    return std::string(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                                JSON_C_TO_STRING_NOSLASHESCAPE)) +
           "\n";
}

} // namespace aianime::io
