// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/phrase_list.h"

#include <algorithm>

#include "io/error.h"
#include "io/file.h"
#include "io/paths.h"
#include "io/text.h"

namespace aianime::caption {

namespace {

constexpr size_t max_file_bytes = 1024 * 1024;
constexpr size_t max_phrases = 10000;

std::string trimmed(const std::string &text) {
    const size_t begin = text.find_first_not_of(" \t\r");
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

class Reader {
public:
    explicit Reader(const std::string &path) : path_(path) {}

    std::vector<PhraseGroup> read() {
        std::string text = io::read_file(path_, max_file_bytes);
        if (const size_t bad = io::invalid_utf8(text); bad != std::string::npos) {
            line_ = 1 + static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n'));
            refuse("not UTF-8");
        }
        size_t begin = text.compare(0, 3, "\xEF\xBB\xBF") == 0 ? 3 : 0;
        while (begin < text.size()) {
            const size_t end = std::min(text.find('\n', begin), text.size());
            ++line_;
            take(trimmed(text.substr(begin, end - begin)));
            begin = end + 1;
        }
        close_group();
        if (groups_.empty())
            throw Error(AIANIME_BAD_DATA,
                        io::printable(path_) + ": no phrase; a group begins with its name in brackets, as [hair]");
        return std::move(groups_);
    }

private:
    [[noreturn]] void refuse(const std::string &why) const { refuse(line_, why); }
    [[noreturn]] void refuse(size_t line, const std::string &why) const {
        throw Error(AIANIME_BAD_DATA, io::printable(path_) + ": line " + std::to_string(line) + ": " + why);
    }

    void take(const std::string &line) {
        if (line.empty() || line[0] == '#')
            return;
        if (std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }))
            refuse("a control byte");
        if (line[0] == '[')
            begin_group(line);
        else
            add(line);
    }

    void begin_group(const std::string &line) {
        close_group();
        const std::string name = line.back() == ']' ? trimmed(line.substr(1, line.size() - 2)) : "";
        if (name.empty())
            refuse("expected a group's name in brackets, as [hair]");
        for (const PhraseGroup &group : groups_)
            if (group.name == name)
                refuse("the group " + io::quoted(name) + " is there twice");
        groups_.push_back({name, {}});
        group_line_ = line_;
    }

    // A group of one phrase would always be said.
    void close_group() const {
        if (groups_.empty())
            return;
        const PhraseGroup &group = groups_.back();
        if (group.phrases.size() < 2)
            refuse(group_line_, "the group " + io::quoted(group.name) + " needs two phrases at least");
        if (std::all_of(group.phrases.begin(), group.phrases.end(), [](const Phrase &phrase) { return phrase.neutral; }))
            refuse(group_line_, "the group " + io::quoted(group.name) + " has neutral phrases only");
    }

    void add(const std::string &line) {
        if (groups_.empty())
            refuse("a phrase before the first group; a group begins with its name in brackets, as [hair]");
        if (++count_ > max_phrases)
            refuse("more than " + std::to_string(max_phrases) + " phrases");
        Phrase phrase;
        phrase.line = line_;
        phrase.neutral = line[0] == '-';
        const std::string rest = phrase.neutral ? trimmed(line.substr(1)) : line;
        const size_t mark = rest.find('|');
        phrase.text = trimmed(rest.substr(0, mark));
        if (phrase.text.empty())
            refuse("a phrase without words");
        phrase.tag = mark == std::string::npos ? phrase.text : trimmed(rest.substr(mark + 1));
        if (phrase.neutral && mark != std::string::npos)
            refuse("a neutral phrase is never said and has no tag");
        if (phrase.tag.empty())
            refuse("nothing behind the \"|\"");
        std::vector<Phrase> &phrases = groups_.back().phrases;
        for (const Phrase &other : phrases)
            if (other.text == phrase.text)
                refuse(io::quoted(phrase.text) + " is in line " + std::to_string(other.line) + " already");
        phrases.push_back(phrase);
    }

    std::string path_;
    std::vector<PhraseGroup> groups_;
    size_t line_ = 0, group_line_ = 0, count_ = 0;
};

} // namespace

std::vector<PhraseGroup> read_phrase_list(const std::string &path) { return Reader(path).read(); }

std::string default_phrase_list() {
    const std::string path = io::find_in(io::model_folders(), "phrases/default.txt");
    if (path.empty())
        throw Error(AIANIME_NOT_FOUND, "the list of phrases is missing: models/phrases/default.txt, or phrases/default.txt below a "
                                       "folder of AIANIME_MODELS");
    return path;
}

} // namespace aianime::caption
