// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

struct json_object;

namespace aianime::io {

// JSON that is written. What is put into an object or a list belongs to it from then on; the outermost is held by a JsonRoot.
using JsonRoot = std::unique_ptr<json_object, int (*)(json_object *)>;
JsonRoot json_root();

void add(json_object *object, const char *key, const std::string &text);
inline void add(json_object *object, const char *key, const char *text) { add(object, key, std::string(text)); }
// Six digits, whatever the locale is; null for what is not finite, which JSON has no numbers for.
void add(json_object *object, const char *key, double value);
void add(json_object *object, const char *key, bool value);
// To the microsecond, however large.
void add_seconds(json_object *object, const char *key, double value);
void add_integer(json_object *object, const char *key, int64_t value);
void add_count(json_object *object, const char *key, uint64_t count);
json_object *object_in(json_object *parent, const char *key);
json_object *list_in(json_object *parent, const char *key);

void append(json_object *list, double value);
void append(json_object *list, const std::string &text);
json_object *object_at_end(json_object *list);

// Indented, with a newline at the end.
std::string text_of(json_object *root);

} // namespace aianime::io
