// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/tag_list.h"

#include "caption/word_text.h"

namespace aianime::caption {

namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

} // namespace

std::string trimmed(const std::string &text) {
    size_t begin = 0, end = text.size();
    while (begin < end && is_blank(text[begin]))
        ++begin;
    while (end > begin && is_blank(text[end - 1]))
        --end;
    return text.substr(begin, end - begin);
}

std::string tag_key(const std::string &tag) {
    std::string key;
    for (const char c : lower_case(trimmed(tag))) {
        const bool blank = is_blank(c) || c == '_';
        if (c == '\\' || (blank && !key.empty() && key.back() == ' '))
            continue;
        key += blank ? ' ' : c;
    }
    return key;
}

std::vector<std::string> split_tags(const std::string &text) {
    std::vector<std::string> tags;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        if (const std::string tag = trimmed(text.substr(begin, end - begin)); !tag.empty())
            tags.push_back(tag);
        begin = end + 1;
    }
    return tags;
}

std::string joined_tags(const std::vector<std::string> &tags) {
    std::string text;
    for (const std::string &tag : tags)
        text += (text.empty() ? "" : ", ") + tag;
    return text;
}

} // namespace aianime::caption
