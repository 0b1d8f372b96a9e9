// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/style_record.h"

#include <charconv>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/file.h"
#include "io/text.h"

namespace aianime::train {

namespace {

constexpr size_t most_bytes = 1 << 20;

std::string number_text(double number) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number);
    return std::string(text, end.ptr);
}

// As the modelspec spells them; of networks that name the clean latents it says nothing.
const char *prediction_name(diffusion::Prediction prediction) {
    return prediction == diffusion::Prediction::epsilon ? "epsilon" : prediction == diffusion::Prediction::v ? "v" : "sample";
}

} // namespace

void StyleRecord::add(const std::string &name, double value) { add(name, number_text(value)); }

void StyleRecord::check_or_write(const std::string &path, bool begun) const {
    std::string text;
    for (const auto &[name, value] : lines_)
        text += name + " = " + value + "\n";
    // A line's end in front of the first line too, so that names are found whole.
    const std::string kept = "\n" + (begun ? io::read_file(path, most_bytes) : text);
    for (const auto &[name, value] : lines_) {
        const std::string start = "\n" + name + " = ";
        const size_t at = kept.find(start);
        const size_t from = at == std::string::npos ? kept.size() : at + start.size();
        const std::string before = kept.substr(from, kept.find('\n', from) - from);
        if (before != value)
            throw Error(AIANIME_INVALID, path + ": the run there was begun with another " + name + " (" + io::printable(before) +
                                             ", now " + io::printable(value) + "); give the same again, or another --work");
    }
    if (begun)
        return;
    io::AtomicFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

std::map<std::string, std::string> style_metadata(const StyleDescription &style) {
    const bool version_2 = style.text_width == 1024, version_1 = style.text_width == 768;
    const auto whole = [](int64_t number) { return std::to_string(number); };
    std::map<std::string, std::string> data = {
        {"format", "pt"},
        {"ss_output_name", style.title},
        {"ss_sd_model_name", style.base},
        {"ss_network_module", "networks.lora"},
        {"ss_network_dim", whole(style.shape.rank)},
        {"ss_network_alpha", number_text(style.shape.alpha)},
        {"ss_v2", version_2 ? "True" : "False"},
        {"ss_num_train_images", whole(style.pictures)},
        {"ss_max_train_steps", whole(style.steps)},
        {"ss_batch_size_per_device", whole(style.batch)},
        {"ss_gradient_accumulation_steps", whole(style.accumulate)},
        {"ss_learning_rate", number_text(style.rate)},
        {"ss_unet_lr", number_text(style.rate)},
        {"ss_text_encoder_lr", style.text_encoder ? number_text(style.text_rate) : "None"},
        {"ss_lr_scheduler", "cosine"},
        {"ss_optimizer", "AdamW"},
        {"ss_resolution", "(" + whole(style.side) + ", " + whole(style.side) + ")"},
        {"ss_clip_skip", style.clip_skip > 1 ? whole(style.clip_skip) : "None"},
        {"ss_min_snr_gamma", style.min_snr > 0 ? number_text(style.min_snr) : "None"},
        {"ss_noise_offset", style.noise_offset > 0 ? number_text(style.noise_offset) : "None"},
        {"ss_seed", std::to_string(style.seed)},
        {"modelspec.sai_model_spec", "1.0.0"},
        {"modelspec.title", style.title},
        {"modelspec.resolution", whole(style.side) + "x" + whole(style.side)},
        {"modelspec.prediction_type", prediction_name(style.prediction)},
    };
    // Bases of other sizes have no name there.
    if (version_1 || version_2) {
        data["ss_base_model_version"] = version_2 ? "sd_v2" : "sd_v1";
        data["modelspec.architecture"] = std::string(version_2 ? "stable-diffusion-v2-512" : "stable-diffusion-v1") + "/lora";
    }
    if (style.prediction == diffusion::Prediction::v && version_2) {
        data["ss_base_model_version"] = "sd_v2_v";
        data["modelspec.architecture"] = "stable-diffusion-v2-768-v/lora";
    }
    if (style.shape.conv_rank)
        data["ss_network_args"] = "{\"conv_dim\": \"" + whole(style.shape.conv_rank) + "\", \"conv_alpha\": \"" +
                                  number_text(style.shape.conv_alpha) + "\"}";
    if (!style.trigger.empty())
        data["modelspec.trigger_phrase"] = style.trigger;
    return data;
}

} // namespace aianime::train
