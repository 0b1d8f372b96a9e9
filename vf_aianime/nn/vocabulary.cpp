// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/vocabulary.h"

#include <charconv>

#include "io/error.h"
#include "io/file.h"
#include "io/text.h"

namespace aianime::nn {

namespace {

constexpr size_t max_file_bytes = 16 * 1024 * 1024;
constexpr int32_t max_token = 1 << 24;

class Scanner {
public:
    Scanner(const std::string &text, const std::string &path) : text_(text), path_(path) {}

    Vocabulary object() {
        Vocabulary result;
        expect('{');
        if (!next_is('}')) {
            do {
                const std::string key = string();
                expect(':');
                if (!result.emplace(key, number()).second)
                    fail("the text " + io::quoted(key) + " is there twice");
            } while (next_is(','));
            expect('}');
        }
        skip_space();
        if (at_ != text_.size())
            fail("something follows the object");
        return result;
    }

private:
    [[noreturn]] void fail(const std::string &what) const {
        throw Error(AIANIME_BAD_DATA, io::printable(path_) + ": byte " + std::to_string(at_) + ": " + what);
    }

    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
            ++at_;
    }

    bool next_is(char c) {
        skip_space();
        const bool found = at_ < text_.size() && text_[at_] == c;
        at_ += found;
        return found;
    }

    void expect(char c) {
        if (!next_is(c))
            fail(std::string("expected '") + c + "'");
    }

    int32_t number() {
        skip_space();
        int32_t value = 0;
        const char *begin = text_.data() + at_;
        const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
        if (error != std::errc() || value < 0 || value > max_token || *begin == '-')
            fail("expected a token number from 0 to " + std::to_string(max_token));
        at_ += static_cast<size_t>(end - begin);
        return value;
    }

    std::string string() {
        expect('"');
        std::string out;
        for (;;) {
            if (at_ >= text_.size())
                fail("a text is not closed");
            const char c = text_[at_++];
            if (c == '"')
                return out;
            if (static_cast<unsigned char>(c) < 0x20)
                fail("a control character in a text");
            if (c == '\\')
                escape(out);
            else
                out += c;
        }
    }

    void escape(std::string &out) {
        static constexpr char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char c = at_ < text_.size() ? text_[at_++] : '\0';
        for (size_t i = 0; names[i]; ++i)
            if (names[i] == c) {
                out += values[i];
                return;
            }
        if (c != 'u')
            fail("an escape that is not JSON");
        uint32_t code = hex4();
        if (code >= 0xD800 && code < 0xDC00 && text_.compare(at_, 2, "\\u") == 0) {
            at_ += 2;
            const uint32_t low = hex4();
            if (low < 0xDC00 || low > 0xDFFF)
                fail("half of a surrogate pair");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        if (code >= 0xD800 && code < 0xE000)
            fail("half of a surrogate pair");
        io::append_utf8(out, code);
    }

    uint32_t hex4() {
        uint32_t value = 0;
        const size_t left = text_.size() - at_;
        const char *begin = text_.data() + at_;
        const auto [end, error] = std::from_chars(begin, begin + std::min<size_t>(4, left), value, 16);
        if (error != std::errc() || end != begin + 4)
            fail("expected four hexadecimal digits");
        at_ += 4;
        return value;
    }

    const std::string &text_;
    const std::string &path_;
    size_t at_ = 0;
};

} // namespace

Vocabulary load_vocabulary(const std::string &path) {
    const std::string text = io::read_file(path, max_file_bytes);
    const size_t broken = io::invalid_utf8(text);
    if (broken != std::string::npos)
        throw Error(AIANIME_BAD_DATA, io::printable(path) + ": byte " + std::to_string(broken) + ": not UTF-8");
    return Scanner(text, path).object();
}

} // namespace aianime::nn
