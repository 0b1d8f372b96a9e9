// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/tokenizer_files.h"

#include <filesystem>
#include <string_view>

#include "io/error.h"
#include "io/file.h"
#include "io/json_cursor.h"
#include "io/text.h"

namespace aianime::nn {

namespace {

constexpr size_t max_file_bytes = 16 * 1024 * 1024;
constexpr uint64_t max_token = 1 << 24;
constexpr int max_depth = 16;

// Stands on JsonCursor because the files hold 100,000 entries: a tree of io::Json takes fifteen times as long.
class Reader {
public:
    Reader(const std::string &text, const std::string &path) : in_(text, path) {}

    Vocabulary vocabulary() {
        Vocabulary found;
        members([&](const std::string &key) {
            if (!found.emplace(key, token()).second)
                in_.refuse("the text " + io::quoted(key) + " is there twice");
        });
        return found;
    }

    // "a b" in older files, ["a", "b"] in newer ones.
    void merges(std::vector<std::pair<std::string, std::string>> &out) {
        elements([&] {
            std::string left, right;
            if (in_.accept('[')) {
                left = in_.string();
                in_.expect(',');
                right = in_.string();
                in_.expect(']');
            } else {
                const std::string both = in_.string();
                const size_t space = both.find(' ');
                if (space == std::string::npos)
                    in_.refuse("expected two symbols with a space between them");
                left = both.substr(0, space);
                right = both.substr(space + 1);
            }
            out.emplace_back(std::move(left), std::move(right));
        });
    }

    void tokenizer(TokenizerFiles &out) {
        members([&](const std::string &key) {
            if (key == "model")
                model(out);
            else if (key == "added_tokens")
                elements([&] { added_token(out.added); });
            else
                skip(max_depth);
        });
    }

    void end() { in_.end(); }

private:
    template <typename Read>
    void members(Read read) {
        in_.expect('{');
        if (in_.accept('}'))
            return;
        do {
            const std::string key = in_.string();
            in_.expect(':');
            read(key);
        } while (in_.accept(','));
        in_.expect('}');
    }

    template <typename Read>
    void elements(Read read) {
        in_.expect('[');
        if (in_.accept(']'))
            return;
        do
            read();
        while (in_.accept(','));
        in_.expect(']');
    }

    void model(TokenizerFiles &out) {
        members([&](const std::string &key) {
            if (key == "vocab")
                out.vocabulary = vocabulary();
            else if (key == "merges")
                merges(out.merges);
            else
                skip(max_depth);
        });
    }

    void added_token(std::vector<AddedToken> &out) {
        AddedToken found;
        members([&](const std::string &key) {
            if (key == "id")
                found.token = token();
            else if (key == "content")
                found.text = in_.string();
            else if (key == "special")
                found.special = boolean();
            else if (key == "lstrip")
                found.eats_left = boolean();
            else if (key == "rstrip")
                found.eats_right = boolean();
            else
                skip(max_depth);
        });
        out.push_back(std::move(found));
    }

    int32_t token() {
        const uint64_t token = in_.unsigned_integer();
        if (token > max_token)
            in_.refuse("expected a token number from 0 to " + std::to_string(max_token));
        return static_cast<int32_t>(token);
    }

    bool boolean() {
        const bool yes = in_.peek() == 't';
        in_.scalar();
        return yes;
    }

    void skip(int depth) {
        if (depth == 0)
            in_.refuse("too many levels of brackets");
        const char first = in_.peek();
        if (first == '{')
            members([&](const std::string &) { skip(depth - 1); });
        else if (first == '[')
            elements([&] { skip(depth - 1); });
        else if (first == '"')
            in_.string();
        else
            in_.scalar();
    }

    io::JsonCursor in_;
};

void read_merges_text(const std::string &path, TokenizerFiles &out) {
    const std::string text = io::read_file(path, max_file_bytes);
    size_t number = 0;
    for (size_t begin = 0; begin < text.size(); ++number) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view line(text.data() + begin, end - begin);
        begin = end + 1;
        if (!line.empty() && line.back() == '\r')
            line.remove_suffix(1);
        if (line.empty() || (number == 0 && line.rfind("#version", 0) == 0))
            continue;
        const size_t space = line.find(' ');
        if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
            throw Error(AIANIME_BAD_DATA, io::printable(path) + ": line " + std::to_string(number + 1) +
                                              ": expected two symbols with a space between them");
        out.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
}

bool exists(const std::string &path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

} // namespace

TokenizerFiles load_tokenizer_files(const std::string &folder) {
    TokenizerFiles files;
    const bool joined = !exists(folder + "/vocab.json") && exists(folder + "/tokenizer.json");
    const std::string path = folder + (joined ? "/tokenizer.json" : "/vocab.json");
    const std::string text = io::read_file(path, max_file_bytes);
    Reader reader(text, path);
    if (joined)
        reader.tokenizer(files);
    else
        files.vocabulary = reader.vocabulary();
    reader.end();
    files.merges_file = joined ? path : folder + "/merges.txt";
    if (!joined)
        read_merges_text(files.merges_file, files);
    return files;
}

} // namespace aianime::nn
