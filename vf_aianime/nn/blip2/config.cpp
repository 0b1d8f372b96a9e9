// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/blip2/config.h"

#include "io/error.h"
#include "io/text.h"
#include "nn/config_reader.h"

namespace aianime::nn {

namespace {

constexpr int64_t max_width = 1 << 14, max_hidden = 1 << 16, max_layers = 256, max_vocabulary = 1 << 20;

// A part that is absent has default settings throughout.
io::Json part(const io::Json &json, const char *name) {
    return json.has(name) && !json.at(name).is_null() ? json.at(name) : io::Json::parse("{}", json.where() + ": " + name);
}

void check_heads(const ConfigReader &reader, int64_t width, int64_t heads) {
    if (width % heads)
        reader.refuse("num_attention_heads", "hidden_size " + std::to_string(width) + " is not a multiple of it");
}

// One number, a list or null.
std::vector<int64_t> read_eos(const io::Json &json) {
    if (!json.has("eos_token_id"))
        return {2};
    const io::Json eos = json.at("eos_token_id");
    if (eos.is_null())
        return {};
    if (eos.is_array())
        return ConfigReader(json).integers("eos_token_id", 0, max_vocabulary);
    return {eos.integer(0, max_vocabulary)};
}

io::Json language_model(const io::Json &json) {
    const io::Json text = part(json, "text_config");
    const std::string type = text.has("model_type") && !text.at("model_type").is_null() ? text.at("model_type").string() : "opt";
    if (type != "opt")
        throw Error(AIANIME_BAD_DATA, text.where() + ": the language model is " + io::quoted(type) +
                                          "; of BLIP-2 only models with OPT are read, such as blip2-opt-2.7b");
    return text;
}

io::Json checked_type(const io::Json &json) {
    if (!json.has("model_type") || json.at("model_type").string() != "blip-2")
        throw Error(AIANIME_BAD_DATA,
                    json.where() + ": not the configuration of a BLIP-2 model (its model_type is not \"blip-2\")");
    return json;
}

} // namespace

Blip2VisionConfig::Blip2VisionConfig(const io::Json &json) {
    ConfigReader reader(json);
    reader.require("hidden_act", "gelu");
    width = reader.integer("hidden_size", 1408, 1, max_width);
    hidden = reader.integer("intermediate_size", 6144, 1, max_hidden);
    layers = reader.integer("num_hidden_layers", 39, 1, max_layers);
    heads = reader.integer("num_attention_heads", 16, 1, width);
    image_size = reader.integer("image_size", 224, 1, 4096);
    patch_size = reader.integer("patch_size", 14, 1, image_size);
    eps = reader.number("layer_norm_eps", 1e-6, 0, 1);
    qkv_bias = reader.boolean("qkv_bias", true);
    check_heads(reader, width, heads);
}

QFormerConfig::QFormerConfig(const io::Json &json, int64_t picture) : picture_width(picture) {
    ConfigReader reader(json);
    reader.require("hidden_act", "gelu");
    reader.require("position_embedding_type", "absolute");
    width = reader.integer("hidden_size", 768, 1, max_width);
    hidden = reader.integer("intermediate_size", 3072, 1, max_hidden);
    layers = reader.integer("num_hidden_layers", 12, 1, max_layers);
    heads = reader.integer("num_attention_heads", 12, 1, width);
    cross_attention_every = reader.integer("cross_attention_frequency", 2, 1, max_layers);
    eps = reader.number("layer_norm_eps", 1e-12, 0, 1);
    check_heads(reader, width, heads);
}

OptConfig::OptConfig(const io::Json &json) {
    ConfigReader reader(json);
    reader.require("layer_norm_elementwise_affine", true);
    vocabulary = reader.integer("vocab_size", 50272, 1, max_vocabulary);
    width = reader.integer("hidden_size", 768, 1, max_width);
    hidden = reader.integer("ffn_dim", 3072, 1, max_hidden);
    layers = reader.integer("num_hidden_layers", 12, 1, max_layers);
    heads = reader.integer("num_attention_heads", 12, 1, width);
    positions = reader.integer("max_position_embeddings", 2048, 1, 1 << 20);
    word_width = reader.integer("word_embed_proj_dim", width, 1, max_width);
    norm_before = reader.boolean("do_layer_norm_before", true);
    final_norm = norm_before && !reader.boolean("_remove_final_layer_norm", false);
    gelu = reader.choice("activation_function", "relu", {"relu", "gelu"}) == "gelu";
    bias = reader.boolean("enable_bias", true);
    tied = reader.boolean("tie_word_embeddings", true);
    bos = reader.integer("bos_token_id", 2, 0, vocabulary - 1);
    eos = read_eos(json);
    check_heads(reader, width, heads);
}

Blip2Config::Blip2Config(const io::Json &json)
    : vision(part(checked_type(json), "vision_config")), qformer(part(json, "qformer_config"), vision.width),
      text(language_model(json)) {
    ConfigReader reader(json);
    queries = reader.integer("num_query_tokens", 32, 1, 4096);
    const int64_t last = text.vocabulary - 1;
    image_token = reader.integer("image_token_index", reader.integer("image_token_id", -1, -1, last), -1, last);
    if (text.word_width != text.width)
        reader.refuse("text_config", "hidden_size and word_embed_proj_dim differ; pictures could not stand among words");
}

} // namespace aianime::nn
