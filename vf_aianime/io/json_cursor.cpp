// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/json_cursor.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <locale>
#include <sstream>

#include "io/error.h"
#include "io/text.h"

namespace aianime::io {

namespace {

constexpr uint32_t high_surrogate = 0xD800, low_surrogate = 0xDC00, after_surrogates = 0xE000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Part of a word or number, for showing what was found and for ending a token.
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && std::strchr("+-._", c)); }

template <typename Integer>
bool fits(const std::string &digits) {
    Integer value;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size();
}

// Whether a number with fraction or exponent is finite as a double, whatever the process's locale is.
bool fits_double(const std::string &number) {
    std::istringstream stream(number);
    stream.imbue(std::locale::classic());
    double value;
    return static_cast<bool>(stream >> value);
}

} // namespace

JsonCursor::JsonCursor(const std::string &text, const std::string &name) : text_(text), name_(name) {
    const size_t invalid = invalid_utf8(text);
    if (invalid != std::string::npos)
        refuse_at(invalid, "not valid UTF-8");
}

void JsonCursor::refuse_at(size_t offset, const std::string &what) const {
    const std::string before = text_.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t newline = before.rfind('\n');
    const size_t column = newline == std::string::npos ? offset + 1 : offset - newline;
    throw Error(AIANIME_BAD_DATA,
                printable(name_) + ": line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + what);
}

void JsonCursor::refuse_next() {
    if (peek() == '\0' && at_ >= text_.size())
        refuse_at(at_, "the text ends too early");
    size_t end = at_;
    while (end < text_.size() && is_word(text_[end]) && end - at_ < 32)
        end++;
    const std::string found = text_.substr(at_, std::max<size_t>(end - at_, 1));
    refuse_at(at_, found == "'" ? "strings are written in double quotes" : "unexpected " + quoted(found));
}

char JsonCursor::peek() {
    while (at_ < text_.size() && std::memchr(" \t\r\n", text_[at_], 4))
        at_++;
    return at_ < text_.size() ? text_[at_] : '\0';
}

void JsonCursor::expect(char c) {
    if (!accept(c))
        refuse_next();
}

bool JsonCursor::accept(char c) {
    if (peek() != c || at_ >= text_.size())
        return false;
    token_ = at_++;
    return true;
}

std::string JsonCursor::string() {
    expect('"');
    std::string result;
    while (at_ < text_.size() && text_[at_] != '"') {
        if (static_cast<unsigned char>(text_[at_]) < 0x20)
            refuse_at(at_, "control byte inside a string");
        if (text_[at_] == '\\')
            escape(result);
        else
            result += text_[at_++];
    }
    if (at_ >= text_.size())
        refuse_at(token_, "the string that begins here has no end");
    at_++;
    return result;
}

uint32_t JsonCursor::hex4() {
    uint32_t value = 0;
    const size_t left = text_.size() - std::min(text_.size(), at_);
    const char *from = text_.data() + std::min(text_.size(), at_);
    const auto [end, error] = std::from_chars(from, from + std::min<size_t>(left, 4), value, 16);
    if (error != std::errc() || end != from + 4)
        refuse_at(at_, "\\u needs four hexadecimal digits");
    at_ += 4;
    return value;
}

void JsonCursor::escape(std::string &result) {
    static constexpr char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const size_t begin = at_++;
    const char letter = at_ < text_.size() ? text_[at_++] : '\0';
    if (letter == 'u') {
        uint32_t code = hex4();
        if (code >= high_surrogate && code < low_surrogate && text_.compare(at_, 2, "\\u") == 0) {
            at_ += 2;
            const uint32_t low = hex4();
            if (low < low_surrogate || low >= after_surrogates)
                refuse_at(begin, "half of a surrogate pair");
            code = 0x10000 + ((code - high_surrogate) << 10) + (low - low_surrogate);
        }
        if (code >= high_surrogate && code < after_surrogates)
            refuse_at(begin, "half of a surrogate pair");
        if (code == 0)
            refuse_at(begin, "NUL inside a string");
        append_utf8(result, code);
        return;
    }
    const char *known = letter ? std::strchr(letters, letter) : nullptr;
    if (!known)
        refuse_at(begin, "unknown escape in a string");
    result += values[known - letters];
}

uint64_t JsonCursor::unsigned_integer() {
    if (!is_digit(peek()))
        refuse_next();
    const size_t begin = at_;
    scalar();
    const std::string digits = text_.substr(begin, at_ - begin);
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size())
        refuse_at(begin, quoted(digits) + " is not a whole number");
    return value;
}

void JsonCursor::scalar() {
    const char first = peek();
    token_ = at_;
    if (first == '-' || is_digit(first))
        return number();
    for (const char *word : {"true", "false", "null"}) {
        const size_t length = std::strlen(word);
        if (text_.compare(at_, length, word) == 0 && (at_ + length >= text_.size() || !is_word(text_[at_ + length]))) {
            at_ += length;
            return;
        }
    }
    refuse_next();
}

void JsonCursor::number() {
    const size_t begin = at_;
    const auto next = [&] { return at_ < text_.size() ? text_[at_] : '\0'; };
    const auto digits = [&] {
        const size_t from = at_;
        while (is_digit(next()))
            at_++;
        return at_ > from;
    };
    bool good = true, whole = true;
    if (next() == '-')
        at_++;
    const size_t integer = at_;
    good = digits() && !(text_[integer] == '0' && at_ - integer > 1);
    if (good && next() == '.') {
        at_++;
        whole = false;
        good = digits();
    }
    if (good && (next() == 'e' || next() == 'E')) {
        at_++;
        whole = false;
        if (next() == '+' || next() == '-')
            at_++;
        good = digits();
    }
    if (!good || is_word(next())) {
        at_ = begin;
        refuse_next();
    }
    const std::string text = text_.substr(begin, at_ - begin);
    if (whole ? !fits<int64_t>(text) && !fits<uint64_t>(text) : !fits_double(text))
        refuse_at(begin, quoted(text) + " is too large a number");
}

void JsonCursor::end() {
    peek();
    if (at_ < text_.size())
        refuse_next();
}

} // namespace aianime::io
