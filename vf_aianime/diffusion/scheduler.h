// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/json.h"

namespace aianime::diffusion {

enum class Prediction { epsilon, v, sample };

// diffusers scheduler_config.json, the part shared by all samplers.
struct SchedulerConfig {
    int64_t num_train_timesteps = 1000;
    double beta_start = 0.00085;
    double beta_end = 0.012;
    std::string beta_schedule = "scaled_linear"; // linear, scaled_linear, squaredcos_cap_v2
    std::string timestep_spacing = "leading";    // leading, trailing, linspace
    int64_t steps_offset = 1;
    Prediction prediction = Prediction::epsilon;
    bool set_alpha_to_one = false;
    bool clip_sample = false;
    double clip_sample_range = 1.0;
    bool rescale_betas_zero_snr = false;
    int64_t original_inference_steps = 50; // LCM, TCD
    double timestep_scaling = 10.0;        // LCM
    double eta = 0;                        // DDIM
    double gamma = 0.3;                    // TCD, 0 (no fresh noise) to 1

    // Throws Error (BAD_DATA) for a setting that is not implemented and not neutral (thresholding, Karras sigmas, trained betas,
    // ...). What the file leaves out is the default of the class it names in `_class_name`.
    static SchedulerConfig from_json(const io::Json &config);
};

// Reads a scheduler_config.json. diffusers writes -Infinity, which JSON does not have, for DPM-Solver's neutral
// `lambda_min_clipped`; here it reads as null. Throws as io::Json::load does.
io::Json load_scheduler_json(const std::string &path);

// Fresh standard normal noise for step `step` with the shape of the latents; ancestral samplers, DDPM, LCM and TCD ask for it.
using StepNoise = std::function<at::Tensor(int64_t step)>;

// One sampler for one run of `steps` steps. Written so that many windows can step together: step() works on any batch, and what a
// multistep method remembers is one tensor per run, of the latents' shape.
//
// Latents are kept as diffusers keeps them (Euler: multiplied by the initial sigma). All arithmetic in float32.
// Thread safety: one thread.
class Scheduler {
public:
    // name: "ddpm", "ddim", "dpmpp_2m", "euler", "euler_a", "lcm", "tcd". Throws Error (BAD_DATA naming the nearest).
    static std::unique_ptr<Scheduler> create(const std::string &name, const SchedulerConfig &config);
    static std::vector<std::string> names();
    // The name for diffusers' `_class_name`, "" when unknown.
    static std::string name_for_class(const std::string &class_name);

    virtual ~Scheduler() = default;

    // Chooses the timesteps. strength in (0, 1] keeps the last part of them, as diffusers' image-to-image pipelines do:
    // start = steps - min(int(steps * strength), steps), at least one step. Forgets everything of a run before.
    void start(int64_t steps, double strength);

    // Timesteps of this run, what the network is given.
    const std::vector<double> &timesteps() const { return timesteps_; }

    // Latents to begin with. strength 1: init_noise_sigma * noise. Below: add_noise(encoded, noise, first timestep).
    at::Tensor first_latents(const at::Tensor &encoded, const at::Tensor &noise) const;
    // What latents that will become `clean` are before step i; before the step behind the last they are clean.
    at::Tensor noised(const at::Tensor &clean, const at::Tensor &noise, int64_t i) const;
    // What the network is given for `latents` at step i (Euler divides, others return them).
    virtual at::Tensor scale_model_input(const at::Tensor &latents, int64_t i) const;
    // The clean latents that a network's output at step i means, and the output that means them changed by `change`.
    at::Tensor clean(const at::Tensor &output, const at::Tensor &latents, int64_t i) const;
    at::Tensor output_changed_by(const at::Tensor &change, const at::Tensor &output, int64_t i) const;
    // One step: network output for timesteps()[i] and the latents it was computed from -> the next latents.
    virtual at::Tensor step(const at::Tensor &output, const at::Tensor &latents, int64_t i, const StepNoise &noise) = 0;

protected:
    explicit Scheduler(const SchedulerConfig &config);
    SchedulerConfig config_;
    std::vector<double> alphas_cumprod_;
    std::vector<double> timesteps_; // after strength
    double strength_ = 1;

    // All timesteps of a run of `steps`, before strength cuts the front off; samplers fill their own tables here too.
    virtual std::vector<double> make_timesteps(int64_t steps) = 0;
    // Called after strength cut `begin` timesteps off the front.
    virtual void begin_at(int64_t begin) = 0;
    virtual double init_noise_sigma() const { return 1.0; }
    // alpha of the network's input at step i: sqrt(alpha) * clean + sqrt(1 - alpha) * epsilon.
    virtual double signal_variance(int64_t i) const;
    virtual at::Tensor add_noise(const at::Tensor &clean, const at::Tensor &noise, int64_t i) const; // of step i
};

} // namespace aianime::diffusion
