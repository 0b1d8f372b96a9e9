// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/loop.h"

#include <ATen/autocast_mode.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "io/error.h"
#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "train/adamw.h"
#include "train/loss_curve.h"
#include "train/state_file.h"

namespace aianime::train {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int most_bad_steps = 20;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string duration_text(double seconds) {
    const auto whole = static_cast<long long>(std::lround(seconds));
    char text[32];
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
    return text;
}

// Mixed precision for the length of a scope.
class Autocast {
public:
    Autocast(bool on, at::DeviceType device) : on_(on), device_(device) {
        if (!on_)
            return;
        at::autocast::set_autocast_dtype(device_, at::kBFloat16);
        at::autocast::set_autocast_enabled(device_, true);
        at::autocast::increment_nesting();
    }
    ~Autocast() {
        if (!on_)
            return;
        if (at::autocast::decrement_nesting() == 0)
            at::autocast::clear_cache();
        at::autocast::set_autocast_enabled(device_, false);
    }
    Autocast(const Autocast &) = delete;
    Autocast &operator=(const Autocast &) = delete;

private:
    bool on_;
    at::DeviceType device_;
};

class Loop {
public:
    Loop(const Parameters &parameters, const LoopOptions &options, const Report &report)
        : parameters_(parameters), options_(options), report_(report),
          optimizer_(parameters, {options.beta1, options.beta2, options.weight_decay, 1e-8, options.clip, options.rate_factor}) {
        if (parameters.empty())
            throw Error(AIANIME_INTERNAL, options.title + ": nothing to train");
        for (const auto &[name, tensor] : parameters)
            averages_.emplace_back("a." + name, tensor.detach().clone());
        std::filesystem::create_directories(options.folder);
        resume();
    }

    LoopEnd run(const StepLoss &loss, const Sample &sample) {
        last_save_ = last_log_ = Clock::now();
        while (step_ < options_.steps && !out_of_time()) {
            if (report_.stopped()) {
                save();
                report_.say(options_.title + ": stopped at step " + std::to_string(step_) + ", the same command goes on");
                return LoopEnd::stopped;
            }
            train_step(loss);
            if (options_.sample_every > 0 && step_ % options_.sample_every == 0 && sample)
                with_averages([&] { sample(step_); });
            if (step_ % options_.log_every == 0)
                log();
            if (seconds_since(last_save_) >= options_.save_seconds)
                save();
        }
        save();
        if (options_.average > 0)
            put_averages();
        return LoopEnd::done;
    }

private:
    std::string file(const char *end) const { return options_.folder + "/" + options_.title + end; }

    // What a state must have been made with to be continued.
    std::string fingerprint() const {
        char text[256];
        std::snprintf(text, sizeof text,
                      "rate %g to %g warmup %lld decay %g betas %g %g clip %g accumulate %lld average %g bf16 %d",
                      options_.learning_rate, options_.final_rate, static_cast<long long>(options_.warmup), options_.weight_decay,
                      options_.beta1, options_.beta2, options_.clip, static_cast<long long>(options_.accumulate), options_.average,
                      options_.bf16);
        return text;
    }

    Parameters state() const {
        Parameters all = parameters_;
        all.insert(all.end(), optimizer_.state().begin(), optimizer_.state().end());
        all.insert(all.end(), averages_.begin(), averages_.end());
        return all;
    }

    void resume() {
        const std::string path = file(".state.safetensors");
        if (!std::filesystem::exists(path))
            return;
        const StateFile kept = read_tensors(path);
        const auto text = [&](const char *key) {
            const auto found = kept.metadata.find(key);
            return found == kept.metadata.end() ? std::string() : found->second;
        };
        if (text("options") != fingerprint())
            throw Error(AIANIME_INVALID, path + " was made with other options (" + text("options") + ", now " + fingerprint() +
                                             "); give them again or use another folder");
        copy_values(kept.tensors, state());
        step_ = std::atoll(text("step").c_str());
        updates_ = std::atoll(text("updates").c_str());
        spent_before_ = std::atof(text("seconds").c_str());
        optimizer_.set_count(updates_);
        losses_ = read_losses(file(".loss.csv"), step_);
        report_.say(options_.title + ": goes on at step " + std::to_string(step_) + " of " + std::to_string(options_.steps));
    }

    bool out_of_time() const { return options_.minutes > 0 && spent_before_ + seconds_since(began_) >= 60 * options_.minutes; }

    double rate() const {
        const auto step = static_cast<double>(step_);
        if (step_ < options_.warmup)
            return options_.learning_rate * (step + 1) / static_cast<double>(options_.warmup);
        const double span = static_cast<double>(std::max<int64_t>(options_.steps - options_.warmup, 1));
        const double fall = 0.5 + 0.5 * std::cos(M_PI * std::min(1.0, (step - static_cast<double>(options_.warmup)) / span));
        return options_.learning_rate * (options_.final_rate + (1 - options_.final_rate) * fall);
    }

    void train_step(const StepLoss &loss) {
        double sum = 0;
        const at::DeviceType device = parameters_.front().second.device().type();
        for (int64_t micro = 0; micro < options_.accumulate; micro++) {
            at::Tensor value;
            {
                const Autocast mixed(options_.bf16, device);
                value = loss(step_, micro);
            }
            sum += value.item<double>();
            if (std::isfinite(sum))
                value.backward();
        }
        const double mean = sum / static_cast<double>(options_.accumulate);
        const double now = rate();
        const double norm = std::isfinite(mean) ? optimizer_.step(now, options_.accumulate) : mean;
        step_++;
        if (!std::isfinite(norm)) {
            skip_bad_step();
            return;
        }
        bad_steps_ = 0;
        updates_++;
        losses_.push_back({step_ - 1, mean, now});
        move_averages();
    }

    void skip_bad_step() {
        for (const auto &entry : parameters_)
            entry.second.mutable_grad().reset();
        report_.say(options_.title + ": step " + std::to_string(step_) + ": the loss or its gradient is not finite, left out");
        if (++bad_steps_ >= most_bad_steps)
            throw Error(AIANIME_NOT_FINITE,
                        options_.title + ": " + std::to_string(most_bad_steps) +
                            " steps in a row were not finite: lower the learning rate; the last good state is in " +
                            options_.folder);
    }

    void move_averages() {
        if (options_.average <= 0)
            return;
        const at::NoGradGuard no_gradient;
        // Short memory at first, when the weights still move fast.
        const auto updates = static_cast<double>(updates_);
        const double decay = std::min(options_.average, (1 + updates) / (10 + updates));
        at::_foreach_lerp_(tensors(averages_), tensors(parameters_), 1 - decay);
    }

    static std::vector<at::Tensor> tensors(const Parameters &parameters) {
        std::vector<at::Tensor> list;
        for (const auto &entry : parameters)
            list.push_back(entry.second.detach());
        return list;
    }

    void put_averages() {
        const at::NoGradGuard no_gradient;
        at::_foreach_copy_(tensors(parameters_), tensors(averages_));
    }

    template <typename Work>
    void with_averages(Work work) {
        const at::NoGradGuard no_gradient;
        std::vector<at::Tensor> own;
        for (const at::Tensor &tensor : tensors(parameters_))
            own.push_back(tensor.clone());
        if (options_.average > 0)
            put_averages();
        work();
        at::_foreach_copy_(tensors(parameters_), own);
    }

    void log() {
        double sum = 0;
        int64_t points = 0;
        for (auto point = losses_.rbegin(); point != losses_.rend() && points < options_.log_every; ++point, ++points)
            sum += point->loss;
        const double pace = seconds_since(last_log_) / static_cast<double>(options_.log_every);
        double left = pace * static_cast<double>(options_.steps - step_);
        if (options_.minutes > 0)
            left = std::min(left, 60 * options_.minutes - spent_before_ - seconds_since(began_));
        last_log_ = Clock::now();
        char text[192];
        std::snprintf(text, sizeof text, "%s: step %lld of %lld, loss %.5f, rate %.2e, %.3f s a step, %s left",
                      options_.title.c_str(), static_cast<long long>(step_), static_cast<long long>(options_.steps),
                      points ? sum / static_cast<double>(points) : NAN, rate(), pace, duration_text(std::max(left, 0.0)).c_str());
        report_.say(text);
    }

    void save() {
        last_save_ = Clock::now();
        char seconds[32];
        std::snprintf(seconds, sizeof seconds, "%.3f", spent_before_ + seconds_since(began_));
        try {
            write_losses(file(".loss.csv"), losses_);
            write_tensors(file(".state.safetensors"), state(),
                          {{"step", std::to_string(step_)},
                           {"updates", std::to_string(updates_)},
                           {"seconds", seconds},
                           {"options", fingerprint()}});
            draw_losses(file(".loss.png"), options_.title, losses_);
            save_failed_ = false;
        } catch (const Error &error) {
            if (!save_failed_)
                report_.say(options_.title +
                            ": the state cannot be written, training goes on with the last one kept: " + error.what());
            save_failed_ = true;
        }
        if (save_failed_ && (step_ >= options_.steps || out_of_time() || report_.stopped()))
            throw Error(AIANIME_IO, options_.title + ": the state at the end could not be written to " + options_.folder);
    }

    const Parameters parameters_;
    const LoopOptions options_;
    const Report report_;
    AdamW optimizer_;
    Parameters averages_;
    std::vector<LossPoint> losses_;
    int64_t step_ = 0;    // next
    int64_t updates_ = 0; // steps that were not left out
    int bad_steps_ = 0;
    bool save_failed_ = false;
    double spent_before_ = 0;
    Clock::time_point began_ = Clock::now(), last_save_, last_log_;
};

} // namespace

LoopEnd run_loop(const Parameters &parameters, const LoopOptions &options, const StepLoss &loss, const Sample &sample,
                 const Report &report) {
    Loop loop(parameters, options, report);
    return loop.run(loss, sample);
}

} // namespace aianime::train
