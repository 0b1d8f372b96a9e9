// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/settings.h"

#include <algorithm>
#include <filesystem>

#include "io/error.h"
#include "io/paths.h"
#include "pipeline/license_gate.h"

namespace aianime::pipeline {

namespace {

std::string text(const char *value) { return value ? value : ""; }

template <typename T>
T in_range(const char *option, T value, T min, T max) {
    if (!(value >= min && value <= max))
        throw Error(AIANIME_OUT_OF_RANGE, std::string(option) + ": " + std::to_string(value) + " is not between " +
                                              std::to_string(min) + " and " + std::to_string(max));
    return value;
}

// The folder or file of a model named in a template, below the caller's model folder or the search path.
std::string model_path(const std::string &models_path, const std::string &name) {
    if (!models_path.empty())
        return io::resolve_below(models_path, name);
    const std::vector<std::string> folders = io::model_folders();
    std::string searched;
    for (const std::string &folder : folders) {
        if (!io::find_in({folder}, name).empty())
            return io::resolve_below(folder, name);
        searched += (searched.empty() ? "" : ", ") + folder;
    }
    throw Error(AIANIME_NOT_FOUND, "model '" + name +
                                       "' not found in: " + (searched.empty() ? "(no model folder exists)" : searched) +
                                       "; set models= or AIANIME_MODELS to the folder that holds it");
}

// Applies the caller's numeric options to the template.
class Overrides {
public:
    Overrides(const aianime_settings &given, std::vector<std::string> &names) : given_(given), names_(names) {}

    void apply(Template &style) {
        if (take(AIANIME_SET_SEED, "seed"))
            style.seed = given_.seed;
        if (take(AIANIME_SET_STEPS, "steps"))
            style.steps = in_range("steps", given_.steps, 1, 1000);
        if (take(AIANIME_SET_STRENGTH, "strength"))
            style.strength = in_range("strength", given_.strength, 0.0, 1.0);
        if (take(AIANIME_SET_GUIDANCE, "guidance"))
            style.guidance = in_range("guidance", given_.guidance, 0.0, 50.0);
        if (take(AIANIME_SET_SIZE, "size"))
            style.size = given_.size == 0 ? 0 : in_range("size", given_.size, 16, 4096);
        if (take(AIANIME_SET_FPS, "fps"))
            style.generate_fps = in_range("fps", given_.fps, 0.0, 1000.0);
        if (take(AIANIME_SET_WINDOW, "window"))
            style.window = in_range("window", given_.window, 1, 64);
        if (take(AIANIME_SET_OVERLAP, "overlap"))
            style.overlap = in_range("overlap", given_.overlap, 0, 63);
        else if (given_.given & AIANIME_SET_WINDOW)
            style.overlap = std::min(style.overlap, style.window - 1);
        if (take(AIANIME_SET_SEGMENT, "segment"))
            style.segment = in_range("segment", given_.segment, 1, 64);
        if (style.overlap >= style.window)
            throw Error(AIANIME_OUT_OF_RANGE, "overlap: " + std::to_string(style.overlap) + " must be below window (" +
                                                  std::to_string(style.window) + ")");
        apply_texts(style);
    }

private:
    bool take(uint32_t bit, const char *name) {
        if (!(given_.given & bit))
            return false;
        names_.emplace_back(name);
        return true;
    }

    void apply_texts(Template &style) {
        if (!text(given_.prompt).empty()) {
            style.positive = given_.prompt;
            names_.emplace_back("prompt");
        }
        if (!text(given_.negative).empty()) {
            style.negative = given_.negative;
            names_.emplace_back("negative");
        }
        if (!text(given_.interpolate).empty()) {
            style.interpolate = interpolation_from_string(given_.interpolate, "interpolate");
            names_.emplace_back("interpolate");
        }
    }

    const aianime_settings &given_;
    std::vector<std::string> &names_;
};

std::string resolve_device(const std::string &device) {
    if (device.empty() || device == "auto" || device == "cpu")
        return "cpu";
    if (device.rfind("cuda", 0) == 0)
        throw Error(AIANIME_NO_DEVICE,
                    "device: '" + device + "' cannot be used, this engine runs on the CPU; use device=cpu or auto");
    throw Error(AIANIME_INVALID, "device: '" + device + "' is not one of auto, cpu, cuda, cuda:N");
}

// A checkpoint in one file has no tokenizer of its own; all of its family share one, which the pack of the tree carries.
std::string tokenizer_folder(const io::Pack &pack, const std::string &models_path) {
    if (!pack.is_file())
        return pack.folder + "/tokenizer";
    std::vector<std::string> folders = io::model_folders();
    if (!models_path.empty())
        folders.insert(folders.begin(), models_path);
    const std::string found = io::find_in(folders, "pocket/tokenizer");
    if (found.empty())
        throw Error(AIANIME_NOT_FOUND, pack.file +
                                           ": a checkpoint in one file needs CLIP's vocabulary from pocket/tokenizer, which is in "
                                           "none of the model folders; add the installed one to AIANIME_MODELS");
    return found;
}

std::vector<Settings::Control> resolve_controls(const Settings &settings, const std::string &models_path) {
    std::vector<ControlSettings> wanted;
    if (settings.style.controls) {
        wanted = *settings.style.controls;
    } else {
        for (const io::PackControl &control : settings.pack.controls) {
            ControlSettings entry;
            entry.type = control.type;
            wanted.push_back(entry);
        }
    }
    std::vector<Settings::Control> found;
    for (const ControlSettings &control : wanted) {
        const std::string annotator = control.annotator.empty() ? "" : model_path(models_path, control.annotator);
        if (!control.model.empty()) {
            found.push_back({control, model_path(models_path, control.model), annotator});
            continue;
        }
        std::string folder;
        for (const io::PackControl &own : settings.pack.controls)
            if (own.type == control.type)
                folder = settings.pack.folder + "/" + own.folder;
        if (folder.empty())
            throw Error(AIANIME_BAD_DATA, settings.style.name + ": controls: pack '" + settings.pack.name +
                                              "' has no control of type '" + control.type + "'; name one with \"model\"");
        found.push_back({control, folder, annotator});
    }
    return found;
}

// What a method of coherence needs or cannot go with.
void check_method(const Settings &settings) {
    const Method method = settings.style.method;
    if (method == Method::attention)
        return;
    const auto refuse = [&](const std::string &why) {
        throw Error(AIANIME_BAD_DATA, settings.style.name + ": coherence.method: \"" + to_string(method) + "\" " + why);
    };
    const bool temporal = std::any_of(settings.controls.begin(), settings.controls.end(),
                                      [](const Settings::Control &control) { return control.settings.type == "temporal"; });
    if (method == Method::temporalnet && !temporal)
        refuse(
            "needs a ControlNet that is shown the frame before: add an entry {\"type\": \"temporal\", \"model\": ...} to controls");
    if (method != Method::temporalnet && temporal)
        refuse("cannot go with a control of type \"temporal\"; leave the control out, or use \"temporalnet\"");
    if (!settings.motion.empty())
        refuse("makes one picture after the other, a motion module those of a window at once; leave model.motion out");
}

// The pack's trained attention between frames, "" where it has none.
std::string cfa_folder(const Settings &settings) {
    const bool wanted = settings.style.attention == nn::AttentionMode::flow && settings.style.cfa && !settings.pack.is_file();
    return wanted && !io::find_in({settings.pack.folder}, "cfa").empty() ? settings.pack.folder + "/cfa" : "";
}

int fusion_of(const Template &style) {
    const bool ours = style.method == Method::attention &&
                      (style.attention == nn::AttentionMode::anchors || style.attention == nn::AttentionMode::flow);
    return style.fusion.value_or(ours ? 4 : 0);
}

// The optical flow network's file.
std::string flow_model(const Template &style, const std::string &models_path) {
    const bool raft = style.flow == FlowMethod::raft;
    if (raft == style.flow_model.empty())
        throw Error(AIANIME_BAD_DATA,
                    style.name + (raft ? ": coherence.flow: \"raft\" needs a flow_model (torchvision's raft_large or "
                                         "raft_small as safetensors)"
                                       : ": coherence.flow_model: \"dis\" uses none; set \"flow\": \"raft\""));
    return raft ? model_path(models_path, style.flow_model) : "";
}

// Everything that is added to the base.
void resolve_additions(Settings &settings, const std::string &models_path) {
    const Template &style = settings.style;
    for (const LoraSettings &lora : style.loras)
        settings.loras.push_back(
            {model_path(models_path, lora.file), lora.weight, lora.text_weight.value_or(lora.weight), lora.partial});
    for (const EmbeddingSettings &embedding : style.embeddings)
        settings.embeddings.push_back({model_path(models_path, embedding.file), embedding.name});
    if (!style.motion.empty())
        settings.motion = model_path(models_path, style.motion);
    settings.cfa = cfa_folder(settings);
    settings.flow_model = flow_model(style, models_path);
    settings.identity = style.identity;
    for (std::string *file : {&settings.identity.detector, &settings.identity.recognizer})
        if (!file->empty())
            *file = model_path(models_path, *file);
    for (std::string &file : settings.identity.heads)
        file = model_path(models_path, file);
    if (style.identity.tokens > 0 && (settings.pack.is_file() || io::find_in({settings.pack.folder}, "identity").empty()))
        throw Error(AIANIME_BAD_DATA,
                    style.name + ": identity.tokens: " + settings.pack.name +
                        " has no network for it (a folder identity/, of `aianime train pack`); use an ip_adapter");
    if (!style.identity.faces &&
        (style.identity.tokens > 0 || (!style.identity.ip_adapter.empty() && style.identity.image.empty())))
        throw Error(AIANIME_BAD_DATA,
                    style.name + ": identity.faces: false leaves nobody to show; name an image, or look for faces");
    if (style.identity.ip_adapter.empty())
        return;
    if (style.identity.image_encoder.empty())
        throw Error(AIANIME_BAD_DATA, style.name + ": identity: an ip_adapter needs its image_encoder (for Stable Diffusion 1.5 "
                                                   "CLIP ViT-H, models/image_encoder beside the adapters)");
    settings.identity.ip_adapter = model_path(models_path, style.identity.ip_adapter);
    settings.identity.image_encoder = model_path(models_path, style.identity.image_encoder);
    if (!style.identity.image.empty())
        settings.identity.image = model_path(models_path, style.identity.image);
}

} // namespace

namespace {

bool has_caption_model(const Settings &settings) {
    return settings.caption == CaptionSource::clip || settings.caption == CaptionSource::blip2 ||
           settings.caption == CaptionSource::wd;
}

// Who describes the shots, and with what.
void resolve_captions(const aianime_settings &given, const std::string &models_path, Settings &settings,
                      std::vector<std::string> &overrides) {
    const CaptionSettings &style = settings.style.caption;
    settings.captions = text(given.captions_path);
    settings.report = text(given.report_path);
    settings.key_pictures = text(given.key_pictures_path);
    settings.plan = text(given.plan_path);
    const std::string name = text(given.caption);
    if (!name.empty()) {
        settings.caption = caption_source_from_string(name, "caption");
        overrides.emplace_back("caption");
    } else if (!settings.captions.empty()) {
        settings.caption = CaptionSource::file;
        overrides.emplace_back("captions");
    } else {
        settings.caption =
            style.source ? *style.source : caption_source_from_string(settings.pack.auto_caption, settings.pack.name);
    }
    if (has_caption_model(settings) && !style.model.empty())
        settings.caption_model = model_path(models_path, style.model);
    if (settings.caption == CaptionSource::clip && !style.phrases.empty())
        settings.phrases = model_path(models_path, style.phrases);
    check_captions(settings);
}

} // namespace

void check_captions(const Settings &settings) {
    const bool reads_file = settings.caption == CaptionSource::file;
    if (reads_file != !settings.captions.empty())
        throw Error(AIANIME_INVALID, reads_file ? "caption: file: the text file with the captions is not named"
                                                : "captions: the file is only read with caption file");
    if (has_caption_model(settings) && settings.caption_model.empty())
        throw Error(AIANIME_BAD_DATA, settings.style.name + ": prompt.auto_caption: \"" + to_string(settings.caption) +
                                          "\" needs its network; name it with prompt.caption_model");
    if (!settings.key_pictures.empty() && !io::is_folder(settings.key_pictures))
        throw Error(AIANIME_NOT_FOUND, settings.key_pictures + ": no such folder, for the key frames");
}

Settings resolve_settings(const aianime_settings &given, std::vector<std::string> &overrides) {
    Settings settings;
    settings.device = resolve_device(text(given.device));
    settings.threads = in_range("threads", given.threads, 0, 1024);
    settings.on_error = given.on_error;
    settings.commercial = in_range("license", static_cast<int>(given.license), 0, 1) == AIANIME_LICENSE_COMMERCIAL;
    settings.noise = text(given.noise_path);

    const std::string template_path = text(given.template_path);
    settings.style = load_template(template_path.empty() ? "pop" : template_path);
    Overrides(given, overrides).apply(settings.style);

    const std::string models_path = text(given.models_path);
    settings.pack = io::load_pack(model_path(models_path, settings.style.base));
    if (!settings.style.vae.empty())
        settings.vae = model_path(models_path, settings.style.vae);
    if (settings.style.method == Method::temporalnet)
        settings.style.attention = nn::AttentionMode::self;
    resolve_additions(settings, models_path);
    settings.tokenizer = tokenizer_folder(settings.pack, models_path);
    settings.controls = resolve_controls(settings, models_path);
    check_method(settings);

    settings.scheduler = settings.style.scheduler.value_or(settings.pack.scheduler);
    settings.steps = settings.style.steps.value_or(settings.pack.steps);
    settings.guidance = settings.style.guidance.value_or(settings.pack.guidance);
    settings.strength = settings.style.strength.value_or(settings.pack.strength);
    settings.noise_offset = settings.style.noise_offset.value_or(settings.pack.noise_offset);
    settings.size = settings.style.size.value_or(settings.pack.size);
    settings.fusion = fusion_of(settings.style);
    resolve_captions(given, models_path, settings, overrides);
    check_licenses(settings);
    if (settings.style.require_hash)
        io::require_hashes(settings.pack);
    return settings;
}

Settings settings_of_base(const std::string &base) {
    Settings settings;
    settings.style.name = base;
    settings.pack = io::load_pack(std::filesystem::exists(base) ? base : model_path("", base));
    settings.tokenizer = tokenizer_folder(settings.pack, "");
    settings.controls = resolve_controls(settings, "");
    settings.scheduler = settings.pack.scheduler;
    settings.steps = settings.pack.steps;
    settings.guidance = settings.pack.guidance;
    settings.strength = settings.pack.strength;
    settings.noise_offset = settings.pack.noise_offset;
    settings.size = settings.pack.size;
    return settings;
}

} // namespace aianime::pipeline
