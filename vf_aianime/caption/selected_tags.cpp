// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/selected_tags.h"

#include <algorithm>
#include <string_view>

#include "io/error.h"
#include "io/file.h"
#include "io/text.h"

namespace aianime::caption {

namespace {

constexpr size_t max_file_bytes = 16 * 1024 * 1024;
constexpr size_t max_tags = size_t{1} << 20;

// Emoticons, whose underscores are drawn (the list that the taggers' own scripts carry).
constexpr std::string_view emoticons[] = {"0_0", "(o)_(o)", "+_+", "+_-", "._.", "<o>_<o>", "<|>_<|>", "=_=", ">_<",  "3_3",
                                          "6_9", ">_o",     "@_@", "^_^", "o_o", "u_u",     "x_x",     "|_|", "||_||"};

std::string spoken(const std::string &name) {
    std::string text = name;
    if (std::find(std::begin(emoticons), std::end(emoticons), name) == std::end(emoticons))
        std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

// The lines of one file, and what to say about them.
class Reader {
public:
    explicit Reader(const std::string &path) : path_(path), text_(io::read_file(path, max_file_bytes)) {
        if (const size_t bad = io::invalid_utf8(text_); bad != std::string::npos) {
            line_ = 1 + static_cast<size_t>(std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(bad), '\n'));
            refuse("not UTF-8");
        }
        if (text_.compare(0, 3, "\xEF\xBB\xBF") == 0)
            at_ = 3;
    }

    // The fields of the next line that is not empty; false at the end.
    bool next(std::vector<std::string> &fields) {
        std::string_view line;
        do {
            if (at_ >= text_.size())
                return false;
            const size_t end = std::min(text_.find('\n', at_), text_.size());
            line = std::string_view(text_).substr(at_, end - at_);
            at_ = end + 1;
            ++line_;
            if (!line.empty() && line.back() == '\r')
                line.remove_suffix(1);
        } while (line.empty());
        split(line, fields);
        return true;
    }

    [[noreturn]] void refuse(const std::string &why) const {
        throw Error(AIANIME_BAD_DATA, io::printable(path_) + ": line " + std::to_string(line_) + ": " + why);
    }

private:
    void split(std::string_view line, std::vector<std::string> &fields) const {
        fields.clear();
        for (size_t at = 0;; ++at) {
            fields.push_back(at < line.size() && line[at] == '"' ? quoted(line, at) : plain(line, at));
            if (at >= line.size())
                return;
            if (line[at] != ',')
                refuse("expected a comma after the closing quote");
        }
    }

    std::string plain(std::string_view line, size_t &at) const {
        const size_t end = std::min(line.find(',', at), line.size());
        const std::string_view field = line.substr(at, end - at);
        if (field.find('"') != std::string_view::npos)
            refuse("a quote within a field that does not begin with one");
        at = end;
        return std::string(field);
    }

    // Begins at the opening quote and ends behind the closing one.
    std::string quoted(std::string_view line, size_t &at) const {
        std::string field;
        for (++at; at < line.size(); ++at) {
            if (line[at] != '"') {
                field += line[at];
            } else if (at + 1 < line.size() && line[at + 1] == '"') {
                field += '"';
                ++at;
            } else {
                ++at;
                return field;
            }
        }
        refuse("a quote that is not closed");
    }

    std::string path_, text_;
    size_t at_ = 0, line_ = 0;
};

TagCategory category(const Reader &reader, const std::string &number) {
    if (number == "0")
        return TagCategory::general;
    if (number == "4")
        return TagCategory::character;
    if (number == "9")
        return TagCategory::rating;
    reader.refuse("category " + io::quoted(number) + " is none of 0 (general), 4 (character), 9 (rating)");
}

size_t column(const Reader &reader, const std::vector<std::string> &titles, const char *title) {
    const auto found = std::find(titles.begin(), titles.end(), title);
    if (found == titles.end())
        reader.refuse("there is no column " + io::quoted(title) +
                      "; a WD tagger's selected_tags.csv begins with "
                      "tag_id,name,category,count");
    return static_cast<size_t>(found - titles.begin());
}

} // namespace

std::vector<TagName> read_tag_list(const std::string &path) {
    Reader reader(path);
    std::vector<std::string> titles, fields;
    if (!reader.next(titles))
        throw Error(AIANIME_BAD_DATA, io::printable(path) + ": empty");
    const size_t name = column(reader, titles, "name"), kind = column(reader, titles, "category");
    std::vector<TagName> tags;
    while (reader.next(fields)) {
        if (fields.size() != titles.size())
            reader.refuse(std::to_string(fields.size()) + " fields instead of " + std::to_string(titles.size()));
        if (fields[name].empty())
            reader.refuse("a tag without a name");
        if (tags.size() == max_tags)
            reader.refuse("more than " + std::to_string(max_tags) + " tags");
        tags.push_back({spoken(fields[name]), category(reader, fields[kind])});
    }
    return tags;
}

} // namespace aianime::caption
