// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/json_check.h"

#include <set>

#include "io/json_cursor.h"
#include "io/text.h"

namespace aianime::io {

namespace {

void check_value(JsonCursor &in, int depth);

void check_object(JsonCursor &in, int depth) {
    if (in.accept('}'))
        return;
    std::set<std::string> keys;
    do {
        const std::string key = in.string();
        if (!keys.insert(key).second)
            in.refuse("the key " + quoted(key) + " is there twice");
        in.expect(':');
        check_value(in, depth);
    } while (in.accept(','));
    in.expect('}');
}

void check_array(JsonCursor &in, int depth) {
    if (in.accept(']'))
        return;
    do
        check_value(in, depth);
    while (in.accept(','));
    in.expect(']');
}

// `depth`: how many levels may still open.
void check_value(JsonCursor &in, int depth) {
    const char first = in.peek();
    if (first == '"')
        return void(in.string());
    if (!in.accept('{') && !in.accept('['))
        return in.scalar();
    if (depth == 0)
        in.refuse("too many levels of brackets");
    if (first == '{')
        check_object(in, depth - 1);
    else
        check_array(in, depth - 1);
}

} // namespace

void check_json(const std::string &text, const std::string &name, int max_depth) {
    JsonCursor in(text, name);
    check_value(in, max_depth);
    in.end();
}

} // namespace aianime::io
