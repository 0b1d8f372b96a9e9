// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "io/error.h"
#include "io/text.h"
#include "nn/byte_pairs.h"
#include "nn/clip_pieces.h"
#include "nn/clip_text.h"

namespace aianime::nn {

namespace {

// Tokens with a meaning of their own. They are found in a text as it was written, before anything else is done to it.
struct Special {
    std::string text;
    int32_t token;
};

} // namespace

struct ClipTokenizer::Impl {
    explicit Impl(const std::string &folder) : pairs(load_tokenizer_files(folder)), settings(load_tokenizer_settings(folder)) {
        bos = special("bos_token", "<|startoftext|>");
        eos = special("eos_token", "<|endoftext|>");
        pad = special("pad_token", "<|endoftext|>");
        unknown = special("unk_token", "<|endoftext|>");
        const auto longer = [](const Special &a, const Special &b) { return a.text.size() > b.text.size(); };
        std::stable_sort(specials.begin(), specials.end(), longer);
    }

    int32_t special(const char *key, const char *fallback) {
        const std::string text = token_text(settings, key, fallback);
        const int32_t token = pairs.token(text);
        if (text.empty() || token < 0)
            throw Error(AIANIME_BAD_DATA, settings.where() + ": " + key + " " + io::quoted(text) + " is not in vocab.json");
        specials.push_back({text, token});
        return token;
    }

    // The special token that begins at `at`, the longest one, or null.
    const Special *special_at(const std::string &text, size_t at) const {
        for (const Special &special : specials)
            if (text.compare(at, special.text.size(), special.text) == 0)
                return &special;
        return nullptr;
    }

    void encode_plain(const std::string &text, std::vector<int64_t> &out) const {
        for (const std::u32string &piece : clip_pieces(text))
            pairs.encode(clip_symbols(piece), unknown, out);
    }

    BytePairs pairs;
    io::Json settings;
    std::vector<Special> specials;
    int32_t bos, eos, pad, unknown;
};

ClipTokenizer::ClipTokenizer(const std::string &folder, const std::string &pad) : impl_(std::make_unique<Impl>(folder)) {
    if (!pad.empty())
        impl_->pad = impl_->pairs.token(pad);
}

ClipTokenizer::~ClipTokenizer() = default;

std::vector<int64_t> ClipTokenizer::encode(const std::string &text) const {
    std::vector<int64_t> out;
    size_t begin = 0;
    for (size_t at = 0; at < text.size();) {
        const Special *special = impl_->special_at(text, at);
        if (!special) {
            ++at;
            continue;
        }
        impl_->encode_plain(text.substr(begin, at - begin), out);
        out.push_back(special->token);
        at += special->text.size();
        begin = at;
    }
    impl_->encode_plain(text.substr(begin), out);
    return out;
}

int64_t ClipTokenizer::bos() const { return impl_->bos; }

int64_t ClipTokenizer::eos() const { return impl_->eos; }

int64_t ClipTokenizer::pad() const { return impl_->pad; }

} // namespace aianime::nn
