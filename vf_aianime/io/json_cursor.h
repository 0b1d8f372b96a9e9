// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace aianime::io {

// Walks over JSON text token by token (RFC 8259, nothing more lenient). The two readers of JSON stand on it: the one of safetensors
// headers, which wants no document tree, and the check that runs before json-c sees a text. Never recursive.
//
// Every function throws Error (BAD_DATA) with the line and column of what it did not expect.
class JsonCursor {
public:
    // Refuses text that is not UTF-8. Both must outlive the cursor; `name` stands for the file in messages.
    JsonCursor(const std::string &text, const std::string &name);

    // The next byte that is no white space, not consumed; '\0' at the end of the text.
    char peek();
    // Consumes `c`.
    void expect(char c);
    // Consumes `c` when it is next.
    bool accept(char c);
    // Consumes a string and returns it with its escapes resolved.
    std::string string();
    // Consumes a whole number from 0 to 2^64 - 1 without sign, fraction or exponent.
    uint64_t unsigned_integer();
    // Consumes a number, true, false or null. Whole numbers that do not fit 64 bits and others beyond the range of double are
    // refused.
    void scalar();
    // Refuses anything but white space up to the end of the text.
    void end();

    // `what` about the last token consumed (or the next one, when nothing was).
    [[noreturn]] void refuse(const std::string &what) const { refuse_at(token_, what); }

private:
    [[noreturn]] void refuse_at(size_t offset, const std::string &what) const;
    [[noreturn]] void refuse_next();
    uint32_t hex4();
    void escape(std::string &result);
    void number();

    const std::string &text_;
    const std::string &name_;
    size_t at_ = 0;
    size_t token_ = 0; // where the last token began
};

} // namespace aianime::io
