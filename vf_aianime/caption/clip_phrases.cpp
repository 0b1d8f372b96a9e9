// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/clip_phrases.h"

#include <algorithm>
#include <filesystem>

#include "caption/phrase_list.h"
#include "caption/rgb_tensor.h"
#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/clip_model.h"
#include "nn/clip_text.h"
#include "nn/clip_vision.h"
#include "nn/weights.h"

namespace aianime::caption {

namespace {

constexpr int64_t texts_at_once = 64;
// CLIP sees the middle square; of a long strip only what it could see is resized.
constexpr int most_aspect = 8;

bool exists(const std::string &path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

std::string tokenizer_folder(const std::string &folder, const std::string &wanted) {
    if (!wanted.empty())
        return wanted;
    if (exists(folder + "/vocab.json") || exists(folder + "/tokenizer.json"))
        return folder;
    const std::string found = io::find_in(io::model_folders(), "pocket/tokenizer");
    if (found.empty())
        throw Error(AIANIME_NOT_FOUND, io::printable(folder) +
                                           ": no vocab.json or tokenizer.json, and no pocket/tokenizer in the model folders; put "
                                           "CLIP's vocab.json and merges.txt into it");
    return found;
}

io::Json load_config(const std::string &folder) {
    if (!io::is_folder(folder))
        throw Error(AIANIME_NOT_FOUND,
                    io::printable(folder) +
                        ": no such folder; CLIP interrogation needs that of a whole CLIP in transformers' layout, "
                        "with config.json and model.safetensors");
    return io::Json::load(folder + "/config.json");
}

cv::Mat middle(const cv::Mat &rgb) {
    if (rgb.empty())
        return rgb;
    const int width = std::min<int64_t>(rgb.cols, int64_t{most_aspect} * rgb.rows);
    const int height = std::min<int64_t>(rgb.rows, int64_t{most_aspect} * rgb.cols);
    return rgb({(rgb.cols - width) / 2, (rgb.rows - height) / 2, width, height});
}

void check(const ClipPhrasesSettings &settings) {
    if (!(settings.least_share >= 0 && settings.least_share <= 1))
        throw Error(AIANIME_OUT_OF_RANGE,
                    "phrases: a least share of " + std::to_string(settings.least_share) + " is not between 0 and 1");
    if (!(settings.least_lead >= 1 && settings.least_lead <= 1e6))
        throw Error(AIANIME_OUT_OF_RANGE,
                    "phrases: a least lead of " + std::to_string(settings.least_lead) + " is not between 1 and 1000000");
}

// Adds the tags of "a, b" that are not there yet.
void add_tags(const std::string &list, std::vector<std::string> &tags) {
    for (size_t begin = 0; begin < list.size();) {
        const size_t end = std::min(list.find(", ", begin), list.size());
        const std::string tag = list.substr(begin, end - begin);
        if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end())
            tags.push_back(tag);
        begin = end + 2;
    }
}

bool begins_with_with(const std::string &text) { return text.compare(0, 5, "with ") == 0; }

} // namespace

std::string joined_phrases(const std::vector<std::string> &phrases) {
    std::string text;
    bool after_with = false;
    for (const std::string &phrase : phrases) {
        const bool with = begins_with_with(phrase);
        if (text.empty())
            text = with ? phrase.substr(5) : phrase;
        else if (with)
            text += after_with ? " and " + phrase.substr(5) : " " + phrase;
        else
            text += ", " + phrase;
        after_with = with;
    }
    return text;
}

struct ClipPhrases::Impl {
    Impl(const std::string &folder, at::ScalarType dtype, at::Device on, const ClipPhrasesSettings &wanted)
        : settings(wanted), device(on), list(wanted.phrases.empty() ? default_phrase_list() : wanted.phrases),
          groups(read_phrase_list(list)), network(load_config(folder)) {
        const nn::ClipTokenizer tokenizer(tokenizer_folder(folder, wanted.tokenizer));
        const std::vector<std::vector<int64_t>> texts = tokens(tokenizer);
        network.load(nn::WeightSource::from_folder(folder), dtype, device);
        embed(texts, tokenizer.eos());
    }

    // Of every phrase, with start and end tokens.
    std::vector<std::vector<int64_t>> tokens(const nn::ClipTokenizer &tokenizer) const {
        std::vector<std::vector<int64_t>> texts;
        for (const PhraseGroup &group : groups)
            for (const Phrase &phrase : group.phrases) {
                std::vector<int64_t> ids = tokenizer.encode(phrase.text);
                if (static_cast<int64_t>(ids.size()) + 2 > network.max_tokens())
                    throw Error(AIANIME_BAD_DATA, io::printable(list) + ": line " + std::to_string(phrase.line) + ": " +
                                                      std::to_string(ids.size()) + " tokens, the text encoder takes " +
                                                      std::to_string(network.max_tokens() - 2));
                ids.insert(ids.begin(), tokenizer.bos());
                ids.push_back(tokenizer.eos());
                texts.push_back(std::move(ids));
            }
        return texts;
    }

    void embed(const std::vector<std::vector<int64_t>> &texts, int64_t eos) {
        const c10::InferenceMode inference;
        std::vector<at::Tensor> parts;
        for (size_t begin = 0; begin < texts.size(); begin += texts_at_once) {
            const size_t count = std::min<size_t>(texts_at_once, texts.size() - begin);
            size_t longest = 0;
            for (size_t i = 0; i < count; ++i)
                longest = std::max(longest, texts[begin + i].size());
            const at::Tensor ids = at::full({static_cast<int64_t>(count), static_cast<int64_t>(longest)}, eos, at::kLong);
            for (size_t i = 0; i < count; ++i)
                std::copy(texts[begin + i].begin(), texts[begin + i].end(), ids.data_ptr<int64_t>() + i * longest);
            parts.push_back(network.text_embeddings(ids));
        }
        embeddings = at::cat(parts);
        if (!at::isfinite(embeddings).all().item<bool>())
            throw Error(AIANIME_NOT_FINITE, "phrases: the text encoder's numbers are not finite");
    }

    // One group's phrases, the best first, from its logits in the list's order.
    std::vector<RankedPhrase> rank(const PhraseGroup &group, const at::Tensor &logits) const {
        const at::Tensor shares = at::softmax(logits, 0);
        std::vector<RankedPhrase> ranked;
        for (size_t i = 0; i < group.phrases.size(); ++i) {
            const Phrase &phrase = group.phrases[i];
            ranked.push_back({group.name, phrase.text, phrase.tag, phrase.neutral, shares.data_ptr<float>()[i],
                              logits.data_ptr<float>()[i], false});
        }
        std::stable_sort(ranked.begin(), ranked.end(),
                         [](const RankedPhrase &a, const RankedPhrase &b) { return a.logit > b.logit; });
        RankedPhrase &best = ranked.front();
        best.said = !best.neutral && best.share >= settings.least_share && best.share >= settings.least_lead * ranked[1].share;
        return ranked;
    }

    ClipPhrasesSettings settings;
    at::Device device;
    std::string list;
    std::vector<PhraseGroup> groups;
    nn::ClipModel network;
    at::Tensor embeddings; // [phrases, projection], of length 1
};

ClipPhrases::ClipPhrases(const std::string &folder, at::ScalarType dtype, at::Device device, const ClipPhrasesSettings &settings) {
    check(settings);
    impl_ = std::make_unique<Impl>(folder, dtype, device, settings);
}

ClipPhrases::~ClipPhrases() = default;

std::vector<RankedPhrase> ClipPhrases::rank(const cv::Mat &rgb) const {
    const c10::InferenceMode inference;
    const nn::ClipModel &network = impl_->network;
    const at::Tensor pixels = network.vision().preprocess(rgb_tensor(middle(rgb)).to(impl_->device));
    const at::Tensor picture = network.picture_embeddings(pixels);
    const at::Tensor logits = network.logits(picture, impl_->embeddings).to(at::kCPU, at::kFloat).flatten().contiguous();
    if (!at::isfinite(logits).all().item<bool>())
        throw Error(AIANIME_NOT_FINITE, "phrases: the image encoder's numbers are not finite");
    std::vector<RankedPhrase> all;
    int64_t begin = 0;
    for (const PhraseGroup &group : impl_->groups) {
        const auto count = static_cast<int64_t>(group.phrases.size());
        for (RankedPhrase &phrase : impl_->rank(group, logits.slice(0, begin, begin + count)))
            all.push_back(std::move(phrase));
        begin += count;
    }
    return all;
}

std::string ClipPhrases::caption(const cv::Mat &rgb) const {
    std::vector<std::string> phrases, tags;
    for (const RankedPhrase &phrase : rank(rgb))
        if (phrase.said) {
            phrases.push_back(phrase.text);
            add_tags(phrase.tag, tags);
        }
    return impl_->settings.tags ? io::joined(tags) : joined_phrases(phrases);
}

} // namespace aianime::caption
