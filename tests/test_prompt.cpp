// SPDX-License-Identifier: LGPL-2.1-or-later
// Weighted prompts against an implementation of its own in Python (tests/golden/make_prompt.py).
#include <cmath>

#include "diffusion/prompt.h"
#include "io/json.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"

using namespace aianime;
using diffusion::parse_prompt;
using diffusion::WeightedText;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/prompt/" + name; }

std::string shown(const std::vector<WeightedText> &pieces) {
    std::string text;
    for (const WeightedText &piece : pieces)
        text += "{" + piece.text + " " + std::to_string(piece.weight) + "}";
    return text;
}

// The pack in the tree, opened once a test.
struct Pocket {
    std::string folder = tests_folder() + "/../models/pocket";
    nn::ClipTokenizer tokenizer{folder + "/tokenizer"};
    nn::ClipText encoder{io::Json::load(folder + "/text_encoder/config.json")};

    Pocket() { encoder.load(nn::WeightSource::from_folder(folder + "/text_encoder"), at::kFloat, at::kCPU); }
    diffusion::EncodedPrompt encode(const std::string &prompt) const {
        return diffusion::encode_prompt(prompt, tokenizer, encoder, at::kCPU);
    }
};

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
            agrees = found[k].text == wanted.at(k).at(size_t{0}).string() &&
                     std::abs(found[k].weight - weight) < 1e-6 * std::abs(weight) + 1e-9;
        }
        ck_assert_msg(agrees, "\"%s\" became %s", prompt.c_str(), shown(found).c_str());
    }
}

AIANIME_TEST(embeddings_agree_with_python) {
    const Pocket pocket;
    const io::Json prompts = io::Json::load(golden("embedded.json")).at("prompts");
    const nn::WeightSource source = nn::WeightSource::from_file(golden("embeddings.safetensors"));
    for (size_t i = 0; i < prompts.size(); ++i) {
        const auto found = pocket.encode(prompts.at(i).at("prompt").string());
        const double error = difference(found.embedding, source.tensor(std::to_string(i), at::kFloat, at::kCPU));
        ck_assert_msg(error < 1e-5, "prompt %zu is off by %g", i, error);
        const int64_t tokens = prompts.at(i).at("tokens").integer(0, 1000);
        ck_assert_int_eq(found.tokens, tokens);
        ck_assert_int_eq(found.truncated, std::max<int64_t>(tokens - 75, 0));
    }
}

AIANIME_TEST(weight_one_leaves_the_embedding_alone) {
    const Pocket pocket;
    const at::Tensor plain = pocket.encode("pop anime style").embedding;
    ck_assert(at::equal(plain, pocket.encode("(pop:1.0) anime ([style])").embedding));
    ck_assert_double_gt(difference(pocket.encode("(pop:1.5) anime style").embedding, plain), 1e-3);
}

AIANIME_TEST(seventy_five_tokens_fit) {
    const Pocket pocket;
    std::string prompt;
    for (int i = 0; i < 75; ++i)
        prompt += "a ";
    ck_assert_int_eq(pocket.encode(prompt).truncated, 0);
    const auto longer = pocket.encode(prompt + "horse rain");
    ck_assert_int_eq(longer.truncated, 2);
    ck_assert(at::equal(longer.embedding, pocket.encode(prompt).embedding));
    ck_assert_int_eq(pocket.encode("").tokens, 0);
}

// Weights that cancel the mean or overflow must still give numbers where numbers are possible.
AIANIME_TEST(odd_weights) {
    const Pocket pocket;
    for (const char *prompt : {"(a:0)", "(a:-1) b", "(a:0.0000001)", "(a:1000000)"})
        ck_assert_msg(at::isfinite(pocket.encode(prompt).embedding).all().item<bool>(), "%s", prompt);
    ck_assert_int_eq(parse_prompt("(a:" + std::string(400, '9') + ")").size(), 1);
}

// Nested by the ten thousand: quadratic work would run into the time limit.
AIANIME_TEST(a_hostile_prompt) {
    std::string open, closed;
    for (int i = 0; i < 300000; ++i) {
        open += "(a";
        closed += ")";
    }
    ck_assert_int_gt(parse_prompt(open + closed).size(), 1);
    ck_assert_int_gt(parse_prompt(open).size(), 1);
    ck_assert(std::isfinite(parse_prompt(open).back().weight));
}

int main() {
    return run_suite("prompt", {prompts_parse_as_in_python, embeddings_agree_with_python, weight_one_leaves_the_embedding_alone,
                                seventy_five_tokens_fit, odd_weights, a_hostile_prompt});
}
