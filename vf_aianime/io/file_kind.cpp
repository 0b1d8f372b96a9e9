// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/file_kind.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>

#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"

namespace aianime::io {

namespace {

constexpr uint64_t looked_at = 65536; // bytes at either end
constexpr size_t max_path_bytes = 4096;
bool starts_with(const std::string &text, const std::string &prefix) { return text.compare(0, prefix.size(), prefix) == 0; }

bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

// The names in a zip archive stand uncompressed in front of each entry and again in the directory at its end.
const char *zip_kind(const std::string &head, const std::string &tail) {
    if (contains(head, "/code/") || contains(tail, "/code/") || contains(tail, "constants.pkl"))
        return "a TorchScript archive";
    if (contains(head, "data.pkl") || contains(tail, "data.pkl"))
        return "a PyTorch pickle in a zip archive";
    return "a zip archive";
}

// What may run code when it is opened as people usually open it; nullptr when it is none of those.
const char *forbidden_kind(const std::string &head, const std::string &tail) {
    if (starts_with(head, "PK\x03\x04") || starts_with(head, "PK\x05\x06") || starts_with(head, "PK\x07\x08"))
        return zip_kind(head, tail);
    if (head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
        // The number PyTorch wrote in front of files before it used zip.
        return contains(head.substr(0, 64), "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") ? "a PyTorch pickle of the old kind"
                                                                                        : "a Python pickle";
    // Protocol 0 has no signature: it begins with a mark, a module's name or an empty container, and ends with a full stop.
    if (head.size() >= 2 && std::string("(c]}").find(head[0]) != std::string::npos && tail.back() == '.')
        return "a Python pickle";
    return nullptr;
}

bool is_html(const std::string &head) {
    const size_t begin = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    std::string start = begin == std::string::npos ? "" : head.substr(begin, 16);
    std::transform(start.begin(), start.end(), start.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return starts_with(start, "<!doctype html") || starts_with(start, "<html") || starts_with(start, "<?xml");
}

std::string harmless_kind(const std::string &head) {
    if (starts_with(head, "version https://git-lfs"))
        return "a Git LFS pointer, not the weights themselves: fetch them with \"git lfs pull\"";
    if (is_html(head))
        return "a web page, not weights: the download went wrong, fetch the file again";
    if (starts_with(head, "GGUF"))
        return "a GGUF file, which is not read: use the safetensors file of the same model";
    if (starts_with(head, "{"))
        return "a JSON text, not weights";
    if (head.size() < 8)
        return "too small for a safetensors file";
    return "not a safetensors file: its first 8 bytes are not the length of a header";
}

// As a shell reads it.
std::string shell_word(const std::string &word) {
    const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("/._-+,=@%", c); };
    if (!word.empty() && word[0] != '-' && std::all_of(word.begin(), word.end(), plain))
        return word;
    std::string quoted = "'";
    for (char c : word)
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

} // namespace

std::string convert_hint(const std::string &path) {
    const std::string found = shipped_file("convert_pickle.py", "tools/convert_pickle.py");
    const std::string converter = found.empty() ? "tools/convert_pickle.py" : found;
    return "; it can run code and is never opened: python3 " + shell_word(converter) + " " +
           printable(shell_word(path), max_path_bytes) + " makes a safetensors file of it";
}

void refuse_file_kind(const File &file) {
    const size_t bytes = static_cast<size_t>(std::min(file.size(), looked_at));
    const std::string head = file.read(0, bytes);
    const std::string tail = file.read(file.size() - bytes, bytes);
    if (const char *kind = forbidden_kind(head, tail))
        throw Error(AIANIME_FORBIDDEN, printable(file.path()) + ": " + kind + convert_hint(file.path()));
    throw Error(AIANIME_BAD_DATA, printable(file.path()) + ": " + harmless_kind(head));
}

} // namespace aianime::io
