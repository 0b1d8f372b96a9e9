// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "io/error.h"
#include "io/file.h"
#include "nn/tokenizer_files.h"

namespace aianime::nn {

namespace {

constexpr int64_t max_token = 1 << 24;

bool exists(const std::string &path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

void add(std::vector<AddedToken> &all, AddedToken token) {
    const auto same = [&token](const AddedToken &other) { return other.text == token.text; };
    if (!token.text.empty() && std::none_of(all.begin(), all.end(), same))
        all.push_back(std::move(token));
}

bool flag(const io::Json &json, const char *key) { return json.has(key) && json.at(key).boolean(); }

// {"50265": {"content": "<image>", "special": true, ...}}
void add_decoder(std::vector<AddedToken> &all, const io::Json &decoder) {
    for (const std::string &number : decoder.keys()) {
        const io::Json token = decoder.at(number);
        int64_t value = -1;
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
        if (error != std::errc() || end != number.data() + number.size() || value < 0 || value > max_token)
            throw Error(AIANIME_BAD_DATA, token.where() + ": the name is no token number");
        add(all, {token.at("content").string(), static_cast<int32_t>(value), flag(token, "special"), flag(token, "lstrip"),
                  flag(token, "rstrip")});
    }
}

// transformers writes 10^30 as a whole number where a tokenizer has no limit. It fits no integer: null stands for it.
std::string without_endless_limit(std::string text) {
    const std::string key = "\"model_max_length\"";
    const size_t found = text.find(key);
    const size_t first = found == std::string::npos ? found : text.find_first_not_of(" \t\r\n:", found + key.size());
    if (first == std::string::npos)
        return text;
    const size_t end = std::min(text.find_first_not_of("0123456789", first), text.size());
    constexpr size_t digits_of_integers = 18;
    return end - first > digits_of_integers ? text.replace(first, end - first, "null") : text;
}

} // namespace

io::Json load_tokenizer_settings(const std::string &folder) {
    for (const char *name : {"tokenizer_config.json", "special_tokens_map.json"}) {
        const std::string path = folder + "/" + name;
        if (exists(path))
            return io::Json::parse(without_endless_limit(io::read_file(path, io::Json::max_file_bytes)), path);
    }
    return io::Json::parse("{}", folder);
}

std::string token_text(const io::Json &settings, const std::string &key, const std::string &fallback) {
    if (!settings.has(key) || settings.at(key).is_null())
        return fallback;
    const io::Json value = settings.at(key);
    return value.is_object() ? value.at("content").string() : value.string();
}

std::vector<AddedToken> load_added_tokens(const std::string &folder, const TokenizerFiles &files, const io::Json &settings) {
    std::vector<AddedToken> all;
    for (const AddedToken &token : files.added)
        add(all, token);
    if (settings.has("added_tokens_decoder"))
        add_decoder(all, settings.at("added_tokens_decoder"));
    for (const char *key : {"bos_token", "eos_token", "pad_token", "unk_token"}) {
        const std::string text = token_text(settings, key, "");
        const auto found = files.vocabulary.find(text);
        if (found != files.vocabulary.end())
            add(all, {text, found->second, true});
    }
    if (exists(folder + "/added_tokens.json")) {
        const io::Json added = io::Json::load(folder + "/added_tokens.json");
        for (const std::string &text : added.keys())
            add(all, {text, static_cast<int32_t>(added.at(text).integer(0, max_token))});
    }
    return all;
}

} // namespace aianime::nn
