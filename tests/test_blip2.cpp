// SPDX-License-Identifier: LGPL-2.1-or-later
// BLIP-2's networks and its search for words against transformers (tests/golden/make_blip2.py).
#include <cmath>

#include "nn/aten.h"
#include "nn/blip2/generate.h"
#include "nn/byte_level_tokenizer.h"
#include "support.h"
#include "support_blip2.h"
#include "support_networks.h"
#include "support_synthetic.h"

using namespace aianime;
using nn::Blip2Model;
using nn::SearchSettings;
using nn::WeightSource;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/blip2/" + name; }

struct Loaded {
    explicit Loaded(const std::string &name, at::ScalarType dtype = at::kFloat)
        : wanted("blip2/" + name), source(WeightSource::from_folder(wanted.folder())), model(wanted.config(), source) {
        model.load(source, dtype, at::kCPU);
    }

    NetworkGolden wanted;
    WeightSource source;
    Blip2Model model;
};

// What lies below a prefix, under the names without it.
void load_part(nn::Module &module, const WeightSource &source, const std::string &prefix) {
    std::map<std::string, nn::WeightView> views;
    module.visit([&](const std::string &name, at::Tensor &, const std::vector<int64_t> &shape) {
        views[name] = {prefix + name, shape};
    });
    nn::load(module, source.renamed(views), at::kFloat, at::kCPU);
}

void check_picture(const std::string &name) {
    const c10::InferenceMode guard;
    const Loaded loaded(name);
    const nn::Blip2Config &config = loaded.model.config();
    nn::Blip2Vision vision(config.vision);
    load_part(vision, loaded.source, "vision_model.");
    expect_close(vision.forward(loaded.wanted.tensor("pixels")), loaded.wanted.tensor("picture"), 1e-4, "vision tower");
    nn::QFormer qformer(config.qformer);
    load_part(qformer, loaded.source, "qformer.");
    const at::Tensor queries = loaded.source.tensor("query_tokens", at::kFloat, at::kCPU).expand({2, -1, -1});
    expect_close(qformer.forward(queries, loaded.wanted.tensor("picture")), loaded.wanted.tensor("queries"), 1e-4, "Q-Former");
    expect_close(loaded.model.picture_tokens(loaded.wanted.tensor("pixels")), loaded.wanted.tensor("tokens"), 1e-4, "tokens");
}

void check_logits(const nn::Opt &opt, const at::Tensor &embeddings, const at::Tensor &wanted) {
    const c10::InferenceMode guard;
    nn::OptCache whole, last, in_steps;
    expect_close(opt.forward(embeddings, whole, false), wanted, 1e-4, "logits");
    const int64_t count = embeddings.size(1);
    expect_close(opt.forward(embeddings, last, true), wanted.slice(1, count - 1), 1e-4, "logits of the last token");
    // A beginning, one token, the rest.
    std::vector<at::Tensor> logits;
    for (const auto &[first, end] : std::vector<std::pair<int64_t, int64_t>>{{0, 2}, {2, 3}, {3, count}})
        logits.push_back(opt.forward(embeddings.slice(1, first, end), in_steps, false));
    expect_close(at::cat(logits, 1), wanted, 1e-4, "logits with a cache");
    ck_assert_int_eq(in_steps.tokens(), count);
}

void check_language(const std::string &name) {
    const c10::InferenceMode guard;
    const Loaded loaded(name);
    const nn::Opt &opt = loaded.model.language_model();
    const at::Tensor words = opt.embeddings(loaded.wanted.tensor("ids").to(at::kLong));
    const at::Tensor picture = loaded.model.picture_tokens(loaded.wanted.tensor("pixels"));
    check_logits(opt, at::cat({picture, words}, 1), loaded.wanted.tensor("logits"));
}

std::string listed(const std::vector<int64_t> &tokens) {
    std::string text;
    for (int64_t token : tokens)
        text += " " + std::to_string(token);
    return text;
}

// Token for token what generate() says.
void check_words(const std::string &name, size_t count) {
    const c10::InferenceMode guard;
    const Loaded loaded(name);
    const nn::ByteLevelTokenizer tokenizer(loaded.wanted.folder());
    const WeightSource pictures = WeightSource::from_file(golden("pictures.safetensors"));
    const std::vector<WantedCaption> captions = wanted_captions(name);
    ck_assert_uint_eq(captions.size(), count);
    for (size_t i = 0; i < captions.size(); ++i) {
        SearchSettings settings = captions[i].settings;
        settings.eos = loaded.model.config().text.eos;
        const std::vector<int64_t> words =
            captions[i].prompt.empty() ? std::vector<int64_t>{2} : tokenizer.encode(captions[i].prompt);
        const at::Tensor pixels = pictures.tensor("pixels" + std::to_string(captions[i].picture), at::kFloat, at::kCPU);
        const std::vector<int64_t> found = nn::generate(loaded.model, pixels, words, settings);
        ck_assert_msg(found == captions[i].tokens, "%s: caption %zu is%s instead of%s", name.c_str(), i, listed(found).c_str(),
                      listed(captions[i].tokens).c_str());
    }
}

nn::Blip2Config config_of(const std::string &text) { return nn::Blip2Config(io::Json::parse(text, "config.json")); }

// Every sentence is as likely as any other.
class Flat : public nn::Continuation {
public:
    Flat(int64_t vocabulary, float value) : logits_(at::full({1, vocabulary}, value)) {}
    at::Tensor first() override { return logits_; }
    at::Tensor next(const std::vector<int64_t> &rows, const std::vector<int64_t> &) override {
        return logits_.expand({static_cast<int64_t>(rows.size()), -1});
    }

private:
    at::Tensor logits_;
};

} // namespace

AIANIME_TEST(picture_to_tokens) { check_picture("sharded"); }
AIANIME_TEST(picture_to_tokens_without_bias_looking_in_every_layer) { check_picture("own_head"); }
AIANIME_TEST(language_model) { check_language("sharded"); }
AIANIME_TEST(language_model_with_norms_after_and_its_own_head) { check_language("own_head"); }
AIANIME_TEST(language_model_of_an_older_release) { check_language("older"); }
AIANIME_TEST(words) { check_words("sharded", 120); }
AIANIME_TEST(words_with_two_ends) { check_words("own_head", 120); }
AIANIME_TEST(words_of_an_older_release) { check_words("older", 96); }

AIANIME_TEST(language_model_with_projected_words) {
    const c10::InferenceMode guard;
    const NetworkGolden wanted("blip2/opt_projected");
    nn::Opt opt((nn::OptConfig(wanted.config())));
    wanted.load_into(opt, at::kFloat);
    check_logits(opt, opt.embeddings(wanted.tensor("ids").to(at::kLong)), wanted.tensor("logits"));
}

AIANIME_TEST(half_precision) {
    const c10::InferenceMode guard;
    const Loaded loaded("sharded", at::kBFloat16);
    const at::Tensor tokens = loaded.model.picture_tokens(loaded.wanted.tensor("pixels"));
    ck_assert(tokens.scalar_type() == at::kBFloat16);
    expect_close(tokens, loaded.wanted.tensor("tokens"), 0.05, "tokens of a picture");
    const at::Tensor words = loaded.model.language_model().embeddings(loaded.wanted.tensor("ids").to(at::kLong));
    nn::OptCache cache;
    const at::Tensor logits = loaded.model.language_model().forward(at::cat({tokens, words}, 1), cache, false);
    ck_assert(logits.scalar_type() == at::kFloat);
    expect_close(logits, loaded.wanted.tensor("logits"), 0.1, "logits");
}

AIANIME_TEST(pictures_are_prepared_as_in_python) {
    const WeightSource source = WeightSource::from_file(golden("pictures.safetensors"));
    for (int i = 0; i < 4; ++i) {
        const std::string n = std::to_string(i);
        const at::Tensor picture = source.tensor("picture" + n, at::kFloat, at::kCPU) / 255;
        const at::Tensor difference = nn::prepared_for_blip2(picture, 28) - source.tensor("pixels" + n, at::kFloat, at::kCPU);
        // One code value is 0.0152 at most; hardly any may be off. Where half a code was rounded the other way between the two
        // directions, it is two.
        ck_assert_double_lt(difference.abs().max().item<double>(), 0.0305);
        ck_assert_double_lt(difference.abs().mean().item<double>(), 1e-4);
    }
}

AIANIME_TEST(names_and_shapes_of_the_published_model) {
    const TempFolder folder;
    const io::Json config = io::Json::load(golden("full_opt-2.7b.json"));
    std::vector<ListedTensor> tensors = read_tensor_list("blip2/full_opt-2.7b");
    constexpr int64_t parameters = 3744761856, head = 50304 * int64_t{2560};
    for (const bool stored_head : {true, false}) {
        if (!stored_head)
            tensors.erase(std::find_if(tensors.begin(), tensors.end(),
                                       [](const ListedTensor &tensor) { return tensor.name == "language_model.lm_head.weight"; }));
        write_hollow(folder.path("model.safetensors"), tensors);
        const WeightSource source = WeightSource::from_folder(folder.path());
        Blip2Model model(config, source);
        model.check(source);
        ck_assert_int_eq(model.parameter_count(), parameters + (stored_head ? head : 0));
    }
    tensors.erase(
        std::find_if(tensors.begin(), tensors.end(), [](const ListedTensor &tensor) { return tensor.name == "query_tokens"; }));
    write_hollow(folder.path("model.safetensors"), tensors);
    const WeightSource source = WeightSource::from_folder(folder.path());
    expect_error([&] { Blip2Model(config, source).check(source); }, AIANIME_BAD_DATA, "missing query_tokens");
}

AIANIME_TEST(a_head_that_repeats_the_words_shares_their_memory) {
    Loaded loaded("older");
    ck_assert(!loaded.model.config().text.tied);
    std::set<const void *> memory;
    size_t count = 0;
    nn::Opt &opt = const_cast<nn::Opt &>(loaded.model.language_model());
    opt.visit([&](const std::string &, at::Tensor &tensor, const std::vector<int64_t> &) {
        memory.insert(tensor.data_ptr());
        ++count;
    });
    ck_assert_uint_eq(memory.size() + 1, count);
}

AIANIME_TEST(absent_settings_are_those_of_the_published_model) {
    const nn::Blip2Config config = config_of(R"({"model_type": "blip-2"})");
    ck_assert_int_eq(config.vision.layers, 39);
    ck_assert_int_eq(config.vision.tokens(), 257);
    ck_assert_int_eq(config.qformer.cross_attention_every, 2);
    ck_assert_int_eq(config.text.positions, 2048);
    ck_assert_int_eq(config.queries, 32);
    ck_assert_int_eq(config.image_token, -1);
    ck_assert(config.text.eos == std::vector<int64_t>{2});
    ck_assert(config_of(R"({"model_type": "blip-2", "text_config": {"eos_token_id": null}})").text.eos.empty());
}

AIANIME_TEST(what_is_refused) {
    const auto refused = [](const char *text, const char *part) { expect_error([&] { config_of(text); }, AIANIME_BAD_DATA, part); };
    refused(R"({"model_type": "blip"})", "not the configuration of a BLIP-2 model");
    refused(R"({"model_type": "blip-2", "text_config": {"model_type": "t5"}})", "\"t5\"; of BLIP-2 only models with OPT are read");
    refused(R"({"model_type": "blip-2", "text_config": {"word_embed_proj_dim": 512}})", "word_embed_proj_dim");
    refused(R"({"model_type": "blip-2", "text_config": {"activation_function": "silu"}})", "activation_function");
    refused(R"({"model_type": "blip-2", "vision_config": {"hidden_act": "quick_gelu"}})", "hidden_act");
    refused(R"({"model_type": "blip-2", "vision_config": {"num_attention_heads": 17}})", "num_attention_heads");
    refused(R"({"model_type": "blip-2", "qformer_config": {"position_embedding_type": "relative_key"}})",
            "position_embedding_type");
    const Loaded loaded("sharded");
    expect_error([&] { loaded.model.picture_tokens(at::zeros({1, 3, 28, 27})); }, AIANIME_INTERNAL, "[n, 3, 28, 28]");
    nn::OptCache cache;
    expect_error(
        [&] {
            loaded.model.language_model().forward(at::zeros({1, 97, 16}), cache, true);
        },
        AIANIME_OUT_OF_RANGE, "97 tokens");
}

AIANIME_TEST(searches_end) {
    SearchSettings settings;
    settings.max_new_tokens = 4;
    for (const int64_t beams : {1, 2, 5, 32}) {
        settings.beams = beams;
        for (const int64_t vocabulary : {1, 3, 50}) { // fewer tokens than beams too
            Flat model(vocabulary, 0);
            ck_assert_uint_eq(nn::search(model, {0}, settings).size(), 4);
        }
        Flat broken(9, NAN);
        expect_error([&] { nn::search(broken, {}, settings); }, AIANIME_NOT_FINITE, "not finite");
    }
    settings.eos = {0, 1, 2};
    Flat only_ends(3, 0);
    settings.beams = 4;
    ck_assert_uint_eq(nn::search(only_ends, {}, settings).size(), 1);
    for (SearchSettings wrong : {SearchSettings{0}, SearchSettings{33}, SearchSettings{5, 0}, SearchSettings{5, 10, 11}})
        expect_error([&] { nn::search(only_ends, {}, wrong); }, AIANIME_OUT_OF_RANGE, "caption: ");
}

int main() {
    return run_suite("blip2", {picture_to_tokens, picture_to_tokens_without_bias_looking_in_every_layer, language_model,
                               language_model_with_norms_after_and_its_own_head, language_model_of_an_older_release, words,
                               words_with_two_ends, words_of_an_older_release, language_model_with_projected_words, half_precision,
                               pictures_are_prepared_as_in_python, names_and_shapes_of_the_published_model,
                               a_head_that_repeats_the_words_shares_their_memory, absent_settings_are_those_of_the_published_model,
                               what_is_refused, searches_end});
}
