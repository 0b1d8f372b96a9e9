// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading diffusers' scheduler_config.json.
#include <algorithm>
#include <limits>

#include "diffusion/scheduler.h"
#include "io/error.h"
#include "io/file.h"

namespace aianime::diffusion {

namespace {

using Check = bool (*)(const io::Json &value);

bool is_false(const io::Json &value) { return value.is_null() || !value.boolean(); }
bool is_true(const io::Json &value) { return value.is_null() || value.boolean(); }
bool is_null(const io::Json &value) { return value.is_null(); }
bool any(const io::Json &) { return true; }
bool is_one_of(const io::Json &value, const std::vector<std::string> &words) {
    return value.is_null() || std::find(words.begin(), words.end(), value.string()) != words.end();
}

// Settings of diffusers' samplers that are not offered here, with the values under which they change nothing.
struct Neutral {
    const char *key;
    Check check;
};

const Neutral neutral_settings[] = {
    {"trained_betas", is_null},
    {"thresholding", is_false},
    {"dynamic_thresholding_ratio", any}, // read with thresholding only
    {"sample_max_value", any},           // likewise
    {"variance_type", [](const io::Json &value) { return is_one_of(value, {"fixed_small"}); }},
    {"skip_prk_steps", any}, // PNDM's own
    {"use_karras_sigmas", is_false},
    {"use_exponential_sigmas", is_false},
    {"use_beta_sigmas", is_false},
    {"use_lu_lambdas", is_false},
    {"use_flow_sigmas", is_false},
    {"flow_shift", any}, // read with use_flow_sigmas only
    {"use_dynamic_shifting", is_false},
    {"time_shift_type", any}, // read with use_dynamic_shifting only
    {"sigma_min", is_null},
    {"sigma_max", is_null},
    {"interpolation_type", [](const io::Json &value) { return is_one_of(value, {"linear"}); }},
    {"timestep_type", [](const io::Json &value) { return is_one_of(value, {"discrete"}); }},
    {"final_sigmas_type", [](const io::Json &value) { return is_one_of(value, {"zero"}); }},
    {"algorithm_type",
     [](const io::Json &value) {
         return is_one_of(value, {"dpmsolver++", "deis"});
     }},
    {"solver_type",
     [](const io::Json &value) {
         return is_one_of(value, {"midpoint", "logrho", "bh1", "bh2"});
     }},
    {"solver_order", [](const io::Json &value) { return value.integer(1, 3) == 2; }},
    {"lower_order_final", is_true},
    {"euler_at_final", is_false},
    {"lambda_min_clipped",
     [](const io::Json &value) {
         return is_one_of(value, {"-Infinity", "-inf"});
     }},
};

// Values a class of diffusers takes for what its file leaves out. The struct's own are those of the Stable Diffusion family, for
// files that do not name their class.
SchedulerConfig defaults_of(const std::string &class_name) {
    SchedulerConfig config;
    if (class_name.empty())
        return config;
    config.steps_offset = 0;
    config.set_alpha_to_one = class_name != "PNDMScheduler";
    if (class_name == "LCMScheduler" || class_name == "TCDScheduler")
        return config;
    config.beta_start = 0.0001;
    config.beta_end = 0.02;
    config.beta_schedule = "linear";
    config.clip_sample = class_name == "DDIMScheduler" || class_name == "DDPMScheduler";
    const bool by_sigma = class_name == "DPMSolverMultistepScheduler" || class_name == "EulerDiscreteScheduler" ||
                          class_name == "EulerAncestralDiscreteScheduler";
    config.timestep_spacing = by_sigma ? "linspace" : "leading";
    return config;
}

Prediction read_prediction(const io::Json &value) {
    const std::string name = value.choice({"epsilon", "v_prediction", "sample", "original_sample"});
    return name == "epsilon" ? Prediction::epsilon : name == "v_prediction" ? Prediction::v : Prediction::sample;
}

// Reads a setting this project knows; false for any other.
bool read_known(const std::string &key, const io::Json &value, SchedulerConfig &config) {
    constexpr double most = std::numeric_limits<double>::max();
    if (key == "num_train_timesteps")
        config.num_train_timesteps = value.integer(2, 100000);
    else if (key == "beta_start")
        config.beta_start = value.number(0, 1);
    else if (key == "beta_end")
        config.beta_end = value.number(0, 1);
    else if (key == "beta_schedule")
        config.beta_schedule = value.choice({"linear", "scaled_linear", "squaredcos_cap_v2"});
    else if (key == "timestep_spacing")
        config.timestep_spacing = value.choice({"leading", "trailing", "linspace"});
    else if (key == "steps_offset")
        config.steps_offset = value.integer(0, config.num_train_timesteps - 1);
    else if (key == "prediction_type")
        config.prediction = read_prediction(value);
    else if (key == "set_alpha_to_one")
        config.set_alpha_to_one = value.boolean();
    else if (key == "clip_sample")
        config.clip_sample = value.boolean();
    else if (key == "clip_sample_range")
        config.clip_sample_range = value.number(0, most);
    else if (key == "rescale_betas_zero_snr")
        config.rescale_betas_zero_snr = value.boolean();
    else if (key == "original_inference_steps")
        config.original_inference_steps = value.integer(1, config.num_train_timesteps);
    else if (key == "timestep_scaling")
        config.timestep_scaling = value.number(0, most);
    else
        return false;
    return true;
}

void check_neutral(const std::string &key, const io::Json &value) {
    for (const Neutral &setting : neutral_settings) {
        if (key != setting.key)
            continue;
        if (!setting.check(value))
            throw Error(AIANIME_BAD_DATA, value.where() + ": this value is not supported by the samplers here");
        return;
    }
    throw Error(AIANIME_BAD_DATA, value.where() + ": this setting is not known to the samplers here");
}

} // namespace

SchedulerConfig SchedulerConfig::from_json(const io::Json &config) {
    SchedulerConfig result = defaults_of(config.has("_class_name") ? config.at("_class_name").string() : "");
    if (config.has("num_train_timesteps"))
        result.num_train_timesteps = config.at("num_train_timesteps").integer(2, 100000); // other settings are checked against it
    for (const std::string &key : config.keys())
        if (key.rfind('_', 0) != 0 && !read_known(key, config.at(key), result))
            check_neutral(key, config.at(key));
    return result;
}

io::Json load_scheduler_json(const std::string &path) {
    const std::string written = "\"lambda_min_clipped\": -Infinity";
    const std::string same_length = "\"lambda_min_clipped\": null     ";
    std::string text = io::read_file(path, io::Json::max_file_bytes);
    const size_t found = text.find(written);
    if (found != std::string::npos)
        text.replace(found, written.size(), same_length);
    return io::Json::parse(text, path);
}

} // namespace aianime::diffusion
