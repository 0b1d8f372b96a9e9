// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/template.h"

#include <algorithm>

#include "diffusion/scheduler.h"
#include "io/error.h"
#include "io/paths.h"
#include "pipeline/control_picture.h"
#include "pipeline/template_search.h"

namespace aianime::pipeline {

namespace {

using io::Json;

constexpr int64_t schema_version = 1;
constexpr size_t max_controls = 8;
constexpr size_t max_entries = 64; // of LoRAs and of embeddings
constexpr int max_frames = 64;     // of a window and of a segment
constexpr int max_flow_updates = 64;

template <typename Enum>
struct Choice {
    Enum value;
    const char *name;
};

constexpr Choice<nn::AttentionMode> attention_modes[] = {
    {nn::AttentionMode::self, "self"},     {nn::AttentionMode::sparse, "sparse"},           {nn::AttentionMode::anchors, "anchors"},
    {nn::AttentionMode::window, "window"}, {nn::AttentionMode::interleaved, "interleaved"}, {nn::AttentionMode::local, "local"},
    {nn::AttentionMode::flow, "flow"}};
constexpr Choice<Method> methods[] = {
    {Method::attention, "attention"}, {Method::atlas, "atlas"}, {Method::grid, "grid"}, {Method::temporalnet, "temporalnet"}};
constexpr Choice<NoiseMode> noise_modes[] = {
    {NoiseMode::frame, "frame"}, {NoiseMode::shared, "shared"}, {NoiseMode::warped, "warped"}};
constexpr Choice<WindowWeights> window_weights[] = {
    {WindowWeights::flat, "flat"}, {WindowWeights::pyramid, "pyramid"}, {WindowWeights::gaussian, "gaussian"}};
constexpr Choice<FlowMethod> flow_methods[] = {{FlowMethod::dis, "dis"}, {FlowMethod::raft, "raft"}};
constexpr Choice<Interpolation> interpolations[] = {
    {Interpolation::source, "source"}, {Interpolation::blend, "blend"}, {Interpolation::none, "none"}};

constexpr Choice<CaptionSource> caption_sources[] = {{CaptionSource::none, "none"}, {CaptionSource::attributes, "attributes"},
                                                     {CaptionSource::clip, "clip"}, {CaptionSource::blip2, "blip2"},
                                                     {CaptionSource::wd, "wd"},     {CaptionSource::file, "file"}};
constexpr Choice<PromptLanguage> prompt_languages[] = {{PromptLanguage::tags, "tags"}, {PromptLanguage::sentence, "sentence"}};
constexpr Choice<diffusion::Prediction> predictions[] = {{diffusion::Prediction::epsilon, "epsilon"},
                                                         {diffusion::Prediction::v, "v_prediction"},
                                                         {diffusion::Prediction::sample, "sample"}};
constexpr Choice<Precision> precisions[] = {
    {Precision::automatic, "auto"}, {Precision::float32, "float32"}, {Precision::bfloat16, "bfloat16"}};

template <typename Enum, size_t n>
const char *name_of(const Choice<Enum> (&choices)[n], Enum value) {
    return std::find_if(choices, choices + n, [&](const Choice<Enum> &choice) { return choice.value == value; })->name;
}

template <typename Enum, size_t n>
std::vector<std::string> names_of(const Choice<Enum> (&choices)[n]) {
    std::vector<std::string> names;
    for (const Choice<Enum> &choice : choices)
        names.emplace_back(choice.name);
    return names;
}

template <typename Enum, size_t n>
Enum value_of(const Choice<Enum> (&choices)[n], const std::string &name, const std::string &where) {
    for (const Choice<Enum> &choice : choices)
        if (name == choice.name)
            return choice.value;
    throw Error(AIANIME_BAD_DATA, where + ": unknown value " + io::quoted(name) + io::suggestion(name, names_of(choices)));
}

// Calls read(value) when the object has the key.
template <typename Read>
void optional(const Json &object, const char *key, Read read) {
    if (object.has(key))
        read(object.at(key));
}

template <typename Enum, size_t n>
void optional_choice(const Json &object, const char *key, const Choice<Enum> (&choices)[n], Enum &out) {
    optional(object, key, [&](const Json &value) { out = value_of(choices, value.string(), value.where()); });
}

// A whole number, in a plain int or an optional one.
template <typename Int>
void optional_integer(const Json &object, const char *key, int min, int max, Int &out) {
    optional(object, key, [&](const Json &value) { out = static_cast<int>(value.integer(min, max)); });
}

template <typename Double>
void optional_number(const Json &object, const char *key, double min, double max, Double &out) {
    optional(object, key, [&](const Json &value) { out = value.number(min, max); });
}

void optional_text(const Json &object, const char *key, std::string &out) {
    optional(object, key, [&](const Json &value) { out = value.string(); });
}

// The name of a folder below the model folders; whether it exists is seen when the models are loaded.
void optional_path(const Json &object, const char *key, bool may_be_empty, std::string &out) {
    optional(object, key, [&](const Json &value) {
        out = value.string();
        if (!out.empty() || !may_be_empty)
            io::check_relative(out, value.where());
    });
}

LoraSettings read_lora(const Json &json) {
    json.only({"file", "weight", "text_weight", "partial"});
    LoraSettings lora;
    optional_path(json, "file", true, lora.file);
    optional_number(json, "weight", -10, 10, lora.weight);
    optional_number(json, "text_weight", -10, 10, lora.text_weight);
    optional(json, "partial", [&](const Json &value) { lora.partial = value.boolean(); });
    return lora;
}

EmbeddingSettings read_embedding(const Json &json) {
    json.only({"file", "name"});
    EmbeddingSettings embedding;
    optional_path(json, "file", true, embedding.file);
    optional_text(json, "name", embedding.name);
    return embedding;
}

template <typename Entry, typename Read>
std::vector<Entry> read_list(const Json &json, size_t most, Read read) {
    if (json.size() > most)
        throw Error(AIANIME_OUT_OF_RANGE, json.where() + ": more than " + std::to_string(most) + " entries");
    std::vector<Entry> entries;
    for (size_t i = 0; i < json.size(); i++)
        entries.push_back(read(json.at(i)));
    return entries;
}

// An entry whose file is "" is switched off.
template <typename Entry>
void drop_without_file(std::vector<Entry> &entries) {
    entries.erase(std::remove_if(entries.begin(), entries.end(), [](const Entry &entry) { return entry.file.empty(); }),
                  entries.end());
}

void read_model(const Json &json, Template &style) {
    json.only({"base", "vae", "precision", "strict", "require_hash", "loras", "embeddings", "motion"});
    optional_path(json, "base", false, style.base);
    optional_path(json, "vae", true, style.vae);
    optional_choice(json, "precision", precisions, style.precision);
    optional(json, "strict", [&](const Json &value) { style.strict = value.boolean(); });
    optional(json, "require_hash", [&](const Json &value) { style.require_hash = value.boolean(); });
    optional(json, "loras", [&](const Json &list) { style.loras = read_list<LoraSettings>(list, max_entries, read_lora); });
    optional(json, "embeddings",
             [&](const Json &list) { style.embeddings = read_list<EmbeddingSettings>(list, max_entries, read_embedding); });
    drop_without_file(style.loras);
    drop_without_file(style.embeddings);
    optional_path(json, "motion", true, style.motion);
}

void read_prompt(const Json &json, Template &style) {
    json.only({"positive", "negative", "clip_skip", "auto_caption", "caption_model", "phrases", "language", "caption_weight",
               "face_attributes"});
    CaptionSettings &caption = style.caption;
    optional(json, "auto_caption",
             [&](const Json &value) { caption.source = value_of(caption_sources, value.string(), value.where()); });
    optional_path(json, "caption_model", true, caption.model);
    optional_path(json, "phrases", true, caption.phrases);
    optional_choice(json, "language", prompt_languages, caption.language);
    optional_number(json, "caption_weight", 0, 2, caption.weight);
    optional(json, "face_attributes", [&](const Json &value) { caption.face_attributes = value.boolean(); });
    optional_integer(json, "clip_skip", 1, 64, style.clip_skip);
    optional_text(json, "positive", style.positive);
    optional_text(json, "negative", style.negative);
}

void read_sampling(const Json &json, Template &style) {
    json.only({"scheduler", "prediction", "beta_schedule", "spacing", "gamma", "steps", "guidance", "strength", "noise_offset",
               "seed", "size"});
    optional(json, "scheduler", [&](const Json &value) { style.scheduler = value.choice(diffusion::Scheduler::names()); });
    optional(json, "prediction",
             [&](const Json &value) { style.prediction = value_of(predictions, value.string(), value.where()); });
    optional(json, "beta_schedule", [&](const Json &value) {
        style.beta_schedule = value.choice({"linear", "scaled_linear", "squaredcos_cap_v2"});
    });
    optional(json, "spacing", [&](const Json &value) { style.spacing = value.choice({"leading", "trailing", "linspace"}); });
    optional_number(json, "gamma", 0, 1, style.gamma);
    optional_integer(json, "steps", 1, 1000, style.steps);
    optional_number(json, "guidance", 0, 50, style.guidance);
    optional_number(json, "strength", 0, 1, style.strength);
    optional_number(json, "noise_offset", 0, 1, style.noise_offset);
    optional(json, "seed", [&](const Json &value) { style.seed = value.unsigned_integer(); });
    optional_integer(json, "size", 0, 4096, style.size);
    if (style.size && *style.size > 0 && *style.size < 16)
        throw Error(AIANIME_OUT_OF_RANGE,
                    json.at("size").where() + ": " + std::to_string(*style.size) + " is neither 0 nor within 16 to 4096");
}

std::vector<std::string> control_types() {
    std::vector<std::string> types = ControlPicture::names();
    types.emplace_back("temporal");
    return types;
}

ControlSettings read_control(const Json &json) {
    json.only({"type", "model", "annotator", "scale", "start", "end"});
    ControlSettings control;
    optional(json, "type", [&](const Json &value) { control.type = value.choice(control_types()); });
    optional_path(json, "model", true, control.model);
    optional_path(json, "annotator", true, control.annotator);
    optional_number(json, "scale", 0, 2, control.scale);
    optional_number(json, "start", 0, 1, control.start);
    optional_number(json, "end", 0, 1, control.end);
    if (control.start > control.end)
        throw Error(AIANIME_OUT_OF_RANGE, json.where() + ": start is after end");
    return control;
}

std::string read_head(const Json &json) {
    json.only({"file"});
    std::string file;
    io::check_relative(file = json.at("file").string(), json.at("file").where());
    return file;
}

void read_identity(const Json &json, IdentitySettings &identity) {
    json.only({"ip_adapter", "image_encoder", "image", "scale", "down", "mid", "up", "tokens", "faces", "face_rate", "detector",
               "recognizer", "heads"});
    optional_number(json, "tokens", 0, 4, identity.tokens);
    optional(json, "faces", [&](const Json &value) { identity.faces = value.boolean(); });
    optional_number(json, "face_rate", 1, 60, identity.face_rate);
    optional_path(json, "detector", true, identity.detector);
    optional_path(json, "recognizer", true, identity.recognizer);
    optional(json, "heads", [&](const Json &list) { identity.heads = read_list<std::string>(list, max_entries, read_head); });
    optional_path(json, "ip_adapter", true, identity.ip_adapter);
    optional_path(json, "image_encoder", true, identity.image_encoder);
    optional_path(json, "image", true, identity.image);
    optional_number(json, "scale", 0, 2, identity.scale);
    optional_number(json, "down", 0, 2, identity.down);
    optional_number(json, "mid", 0, 2, identity.mid);
    optional_number(json, "up", 0, 2, identity.up);
}

void read_coherence(const Json &json, Template &style) {
    json.only({"method", "attention", "window", "overlap", "segment", "fuse", "shift", "noise", "cfa", "flow_weight", "fusion",
               "latent_fusion", "flow", "flow_model", "flow_updates"});
    optional_choice(json, "method", methods, style.method);
    optional_choice(json, "attention", attention_modes, style.attention);
    optional_integer(json, "window", 1, max_frames, style.window);
    // A window shorter than the default overlap is no reason to ask for an overlap as well.
    style.overlap = std::min(style.overlap, style.window - 1);
    optional_integer(json, "overlap", 0, max_frames - 1, style.overlap);
    if (style.overlap >= style.window)
        throw Error(AIANIME_OUT_OF_RANGE, json.at("overlap").where() + ": " + std::to_string(style.overlap) +
                                              " is not below window, which is " + std::to_string(style.window));
    optional_integer(json, "segment", 1, max_frames, style.segment);
    optional_choice(json, "noise", noise_modes, style.noise);
    optional_choice(json, "fuse", window_weights, style.fuse);
    optional(json, "shift", [&](const Json &value) { style.shift = value.boolean(); });
    optional(json, "cfa", [&](const Json &value) { style.cfa = value.boolean(); });
    optional_number(json, "flow_weight", 0, 16, style.flow_weight);
    optional_integer(json, "fusion", 0, 8, style.fusion);
    optional_number(json, "latent_fusion", 0, 1, style.latent_fusion);
    optional_choice(json, "flow", flow_methods, style.flow);
    optional_path(json, "flow_model", true, style.flow_model);
    optional_integer(json, "flow_updates", 1, max_flow_updates, style.flow_updates);
}

void read_color(const Json &json, Template &style) {
    json.only({"lock"});
    optional_number(json, "lock", 0, 1, style.color_lock);
}

void read_time(const Json &json, Template &style) {
    json.only({"generate_fps", "interpolate"});
    optional_number(json, "generate_fps", 0, 1000, style.generate_fps);
    optional_choice(json, "interpolate", interpolations, style.interpolate);
}

} // namespace

Template parse_template(const Json &json, const std::string &name) {
    json.only(
        {"$schema", "schema", "description", "model", "prompt", "sampling", "controls", "identity", "coherence", "color", "time"});
    const Json schema = json.at("schema");
    const int64_t version = schema.integer(INT64_MIN, INT64_MAX);
    if (version != schema_version)
        throw Error(AIANIME_BAD_DATA, schema.where() + ": " + std::to_string(version) + " is not known to this version, only " +
                                          std::to_string(schema_version) + " is");
    std::string unused; // for people and editors
    optional_text(json, "$schema", unused);
    optional_text(json, "description", unused);

    Template style;
    style.name = name;
    optional(json, "model", [&](const Json &group) { read_model(group, style); });
    optional(json, "prompt", [&](const Json &group) { read_prompt(group, style); });
    optional(json, "sampling", [&](const Json &group) { read_sampling(group, style); });
    optional(json, "controls",
             [&](const Json &group) { style.controls = read_list<ControlSettings>(group, max_controls, read_control); });
    optional(json, "identity", [&](const Json &group) { read_identity(group, style.identity); });
    optional(json, "coherence", [&](const Json &group) { read_coherence(group, style); });
    optional(json, "color", [&](const Json &group) { read_color(group, style); });
    optional(json, "time", [&](const Json &group) { read_time(group, style); });
    return style;
}

Template load_template(const std::string &name_or_path) {
    const std::string path = find_template(name_or_path);
    return parse_template(Json::load(path), template_name(path));
}

const char *to_string(nn::AttentionMode mode) { return name_of(attention_modes, mode); }
const char *to_string(Method method) { return name_of(methods, method); }
const char *to_string(NoiseMode mode) { return name_of(noise_modes, mode); }
const char *to_string(FlowMethod method) { return name_of(flow_methods, method); }
const char *to_string(Interpolation mode) { return name_of(interpolations, mode); }

const char *to_string(CaptionSource source) { return name_of(caption_sources, source); }
PromptLanguage prompt_language_from_string(const std::string &text, const std::string &where) {
    return value_of(prompt_languages, text, where);
}
CaptionSource caption_source_from_string(const std::string &text, const std::string &where) {
    return value_of(caption_sources, text, where);
}
Interpolation interpolation_from_string(const std::string &text, const std::string &where) {
    return value_of(interpolations, text, where);
}

} // namespace aianime::pipeline
