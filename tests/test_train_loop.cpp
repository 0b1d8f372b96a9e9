// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cmath>
#include <filesystem>

#include "nn/aten.h"
#include "nn/layers.h"
#include "support.h"
#include "train/adamw.h"
#include "train/loop.h"
#include "train/loss_curve.h"
#include "train/state_file.h"

using namespace aianime;
namespace fs = std::filesystem;

namespace {

// Two tensors that are to become what `target` says; each step sees noise of its own.
struct Toy {
    train::Parameters parameters = {{"matrix", at::ones({4, 3}).requires_grad_()}, {"bias", at::zeros({3}).requires_grad_()}};

    train::StepLoss loss() const {
        return [this](int64_t step, int64_t micro) {
            const at::Tensor x = at::randn({16, 4}, train::generator_for(5, step, micro), at::kFloat);
            const at::Tensor target = at::stack({x.select(1, 0), x.select(1, 1) * 2, x.sum(1) + 1}, 1);
            return (at::matmul(x, parameters[0].second) + parameters[1].second - target).square().mean();
        };
    }
};

train::LoopOptions toy_options(const std::string &folder) {
    train::LoopOptions options;
    options.title = "toy";
    options.folder = folder;
    options.steps = 60;
    options.learning_rate = 0.05;
    options.warmup = 5;
    options.accumulate = 2;
    options.average = 0.9;
    return options;
}

train::LoopEnd run(const Toy &toy, const train::LoopOptions &options, const train::StepLoss &loss,
                   std::vector<std::string> *lines = nullptr, int64_t stop_after = -1) {
    int64_t asked = 0;
    train::Report report;
    report.line = [&](const std::string &line) {
        if (lines)
            lines->push_back(line);
    };
    report.stop_wanted = [&] { return stop_after >= 0 && asked++ >= stop_after; };
    return train::run_loop(toy.parameters, options, loss, nullptr, report);
}

bool has_line(const std::vector<std::string> &lines, const char *part) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string &line) { return line.find(part) != std::string::npos; });
}

} // namespace

AIANIME_TEST(learns) {
    const TempFolder folder;
    const Toy toy;
    train::LoopOptions options = toy_options(folder.path());
    options.steps = 400;
    ck_assert(run(toy, options, toy.loss()) == train::LoopEnd::done);
    const std::vector<train::LossPoint> losses = train::read_losses(folder.path("toy.loss.csv"), 1000);
    ck_assert_int_eq(static_cast<int>(losses.size()), 400);
    ck_assert(losses.back().loss < 1e-3);
    ck_assert(std::abs(toy.parameters[1].second[2].item<double>() - 1) < 0.02);
    ck_assert(fs::exists(folder.path("toy.loss.png")));
}

AIANIME_TEST(resumed_is_the_same_as_uninterrupted) {
    const TempFolder whole, parts;
    const Toy one, two, three;
    run(one, toy_options(whole.path()), one.loss());
    ck_assert(run(two, toy_options(parts.path()), two.loss(), nullptr, 23) == train::LoopEnd::stopped);
    // As another process would: from other values.
    ck_assert(run(three, toy_options(parts.path()), three.loss()) == train::LoopEnd::done);
    for (size_t i = 0; i < 2; i++)
        ck_assert(one.parameters[i].second.equal(three.parameters[i].second));
    const auto first = train::read_losses(whole.path("toy.loss.csv"), 100),
               second = train::read_losses(parts.path("toy.loss.csv"), 100);
    ck_assert_int_eq(static_cast<int>(first.size()), 60);
    ck_assert_int_eq(static_cast<int>(second.size()), 60);
    for (size_t i = 0; i < first.size(); i++)
        ck_assert(first[i].step == second[i].step && first[i].loss == second[i].loss && first[i].rate == second[i].rate);
    // A run that is done only loads its result.
    const Toy again;
    run(again, toy_options(parts.path()), [](int64_t, int64_t) -> at::Tensor { throw Error(AIANIME_INTERNAL, "trained again"); });
    ck_assert(again.parameters[0].second.equal(one.parameters[0].second));
}

AIANIME_TEST(other_options_are_refused) {
    const TempFolder folder;
    const Toy toy;
    run(toy, toy_options(folder.path()), toy.loss(), nullptr, 10);
    train::LoopOptions other = toy_options(folder.path());
    other.learning_rate = 0.01;
    expect_error([&] { run(toy, other, toy.loss()); }, AIANIME_INVALID, "other options");
    const Toy larger = {{{"matrix", at::ones({5, 3}).requires_grad_()}, {"bias", at::zeros({3}).requires_grad_()}}};
    expect_error([&] { run(larger, toy_options(folder.path()), toy.loss()); }, AIANIME_BAD_DATA, "matrix");
    write_file(folder.path("toy.state.safetensors"), "cut short");
    expect_error([&] { run(toy, toy_options(folder.path()), toy.loss()); }, AIANIME_BAD_DATA, "toy.state.safetensors");
}

AIANIME_TEST(steps_that_are_not_finite) {
    const TempFolder folder;
    const Toy toy;
    const train::StepLoss good = toy.loss();
    std::vector<std::string> lines;
    train::LoopOptions options = toy_options(folder.path());
    const auto sometimes = [&](int64_t step, int64_t micro) {
        return step % 10 == 3   ? good(step, micro) * NAN
               : step % 10 == 5 ? (toy.parameters[1].second * 0).sqrt().sum() * 1e30
                                : good(step, micro);
    };
    ck_assert(run(toy, options, sometimes, &lines) == train::LoopEnd::done);
    ck_assert(has_line(lines, "not finite"));
    ck_assert_int_eq(static_cast<int>(train::read_losses(folder.path("toy.loss.csv"), 100).size()), 60 - 12);
    ck_assert(toy.parameters[0].second.isfinite().all().item<bool>());

    const TempFolder other;
    const Toy lost;
    options = toy_options(other.path());
    options.save_seconds = 0;
    const train::StepLoss fine = lost.loss();
    const auto later = [&](int64_t step, int64_t micro) { return step < 30 ? fine(step, micro) : fine(step, micro) * INFINITY; };
    expect_error([&] { run(lost, options, later); }, AIANIME_NOT_FINITE, "20 steps in a row");
    const train::StateFile kept = train::read_tensors(other.path("toy.state.safetensors"));
    for (const auto &entry : kept.tensors)
        ck_assert(entry.second.isfinite().all().item<bool>());
}

AIANIME_TEST(a_state_that_cannot_be_written) {
    const TempFolder folder;
    const Toy toy;
    const train::StepLoss good = toy.loss();
    train::LoopOptions options = toy_options(folder.path("run"));
    options.save_seconds = 0;
    std::vector<std::string> lines;
    const auto loses_its_folder = [&](int64_t step, int64_t micro) {
        if (step == 20)
            fs::remove_all(folder.path("run"));
        if (step == 40)
            fs::create_directories(folder.path("run"));
        return good(step, micro);
    };
    ck_assert(run(toy, options, loses_its_folder, &lines) == train::LoopEnd::done);
    ck_assert_int_eq(static_cast<int>(std::count_if(
                         lines.begin(), lines.end(),
                         [](const std::string &line) { return line.find("cannot be written") != std::string::npos; })),
                     1);
    const auto gone_for_good = [&](int64_t step, int64_t micro) {
        fs::remove_all(folder.path("gone"));
        return good(step, micro);
    };
    options.folder = folder.path("gone");
    const Toy other;
    expect_error([&] { run(other, options, gone_for_good); }, AIANIME_IO, "could not be written");
}

// Against the paper's formula in plain numbers.
AIANIME_TEST(adamw_is_adamw) {
    const std::vector<double> gradients = {0.5, -1.5, 0.25, 3, -0.125};
    const at::Tensor value = at::full({1, 1}, 2.0, at::kFloat).requires_grad_();
    train::AdamW optimizer({{"value", value}}, {0.9, 0.99, 0.1, 1e-8, 1.0});
    double expected = 2, m = 0, v = 0;
    for (size_t i = 0; i < gradients.size(); i++) {
        value.mutable_grad() = at::full({1, 1}, 2 * gradients[i], at::kFloat);
        const double norm = optimizer.step(0.01, 2);
        ck_assert(std::abs(norm - std::abs(gradients[i])) < 1e-6);
        const double clipped = std::max(-1.0, std::min(1.0, gradients[i]));
        m = 0.9 * m + 0.1 * clipped;
        v = 0.99 * v + 0.01 * clipped * clipped;
        const double steps = static_cast<double>(i + 1);
        expected -= 0.01 * 0.1 * expected;
        expected -= 0.01 * (m / (1 - std::pow(0.9, steps))) / (std::sqrt(v / (1 - std::pow(0.99, steps))) + 1e-8);
        ck_assert(std::abs(value.item<double>() - expected) < 1e-6);
    }
}

AIANIME_TEST(first_weights) {
    nn::Conv2d one(8, 16, 3), same(8, 16, 3), other(8, 16, 3);
    train::initialise(one, 1, at::kCPU);
    train::initialise(same, 1, at::kCPU);
    train::initialise(other, 2, at::kCPU, [](const std::string &name) { return name == "bias" ? 0.0 : 1.0; });
    const double bound = 1 / std::sqrt(72.0);
    ck_assert(one.weight.equal(same.weight) && !one.weight.equal(other.weight));
    ck_assert(one.weight.abs().max().item<double>() <= bound && one.weight.abs().max().item<double>() > 0.95 * bound);
    ck_assert(one.bias.abs().max().item<double>() > 0 && other.bias.abs().max().item<double>() == 0);
    nn::GroupNorm norm(4, 16, 1e-5);
    train::initialise(norm, 1, at::kCPU);
    ck_assert(norm.weight.eq(1).all().item<bool>() && norm.bias.eq(0).all().item<bool>());
    const train::Parameters some = train::trainable(one, "x.", [](const std::string &name) { return name == "weight"; });
    ck_assert(some.size() == 1 && some[0].first == "x.weight" && one.weight.requires_grad() && !one.bias.requires_grad());
}

int main() {
    return run_suite("train_loop", {learns, resumed_is_the_same_as_uninterrupted, other_options_are_refused,
                                    steps_that_are_not_finite, a_state_that_cannot_be_written, adamw_is_adamw, first_weights});
}
