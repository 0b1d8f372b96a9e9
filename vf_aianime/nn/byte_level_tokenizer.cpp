// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/byte_level_tokenizer.h"

#include <algorithm>

#include "io/error.h"
#include "io/text.h"
#include "nn/byte_level_pieces.h"
#include "nn/byte_pairs.h"
#include "nn/byte_symbols.h"
#include "nn/tokenizer_files.h"
#include "nn/unicode.h"

namespace aianime::nn {

namespace {

constexpr const char *opt_start = "</s>";

std::string utf8(const std::u32string &text) {
    std::string out;
    for (char32_t c : text)
        io::append_utf8(out, c);
    return out;
}

// The bytes that a token's symbols stand for. A token that is written in other characters is itself.
std::string token_bytes(const std::string &text) {
    std::string bytes;
    for (char32_t c : unicode::decode(text)) {
        const int byte = symbol_byte(c);
        if (byte < 0)
            return text;
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

// Of all tokens whose text begins at `at`, the longest one, or null.
const AddedToken *added_at(const std::vector<AddedToken> &longest_first, const std::string &text, size_t at) {
    for (const AddedToken &token : longest_first)
        if (text.compare(at, token.text.size(), token.text) == 0)
            return &token;
    return nullptr;
}

} // namespace

struct ByteLevelTokenizer::Impl {
    Impl(const std::string &folder, TokenizerFiles files) : Impl(folder, std::move(files), load_tokenizer_settings(folder)) {}

    Impl(const std::string &folder, TokenizerFiles files, const io::Json &settings)
        : added(load_added_tokens(folder, files, settings)) {
        for (const auto &[text, token] : files.vocabulary)
            texts.emplace(token, token_bytes(text));
        for (const AddedToken &token : added)
            texts[token.token] = token_bytes(token.text);
        for (const auto &entry : texts)
            size = std::max<int64_t>(size, entry.first + 1);
        prefix_space = settings.has("add_prefix_space") && settings.at("add_prefix_space").boolean();
        const std::string source = io::printable(files.merges_file);
        pairs = std::make_unique<BytePairs>(std::move(files));
        check_bytes(source);
        bos = find(token_text(settings, "bos_token", opt_start), source);
        std::stable_sort(added.begin(), added.end(),
                         [](const AddedToken &a, const AddedToken &b) { return a.text.size() > b.text.size(); });
    }

    void check_bytes(const std::string &source) const {
        for (int byte = 0; byte < 256; ++byte)
            if (pairs->token(utf8({byte_symbol(static_cast<unsigned char>(byte))})) < 0)
                throw Error(AIANIME_BAD_DATA,
                            source + ": the vocabulary is not one of bytes: it lacks byte " + std::to_string(byte));
    }

    int64_t find(const std::string &text, const std::string &source) const {
        for (const AddedToken &token : added)
            if (token.text == text)
                return token.token;
        const int32_t token = pairs->token(text);
        if (token < 0)
            throw Error(AIANIME_BAD_DATA, source + ": the start token " + io::quoted(text) + " is not in the vocabulary");
        return token;
    }

    void encode_plain(std::u32string text, std::vector<int64_t> &out) const {
        if (prefix_space && !text.empty() && !unicode::is_space(text.front()))
            text.insert(text.begin(), U' ');
        for (const std::u32string &piece : byte_level_pieces(text))
            pairs->encode(byte_level_symbols(piece), 0, out);
    }

    // What stands before an added token, less the white space that belongs to the one on its left or right.
    void encode_between(const std::string &text, const AddedToken *left, const AddedToken *right, std::vector<int64_t> &out) const {
        std::u32string plain = unicode::decode(text);
        const auto is_word = [](char32_t c) { return !unicode::is_space(c); };
        if (left && left->eats_right)
            plain.erase(plain.begin(), std::find_if(plain.begin(), plain.end(), is_word));
        if (right && right->eats_left)
            plain.erase(std::find_if(plain.rbegin(), plain.rend(), is_word).base(), plain.end());
        encode_plain(std::move(plain), out);
    }

    std::unique_ptr<BytePairs> pairs;
    std::vector<AddedToken> added; // the longest first
    std::unordered_map<int64_t, std::string> texts;
    bool prefix_space = false;
    int64_t bos = 0, size = 0;
};

ByteLevelTokenizer::ByteLevelTokenizer(const std::string &folder)
    : impl_(std::make_unique<Impl>(folder, load_tokenizer_files(folder))) {}

ByteLevelTokenizer::~ByteLevelTokenizer() = default;

std::vector<int64_t> ByteLevelTokenizer::encode(const std::string &text) const {
    std::vector<int64_t> out = {impl_->bos};
    const AddedToken *left = nullptr;
    size_t begin = 0;
    for (size_t at = 0; at < text.size();) {
        const AddedToken *token = added_at(impl_->added, text, at);
        if (!token) {
            ++at;
            continue;
        }
        impl_->encode_between(text.substr(begin, at - begin), left, token, out);
        out.push_back(token->token);
        begin = at += token->text.size();
        left = token;
    }
    impl_->encode_between(text.substr(begin), left, nullptr, out);
    return out;
}

std::string ByteLevelTokenizer::decode(const std::vector<int64_t> &tokens, bool skip_special) const {
    std::string bytes;
    for (int64_t token : tokens) {
        const auto special = [token](const AddedToken &other) { return other.special && other.token == token; };
        if (skip_special && std::any_of(impl_->added.begin(), impl_->added.end(), special))
            continue;
        const auto found = impl_->texts.find(token);
        if (found != impl_->texts.end())
            bytes += found->second;
    }
    return utf8(unicode::decode(bytes));
}

int64_t ByteLevelTokenizer::bos() const { return impl_->bos; }

int64_t ByteLevelTokenizer::size() const { return impl_->size; }

} // namespace aianime::nn
