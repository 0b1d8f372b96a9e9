// SPDX-License-Identifier: LGPL-2.1-or-later
// Samplers against runs of diffusers (tests/golden/make_scheduler.py).
#include <cmath>

#include "diffusion/scheduler.h"
#include "io/json.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"

using namespace aianime;
using diffusion::Scheduler;
using diffusion::SchedulerConfig;

namespace {

std::string golden(const char *file) { return tests_folder() + "/golden/scheduler/" + file; }

at::Tensor read(const nn::WeightSource &source, const std::string &name) { return source.tensor(name, at::kFloat, at::kCPU); }

// The script's stand-in for a network.
at::Tensor network(const at::Tensor &x, double t) {
    const at::Tensor index = at::arange(x[0].numel(), at::kDouble).view(x[0].sizes());
    return (0.3 * x.to(at::kDouble) + 0.5 * at::sin(0.01 * t + 0.1 * index)).to(at::kFloat);
}

// float32 rounds otherwise from processor to processor (6e-6 seen), and early steps divide by a signal of a fifteenth.
void expect_close(const at::Tensor &found, const at::Tensor &wanted, const std::string &what) {
    const double scale = std::max(wanted.abs().max().item<double>(), 1e-6);
    const double error = (found - wanted).abs().max().item<double>() / scale;
    if (!(error < 2e-5))
        ck_abort_msg("%s: off by %g of %g", what.c_str(), error, scale);
}

struct Run {
    std::string sampler;
    int64_t steps;
    double strength;
    std::unique_ptr<Scheduler> scheduler;

    explicit Run(const io::Json &json)
        : sampler(json.at("sampler").string()), steps(json.at("steps").integer(1, 1000)),
          strength(json.at("strength").number(0, 1)) {
        SchedulerConfig config = SchedulerConfig::from_json(json.at("config"));
        (sampler == "tcd" ? config.gamma : config.eta) = json.at("eta").number(0, 1);
        scheduler = Scheduler::create(sampler, config);
        scheduler->start(steps, strength);
    }
};

void check_run(const io::Json &json, const nn::WeightSource &source, size_t number) {
    Run run(json);
    const std::string name = std::to_string(number);
    const at::Tensor timesteps = read(source, name + ".timesteps");
    const at::Tensor history = read(source, name + ".latents");
    const at::Tensor noise = read(source, "noise");
    ck_assert_int_eq(run.scheduler->timesteps().size(), timesteps.size(0));

    at::Tensor latents = run.scheduler->first_latents(read(source, "clean"), noise[-1]);
    expect_close(latents, history.slice(0, 0, 1), "run " + name + " " + run.sampler + " start");
    for (int64_t i = 0; i < timesteps.size(0); ++i) {
        const double t = run.scheduler->timesteps()[static_cast<size_t>(i)];
        ck_assert_double_eq_tol(t, timesteps[i].item<double>(), 1e-9);
        const at::Tensor output = network(run.scheduler->scale_model_input(latents, i), t);
        latents = run.scheduler->step(output, latents, i, [&](int64_t step) { return noise[step]; });
        expect_close(latents, history.slice(0, i + 1, i + 2), "run " + name + " " + run.sampler + " step " + std::to_string(i));
    }
}

} // namespace

AIANIME_TEST(runs_agree_with_diffusers) {
    const io::Json runs = io::Json::load(golden("runs.json")).at("runs");
    const nn::WeightSource source = nn::WeightSource::from_file(golden("runs.safetensors"));
    ck_assert_int_gt(runs.size(), 40);
    for (size_t i = 0; i < runs.size(); ++i)
        check_run(runs.at(i), source, i);
}

AIANIME_TEST(timesteps_agree_for_many_step_counts) {
    const nn::WeightSource source = nn::WeightSource::from_file(golden("tables.safetensors"));
    int tables = 0;
    for (const std::string &sampler : Scheduler::names())
        for (const char *spacing : {"leading", "trailing", "linspace"}) {
            const std::string name = sampler + "." + spacing;
            if (!source.has(name + ".values"))
                continue;
            SchedulerConfig config;
            config.timestep_spacing = spacing;
            config.steps_offset = config.timestep_spacing == "leading" ? 1 : 0;
            const auto scheduler = Scheduler::create(sampler, config);
            const at::Tensor lengths = source.tensor(name + ".lengths", at::kLong, at::kCPU);
            const at::Tensor values = read(source, name + ".values");
            int64_t begin = 0;
            for (int64_t k = 0; k < lengths.size(0); ++k) {
                const int64_t steps = lengths[k].item<int64_t>();
                scheduler->start(steps, 1.0);
                for (int64_t i = 0; i < steps; ++i)
                    ck_assert_double_eq_tol(scheduler->timesteps()[static_cast<size_t>(i)], values[begin + i].item<double>(), 1e-9);
                begin += steps;
            }
            ++tables;
        }
    ck_assert_int_eq(tables, 17);
}

// diffusers gives one timestep too many for some step counts (61, 103, ... with trailing spacing), the last of them -1.
AIANIME_TEST(every_step_count_gives_that_many_timesteps) {
    for (const char *sampler : {"ddim", "euler", "dpmpp_2m"}) {
        SchedulerConfig config;
        config.timestep_spacing = "trailing";
        const auto scheduler = Scheduler::create(sampler, config);
        for (int64_t steps = 1; steps <= 1000; ++steps) {
            scheduler->start(steps, 1.0);
            ck_assert_int_eq(static_cast<int64_t>(scheduler->timesteps().size()), steps);
            ck_assert_double_eq(scheduler->timesteps().front(), 999);
        }
    }
}

AIANIME_TEST(strength_keeps_at_least_one_step) {
    const auto scheduler = Scheduler::create("ddim", SchedulerConfig());
    scheduler->start(4, 0.1);
    ck_assert_int_eq(scheduler->timesteps().size(), 1);
    ck_assert_double_eq(scheduler->timesteps()[0], 1);
    scheduler->start(4, 0.5);
    ck_assert_int_eq(scheduler->timesteps().size(), 2);
}

// A run must not remember the one before it.
AIANIME_TEST(a_second_run_repeats_the_first) {
    for (const std::string &name : Scheduler::names()) {
        const auto scheduler = Scheduler::create(name, SchedulerConfig());
        const at::Tensor noise = at::linspace(-2, 2, 32, at::kFloat).view({2, 4, 2, 2});
        at::Tensor first;
        for (int repeat = 0; repeat < 2; ++repeat) {
            scheduler->start(5, 0.8);
            at::Tensor latents = scheduler->first_latents(noise * 0.1, noise);
            for (int64_t i = 0; i < 4; ++i)
                latents = scheduler->step(network(latents, 10), latents, i, [&](int64_t) { return noise; });
            if (repeat)
                ck_assert_msg(at::equal(first, latents), "%s differs the second time", name.c_str());
            first = latents;
        }
    }
}

AIANIME_TEST(one_sampler_steps_any_batch) {
    for (const std::string &name : Scheduler::names()) {
        const at::Tensor noise = at::linspace(-2, 2, 48, at::kFloat).view({3, 4, 2, 2});
        const auto run = [&](const at::Tensor &start) {
            const auto scheduler = Scheduler::create(name, SchedulerConfig());
            scheduler->start(4, 1.0);
            at::Tensor latents = scheduler->first_latents(at::Tensor(), start);
            for (int64_t i = 0; i < 4; ++i)
                latents = scheduler->step(network(latents, 10), latents, i, [&](int64_t) { return start; });
            return latents;
        };
        const at::Tensor together = run(noise);
        for (int64_t i = 0; i < 3; ++i)
            expect_close(run(noise.slice(0, i, i + 1)), together.slice(0, i, i + 1), name);
    }
}

AIANIME_TEST(names_and_classes) {
    ck_assert_int_eq(Scheduler::names().size(), 7);
    ck_assert_str_eq(Scheduler::name_for_class("DPMSolverMultistepScheduler").c_str(), "dpmpp_2m");
    ck_assert_str_eq(Scheduler::name_for_class("PNDMScheduler").c_str(), "");
    expect_error([] { return Scheduler::create("eulr", SchedulerConfig()); }, AIANIME_BAD_DATA, "\"euler\"");
}

AIANIME_TEST(bad_settings_are_refused) {
    const auto parse = [](const char *text) {
        return [text] { return SchedulerConfig::from_json(io::Json::parse(text, "scheduler_config.json")); };
    };
    expect_error(parse(R"({"thresholding": true})"), AIANIME_BAD_DATA, "thresholding");
    expect_error(parse(R"({"use_karras_sigmas": true})"), AIANIME_BAD_DATA, "use_karras_sigmas");
    expect_error(parse(R"({"trained_betas": [0.1, 0.2]})"), AIANIME_BAD_DATA, "trained_betas");
    expect_error(parse(R"({"solver_order": 3})"), AIANIME_BAD_DATA, "solver_order");
    expect_error(parse(R"({"variance_type": "learned_range"})"), AIANIME_BAD_DATA, "variance_type");
    expect_error(parse(R"({"shift_terminal": 0.1})"), AIANIME_BAD_DATA, "shift_terminal");
    expect_error(parse(R"({"prediction_type": "flow_prediction"})"), AIANIME_BAD_DATA, "prediction_type");
    expect_error(parse(R"({"beta_schedule": "sigmoid"})"), AIANIME_BAD_DATA, "beta_schedule");
    expect_error(parse(R"({"num_train_timesteps": 1})"), AIANIME_OUT_OF_RANGE, "num_train_timesteps");
    expect_error(parse(R"({"num_train_timesteps": 100, "original_inference_steps": 101})"), AIANIME_OUT_OF_RANGE,
                 "original_inference");
    expect_error(parse("[]"), AIANIME_BAD_DATA, "scheduler_config.json");
    ck_assert(parse(R"({"thresholding": null, "_anything": 1, "skip_prk_steps": true})")().clip_sample == false);
}

AIANIME_TEST(missing_settings_are_those_of_the_class) {
    const auto of = [](const std::string &name) {
        return SchedulerConfig::from_json(io::Json::parse("{\"_class_name\": \"" + name + "\"}", "scheduler_config.json"));
    };
    ck_assert_str_eq(of("DDIMScheduler").beta_schedule.c_str(), "linear");
    ck_assert(of("DDIMScheduler").clip_sample && of("DDIMScheduler").set_alpha_to_one);
    ck_assert_str_eq(of("EulerDiscreteScheduler").timestep_spacing.c_str(), "linspace");
    ck_assert_str_eq(of("LCMScheduler").beta_schedule.c_str(), "scaled_linear");
    ck_assert_str_eq(of("TCDScheduler").beta_schedule.c_str(), "scaled_linear");
    ck_assert(!of("PNDMScheduler").set_alpha_to_one && !of("PNDMScheduler").clip_sample);
}

AIANIME_TEST(infinity_in_a_file_is_read_as_nothing) {
    const TempFolder folder;
    write_file(folder.path("ok.json"), "{\n  \"lambda_min_clipped\": -Infinity,\n  \"beta_end\": 0.5\n}\n");
    ck_assert_double_eq(SchedulerConfig::from_json(diffusion::load_scheduler_json(folder.path("ok.json"))).beta_end, 0.5);
    write_file(folder.path("bad.json"), "{\"beta_end\": -Infinity}");
    expect_error([&] { return diffusion::load_scheduler_json(folder.path("bad.json")); }, AIANIME_BAD_DATA, "-Infinity");
}

AIANIME_TEST(impossible_runs_are_refused) {
    const auto start = [](const char *name, const SchedulerConfig &config, int64_t steps, double strength) {
        return [=] { Scheduler::create(name, config)->start(steps, strength); };
    };
    const SchedulerConfig config;
    expect_error(start("ddim", config, 0, 1.0), AIANIME_OUT_OF_RANGE, "steps: 0");
    expect_error(start("ddim", config, 1001, 1.0), AIANIME_OUT_OF_RANGE, "steps: 1001");
    expect_error(start("ddim", config, 4, 0.0), AIANIME_OUT_OF_RANGE, "strength");
    expect_error(start("ddim", config, 4, std::nan("")), AIANIME_OUT_OF_RANGE, "strength");
    expect_error(start("lcm", config, 51, 1.0), AIANIME_OUT_OF_RANGE, "at most 50");
    expect_error(start("tcd", config, 51, 1.0), AIANIME_OUT_OF_RANGE, "at most 50");
    for (const double gamma : {-0.1, 1.1, std::nan("")}) {
        SchedulerConfig wrong;
        wrong.gamma = gamma;
        expect_error(start("tcd", wrong, 4, 1.0), AIANIME_OUT_OF_RANGE, "gamma");
    }
    SchedulerConfig none;
    none.original_inference_steps = 0;
    expect_error(start("tcd", none, 4, 1.0), AIANIME_BAD_DATA, "original_inference_steps 0");
    expect_error(start("dpmpp_2m", config, 1000, 1.0), AIANIME_OUT_OF_RANGE, "too many");
    SchedulerConfig beyond;
    beyond.steps_offset = 500;
    expect_error(start("euler", beyond, 10, 1.0), AIANIME_OUT_OF_RANGE, "lie outside");
}

// The last step of these samplers goes to what the output means; and an output can be made that means something else.
AIANIME_TEST(clean_latents_of_an_output) {
    const at::Tensor latents = at::randn({2, 3, 4, 4}) * 2, noise = at::randn({2, 3, 4, 4}), change = at::randn({2, 3, 4, 4});
    const auto drawn = [&](int64_t) { return noise; };
    for (const diffusion::Prediction prediction :
         {diffusion::Prediction::epsilon, diffusion::Prediction::v, diffusion::Prediction::sample})
        for (const char *name : {"ddpm", "ddim", "dpmpp_2m", "euler", "euler_a", "lcm", "tcd"}) {
            SchedulerConfig config;
            config.prediction = prediction;
            config.set_alpha_to_one = true;
            const std::unique_ptr<Scheduler> scheduler = Scheduler::create(name, config);
            scheduler->start(4, 1);
            for (int64_t i = 0; i < 4; ++i) {
                const at::Tensor output = network(latents, static_cast<double>(i)),
                                 changed = scheduler->output_changed_by(change, output, i);
                const at::Tensor clean = scheduler->clean(output, latents, i);
                expect_close(scheduler->clean(changed, latents, i), clean + change, name);
            }
            const std::string sampler = name;
            if (sampler == "lcm" || sampler == "tcd" || sampler == "ddpm")
                continue; // they add noise, or more of the latents
            const at::Tensor output = network(latents, 0);
            expect_close(scheduler->clean(output, latents, 3), scheduler->step(output, latents, 3, drawn), sampler + ", last step");
        }
}

AIANIME_TEST(pure_noise_cannot_predict_epsilon) {
    SchedulerConfig config;
    config.rescale_betas_zero_snr = true;
    config.timestep_spacing = "trailing";
    const auto scheduler = Scheduler::create("ddim", config);
    scheduler->start(4, 1.0);
    const at::Tensor x = at::ones({1, 4, 2, 2});
    expect_error([&] { return scheduler->step(x, x, 0, [&](int64_t) { return x; }); }, AIANIME_BAD_DATA, "rescale_betas_zero_snr");
}

int main() {
    return run_suite("scheduler",
                     {runs_agree_with_diffusers, timesteps_agree_for_many_step_counts, every_step_count_gives_that_many_timesteps,
                      strength_keeps_at_least_one_step, a_second_run_repeats_the_first, one_sampler_steps_any_batch,
                      names_and_classes, bad_settings_are_refused, missing_settings_are_those_of_the_class,
                      impossible_runs_are_refused, clean_latents_of_an_output, pure_noise_cannot_predict_epsilon,
                      infinity_in_a_file_is_read_as_nothing});
}
