// SPDX-License-Identifier: LGPL-2.1-or-later
// Prompts with weights, in chunks and with textual inversions against an implementation of its own in Python and transformers
// (tests/golden/make_prompt.py).
#include <cmath>

#include "diffusion/prompt.h"
#include "diffusion/prompt_encoder.h"
#include "io/json.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support_pack.h"

using namespace aianime;
using diffusion::parse_prompt;
using diffusion::WeightedText;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/prompt/" + name; }

std::string shown(const std::vector<WeightedText> &pieces) {
    std::string text;
    for (const WeightedText &piece : pieces)
        text += (piece.starts_chunk ? "BREAK{" : "{") + piece.text + " " + std::to_string(piece.weight) + "}";
    return text;
}

nn::TextualInversion inversion(const std::string &name) { return nn::load_textual_inversion(golden(name + ".safetensors")); }

std::vector<nn::TextualInversion> all_inversions() {
    return {inversion("EasyNegative"), inversion("bad-hands_v2.1"), inversion("starred"), inversion("concept"),
            inversion("one_vector")};
}

// A text encoder of synthetic weights, made once a test.
struct Encoder {
    GoldenPack pack;
    nn::ClipTokenizer tokenizer{pack.folder() + "/tokenizer"};
    nn::ClipText text{io::Json::load(pack.folder() + "/text_encoder/config.json")};

    Encoder() { text.load(nn::WeightSource::from_folder(pack.folder() + "/text_encoder"), at::kFloat, at::kCPU); }
    diffusion::PromptEncoder encoder(int64_t clip_skip = 1, std::vector<nn::TextualInversion> inversions = {}) const {
        return {tokenizer, text, at::kCPU, clip_skip, std::move(inversions)};
    }
    diffusion::EncodedPrompt encode(const std::string &prompt) const { return encoder().encode(prompt); }
};

std::string words(int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
        text += "a ";
    return text;
}

double difference(const at::Tensor &a, const at::Tensor &b) { return ((a - b).norm() / b.norm()).item<double>(); }

} // namespace

AIANIME_TEST(prompts_parse_as_in_python) {
    const io::Json prompts = io::Json::load(golden("parsed.json")).at("prompts");
    ck_assert_int_gt(prompts.size(), 200);
    for (size_t i = 0; i < prompts.size(); ++i) {
        const std::string prompt = prompts.at(i).at("prompt").string();
        const io::Json wanted = prompts.at(i).at("pieces");
        const std::vector<WeightedText> found = parse_prompt(prompt);
        bool agrees = found.size() == wanted.size();
        for (size_t k = 0; agrees && k < found.size(); ++k) {
            const double weight = wanted.at(k).at(1).number(-1e9, 1e9);
            agrees = found[k].starts_chunk == wanted.at(k).at(2).boolean() &&
                     found[k].text == wanted.at(k).at(size_t{0}).string() &&
                     std::abs(found[k].weight - weight) < 1e-6 * std::abs(weight) + 1e-9;
        }
        ck_assert_msg(agrees, "\"%s\" became %s", prompt.c_str(), shown(found).c_str());
    }
}

AIANIME_TEST(embeddings_agree_with_transformers) {
    const Encoder clip;
    const io::Json prompts = io::Json::load(golden("embedded.json")).at("prompts");
    for (size_t i = 0; i < prompts.size(); ++i) {
        const io::Json wanted = prompts.at(i);
        const nn::WeightSource source = nn::WeightSource::from_file(golden("embeddings_" + std::to_string(i / 5) + ".safetensors"));
        const auto encoder = clip.encoder(wanted.at("clip_skip").integer(1, 2), all_inversions());
        const auto found = encoder.encode(wanted.at("prompt").string(), wanted.at("least").integer(1, 9));
        const double error = difference(found.embedding, source.tensor(std::to_string(i), at::kFloat, at::kCPU));
        ck_assert_msg(error < 1e-5, "prompt %zu is off by %g", i, error);
        ck_assert_int_eq(found.tokens, wanted.at("tokens").integer(0, 1000));
        ck_assert_int_eq(found.chunks, wanted.at("chunks").integer(1, 9));
        ck_assert_int_eq(found.truncated, 0);
    }
}

AIANIME_TEST(embeddings_are_told_by_their_keys) {
    std::string names;
    for (const nn::TextualInversion &each : all_inversions())
        names += each.name + " " + std::to_string(each.vectors.size(0)) + "x" + std::to_string(each.vectors.size(1)) + ", ";
    ck_assert_str_eq(names.c_str(), "EasyNegative 2x64, bad-hands_v2.1 4x64, starred 1x64, <cat-toy> 3x64, <Toy> 1x64, ");
    const auto used = Encoder().encoder(1, all_inversions()).encode("starred EASYNEGATIVE starred").embeddings;
    ck_assert(used == std::vector<std::string>({"starred", "EasyNegative"}));
}

AIANIME_TEST(embeddings_that_are_refused) {
    const Encoder clip;
    expect_error([&] { clip.encoder(1, {inversion("wide")}); }, AIANIME_BAD_DATA, "wide.safetensors: the embedding is made for");
    expect_error([&] { clip.encoder(1, {inversion("long")}); }, AIANIME_BAD_DATA, "76 vectors, at most 75");
    expect_error(
        [&] {
            clip.encoder(1, {inversion("concept"), inversion("concept")});
        },
        AIANIME_BAD_DATA, "same name \"<cat-toy>\"");
    expect_error([] { inversion("sdxl"); }, AIANIME_BAD_DATA, "SDXL");
    expect_error([] { inversion("lora"); }, AIANIME_BAD_DATA, "2 tensors");
    expect_error([] { inversion("cube"); }, AIANIME_BAD_DATA, "3 dimensions");
    expect_error([] { inversion("nan"); }, AIANIME_BAD_DATA, "not finite");
    const TempFolder folder;
    write_file(folder.path("easynegative.pt"), "PK\3\4 and so on, as torch.save() writes");
    expect_error([&] { nn::load_textual_inversion(folder.path("easynegative.pt")); }, AIANIME_FORBIDDEN, "easynegative.pt");
    expect_error([] { inversion("none"); }, AIANIME_NOT_FOUND, "none.safetensors");
}

AIANIME_TEST(weight_one_leaves_the_embedding_alone) {
    const Encoder clip;
    const at::Tensor plain = clip.encode("pop anime style").embedding;
    ck_assert(at::equal(plain, clip.encode("(pop:1.0) anime ([style])").embedding));
    ck_assert_double_gt(difference(clip.encode("(pop:1.5) anime style").embedding, plain), 1e-3);
}

AIANIME_TEST(chunks_hold_seventy_five_tokens) {
    const Encoder clip;
    ck_assert_int_eq(clip.encode(words(75)).chunks, 1);
    const auto longer = clip.encode(words(75) + "horse rain");
    ck_assert_int_eq(longer.chunks, 2);
    ck_assert_int_eq(longer.embedding.size(1), 154);
    ck_assert_double_lt(difference(longer.embedding.slice(1, 0, 77), clip.encode(words(75)).embedding), 1e-5);
    ck_assert_double_lt(difference(longer.embedding.slice(1, 77), clip.encode("horse rain").embedding), 1e-5);
    ck_assert_int_eq(clip.encode("").tokens, 0);
}

AIANIME_TEST(breaks) {
    const Encoder clip;
    for (const auto &[prompt, chunks] : std::vector<std::pair<std::string, int>>{{"a BREAK b", 2},
                                                                                 {"a BREAK", 1},
                                                                                 {"BREAK a", 2},
                                                                                 {"BREAK", 1},
                                                                                 {"a BREAK BREAK b", 3},
                                                                                 {"(a BREAK b:1.2)", 2},
                                                                                 {words(75) + "BREAK b", 2},
                                                                                 {"a break b BREAKS", 1}})
        ck_assert_msg(clip.encode(prompt).chunks == chunks, "%s", prompt.c_str());
}

AIANIME_TEST(an_embedding_stays_in_one_chunk) {
    const Encoder clip;
    const auto encoder = clip.encoder(1, all_inversions());
    ck_assert_int_eq(encoder.encode(words(71) + "bad-hands_v2.1").chunks, 1);
    const auto moved = encoder.encode(words(72) + "bad-hands_v2.1");
    ck_assert_int_eq(moved.chunks, 2);
    ck_assert_double_lt(difference(moved.embedding.slice(1, 77), encoder.encode("bad-hands_v2.1").embedding), 1e-5);
}

AIANIME_TEST(two_prompts_of_one_length) {
    const Encoder clip;
    const auto [negative, positive] = clip.encoder().encode_pair("rain", words(160));
    ck_assert_int_eq(negative.chunks, 3);
    ck_assert_int_eq(positive.chunks, 3);
    ck_assert(negative.embedding.sizes() == positive.embedding.sizes());
    ck_assert_double_lt(difference(negative.embedding.slice(1, 154), clip.encode("").embedding), 1e-5);
}

AIANIME_TEST(what_does_not_fit_is_counted) {
    const Encoder clip;
    const auto found = clip.encode(words(75 * 16 + 2));
    ck_assert_int_eq(found.chunks, 16);
    ck_assert_int_eq(found.truncated, 2);
    ck_assert_int_eq(found.tokens, 75 * 16 + 2);
}

AIANIME_TEST(layers_are_counted_from_the_last) {
    const Encoder clip;
    expect_error([&] { clip.encoder(0); }, AIANIME_OUT_OF_RANGE, "clip_skip");
    expect_error([&] { clip.encoder(3); }, AIANIME_OUT_OF_RANGE, "2 layers");
    ck_assert_double_gt(difference(clip.encoder(2).encode("rain").embedding, clip.encode("rain").embedding), 1e-3);
}

// Weights that cancel the mean or overflow must still give numbers where numbers are possible.
AIANIME_TEST(odd_weights) {
    const Encoder clip;
    for (const char *prompt : {"(a:0)", "(a:-1) b", "(a:0.0000001)", "(a:1000000)"})
        ck_assert_msg(at::isfinite(clip.encode(prompt).embedding).all().item<bool>(), "%s", prompt);
    ck_assert_int_eq(parse_prompt("(a:" + std::string(400, '9') + ")").size(), 1);
}

// Nested by the ten thousand: quadratic work would run into the time limit.
AIANIME_TEST(a_hostile_prompt) {
    const Encoder clip;
    std::string open, closed;
    for (int i = 0; i < 300000; ++i) {
        open += "(a";
        closed += ")";
    }
    ck_assert_int_gt(parse_prompt(open + closed).size(), 1);
    ck_assert_int_gt(parse_prompt(open).size(), 1);
    ck_assert(std::isfinite(parse_prompt(open).back().weight));
    const auto encoder = clip.encoder(1, all_inversions());
    for (const std::string &prompt : {open + closed, words(300000), std::string(600000, 'E'), std::string(600000, '<')})
        ck_assert_int_le(encoder.encode(prompt).chunks, 16);
    std::string breaks;
    for (int i = 0; i < 100000; ++i)
        breaks += "BREAK ";
    ck_assert_int_eq(encoder.encode(breaks + "a").truncated, 1);
}

int main() {
    return run_suite("prompt", {prompts_parse_as_in_python, embeddings_agree_with_transformers, embeddings_are_told_by_their_keys,
                                embeddings_that_are_refused, weight_one_leaves_the_embedding_alone, chunks_hold_seventy_five_tokens,
                                breaks, an_embedding_stays_in_one_chunk, two_prompts_of_one_length, what_does_not_fit_is_counted,
                                layers_are_counted_from_the_last, odd_weights, a_hostile_prompt});
}
