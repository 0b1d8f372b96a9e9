// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ATen/core/grad_mode.h>

#include "io/pack.h"
#include "nn/aten.h"
#include "pipeline/models.h"
#include "support.h"
#include "support_networks.h"
#include "support_training.h"
#include "train/few_steps.h"
#include "train/loop.h"
#include "train/offset_noise.h"
#include "train/pack_losses.h"
#include "train/pack_samples.h"
#include "train/pack_writer.h"

using namespace aianime;

namespace {

using Loss = std::function<at::Tensor()>;

// The tensors of a module and its input in double precision, where differences are exact enough to check gradients with.
train::Parameters in_double(const train::Parameters &parameters, nn::Module &module) {
    train::Parameters doubles;
    module.visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        tensor = tensor.detach().to(at::kDouble).requires_grad_();
        doubles.emplace_back(name, tensor);
    });
    ck_assert_int_eq(static_cast<int>(doubles.size()), static_cast<int>(parameters.size()));
    return doubles;
}

// The derivative along a random direction of every tensor against a central difference.
// `kinks`: of what rectifiers, which have no derivative at zero, may make the two differ.
void check_gradients(const train::Parameters &parameters, const Loss &loss, double kinks = 1e-4) {
    for (const auto &entry : parameters)
        entry.second.mutable_grad().reset();
    loss().backward();
    const double step = 1e-5;
    int64_t reached = 0;
    for (const auto &[name, tensor] : parameters) {
        const at::NoGradGuard no_gradient;
        at::Tensor value = tensor;
        const at::Tensor way = at::randn(value.sizes(), train::generator_for(train::text_hash(name), 0, 0), at::kDouble);
        const double expected = value.grad().defined() ? value.grad().mul(way).sum().item<double>() : 0;
        value.add_(way, step);
        const double above = loss().item<double>();
        value.sub_(way, 2 * step);
        const double below = loss().item<double>();
        value.add_(way, step);
        const double found = (above - below) / (2 * step);
        if (std::abs(found - expected) > kinks * std::max(0.01, std::abs(expected)))
            ck_abort_msg("%s: gradient %g, difference %g", name.c_str(), expected, found);
        reached += expected != 0;
    }
    ck_assert(reached > static_cast<int64_t>(parameters.size()) * 9 / 10);
}

// Nothing begins at zero, or half of the gradients would be zero too.
void stir(nn::Module &module) {
    module.visit([](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        tensor = tensor.add(at::randn(tensor.sizes(), train::generator_for(train::text_hash(name), 1, 0), at::kFloat), 0.1);
    });
}

} // namespace

// All that the filter computes in place, in other memory layouts or fused has to let gradients through.
AIANIME_TEST(gradients_of_the_denoiser) {
    const TempFolder folder;
    write_tiny_shape(folder.path());
    train::PackNetworks networks(folder.path(), 3, at::kCPU);
    stir(networks.unet->module());
    stir(networks.control->module());
    const at::Tensor x = at::randn({2, 4, 8, 8}, train::generator_for(1, 0, 0), at::kDouble),
                     times = at::tensor({700.0, 20.0}, at::kDouble);
    const at::Tensor source = at::rand({2, 3, 32, 32}, train::generator_for(2, 0, 0), at::kDouble);
    const std::vector<std::string> prompts = {"pop anime style", "a red car"};
    in_double(train::trainable(networks.text->module(), ""), networks.text->module());
    const train::Parameters control = in_double(train::trainable(networks.control->module(), ""), networks.control->module());
    const train::Parameters unet = in_double(train::trainable(networks.unet->module(), ""), networks.unet->module());
    const Loss loss = [&] {
        return networks.velocity(x, times, networks.encode_text(prompts), networks.control->embed_hint(source)).square().mean();
    };
    check_gradients(unet, loss);
    check_gradients(control, loss);
}

AIANIME_TEST(gradients_of_the_autoencoder) {
    const TempFolder folder;
    write_tiny_shape(folder.path());
    train::PackNetworks networks(folder.path(), 3, at::kCPU);
    const at::Tensor picture = at::rand({1, 3, 16, 16}, train::generator_for(2, 0, 0), at::kDouble) * 2 - 1;
    const train::Parameters parameters = in_double(networks.train_autoencoder(), networks.vae->module());
    check_gradients(
        parameters, [&] { return networks.vae->decode(networks.vae->encode(picture)).square().mean(); }, 2e-3);
}

// One time step for each picture gives what pictures of a batch of their own get.
AIANIME_TEST(time_steps_of_their_own) {
    const at::NoGradGuard no_gradient;
    const TempFolder folder;
    write_tiny_shape(folder.path());
    train::PackNetworks networks(folder.path(), 3, at::kCPU);
    stir(networks.unet->module());
    stir(networks.control->module());
    networks.freeze();
    const train::Batch batch = random_batch(3, 32, 1);
    const at::Tensor x = at::randn({3, 4, 8, 8}, train::generator_for(1, 0, 0), at::kFloat),
                     times = at::tensor({999.0f, 249.0f, 3.0f});
    const at::Tensor text = networks.encode_text(batch.prompts), hint = networks.control->embed_hint(batch.source);
    const at::Tensor together = networks.velocity(x, times, text, hint);
    for (int64_t i = 0; i < 3; i++) {
        const auto one = [i](const at::Tensor &all) { return all.slice(0, i, i + 1); };
        expect_close(networks.velocity(one(x), one(times), one(text), one(hint)), one(together), 1e-5, "alone");
    }
    ck_assert(relative_error(networks.velocity(x, times.flip(0), text, hint), together) > 1e-3);
}

// v-prediction and deterministic steps: with the true velocity every chain of steps ends at the clean latents.
AIANIME_TEST(steps_lead_to_clean_latents) {
    const train::Diffusion diffusion{diffusion::SchedulerConfig()};
    const at::Tensor clean = at::randn({2, 4, 8, 8}, train::generator_for(1, 0, 0), at::kFloat);
    const at::Tensor noise = at::randn({2, 4, 8, 8}, train::generator_for(2, 0, 0), at::kFloat);
    const std::vector<int64_t> steps = diffusion.trailing(4);
    ck_assert(steps == std::vector<int64_t>({999, 749, 499, 249}));
    const auto at_step = [](int64_t t) { return at::tensor({t}, at::kLong); };
    at::Tensor x = diffusion.signal(at_step(999)) * clean + diffusion.noise(at_step(999)) * noise;
    for (size_t i = 0; i < steps.size(); i++) {
        const at::Tensor v = diffusion.signal(at_step(steps[i])) * noise - diffusion.noise(at_step(steps[i])) * clean;
        x = train::ddim_step(diffusion, x, v, steps[i], i + 1 < steps.size() ? steps[i + 1] : -1);
    }
    expect_close(x, clean, 1e-4, "clean latents");
}

// A network that names the clean latents is one that names the velocity that leads there, and its loss counts the latents.
AIANIME_TEST(named_latents_are_velocities) {
    diffusion::SchedulerConfig config;
    const train::Diffusion of_velocities(config);
    config.prediction = diffusion::Prediction::sample;
    const train::Diffusion of_latents(config);
    const auto draw = [](uint64_t seed) { return at::randn({4, 4, 8, 8}, train::generator_for(seed, 0, 0), at::kFloat); };
    const at::Tensor clean = draw(1), noise = draw(2), times = at::tensor({999, 749, 249, 0}, at::kLong);
    const at::Tensor signal = of_latents.signal(times), spread = of_latents.noise(times);
    const at::Tensor x = signal * clean + spread * noise, v = signal * noise - spread * clean;
    expect_close(of_latents.velocity(clean, x, times.to(at::kFloat)), v, 1e-4, "v of clean latents");
    expect_close(of_velocities.velocity(v, x, times), v, 1e-7, "v as it is");
    const at::Tensor named = clean + 0.1 * draw(3);
    expect_close(of_latents.error(of_latents.velocity(named, x, times) - v, times).square(), (named - clean).square(), 1e-3,
                 "error");
    expect_close(of_velocities.error(v, times), v, 1e-7, "error of v");
}

AIANIME_TEST(losses_fall) {
    const TempFolder folder;
    write_tiny_shape(folder.path());
    train::PackNetworks networks(folder.path(), 3, at::kCPU);
    const train::Diffusion diffusion(networks.scheduler);
    train::Batch batch = random_batch(4, 32, 1);
    batch.target =
        at::upsample_bilinear2d(at::rand({4, 3, 2, 2}, train::generator_for(9, 0, 0), at::kFloat) * 2 - 1, {32, 32}, false);
    const auto falls = [](const char *what, const train::Parameters &parameters, const std::function<at::Tensor(int64_t)> &loss,
                          double factor) {
        const TempFolder run;
        train::LoopOptions options;
        options.title = "run";
        options.folder = run.path();
        options.steps = 80;
        options.learning_rate = 4e-3;
        options.warmup = 5;
        double first = 0, last = 0;
        train::run_loop(parameters, options,
                        [&](int64_t step, int64_t) {
                            const at::Tensor value = loss(step);
                            if (step < 10)
                                first += value.item<double>();
                            if (step >= 70)
                                last += value.item<double>();
                            return value;
                        },
                        nullptr, {});
        if (!(last < factor * first))
            ck_abort_msg("%s: the loss went from %g to %g", what, first / 10, last / 10);
    };
    falls(
        "autoencoder", networks.train_autoencoder(),
        [&](int64_t step) { return train::autoencoder_loss(networks, batch, train::generator_for(1, step, 0)); }, 0.7);
    falls(
        "denoiser", networks.train_denoiser(),
        [&](int64_t step) { return train::denoiser_loss(networks, diffusion, batch, 4, 0.5, 0, train::generator_for(1, step, 0)); },
        0.8);
    // The picture's share comes on top of the same draws.
    const auto weighed = [&](double weight) {
        return train::denoiser_loss(networks, diffusion, batch, 4, 0.5, weight, train::generator_for(1, 0, 0)).item<double>();
    };
    ck_assert(weighed(1) > weighed(0));
    ck_assert_double_eq_tol(weighed(2) - weighed(1), weighed(1) - weighed(0), 1e-4);
    batch.undetermined[1].fill_(true);
    falls(
        "few steps", networks.train_few_steps(),
        [&](int64_t step) {
            return train::few_steps_loss(networks, diffusion, batch, {4, 0.5}, train::generator_for(1, step % 4, 0));
        },
        0.9);
}

// Over all hues the offset is a standard normal one; of a hue it points there; pictures without are left alone.
AIANIME_TEST(offsets_of_noise_tell_open_hues) {
    constexpr int64_t n = 6000;
    const at::Tensor hues = at::stack({at::arange(n).remainder(6) * 60 + 28, at::full({n}, -1)}, 1).to(at::kFloat);
    const at::Tensor noise = train::offset_noise({n, 5, 8, 8}, 0.5, hues, train::generator_for(1, 0, 0));
    const at::Tensor means = noise.mean({2, 3});
    const double grain = 1.0 / 64, expected = 0.25 + grain;
    expect_close(means.square().mean({0}), at::full({5}, expected), 0.05, "spread of every channel");
    ck_assert_double_lt(means.mean({0}).abs().max().item<double>(), 0.03);
    const at::Tensor radians = hues.select(1, 0) * (3.14159265358979 / 180);
    const at::Tensor along = means.select(1, 0) * radians.cos() + means.select(1, 1) * radians.sin(),
                     across = means.select(1, 1) * radians.cos() - means.select(1, 0) * radians.sin();
    ck_assert_double_gt((along > across.abs()).to(at::kFloat).mean().item<double>(), 0.9);
    ck_assert_double_lt((means.select(1, 2) * radians.cos()).mean().abs().item<double>(), 0.02);
    expect_close(train::offset_noise({2, 5, 8, 8}, 0, hues.slice(0, 0, 2), train::generator_for(2, 0, 0)),
                 at::randn({2, 5, 8, 8}, train::generator_for(2, 0, 0), at::kFloat), 1e-7, "no offset");
}

// What is written loads as every other pack does and computes the same.
AIANIME_TEST(written_packs_load) {
    const TempFolder shape, pack;
    write_tiny_shape(shape.path());
    train::PackNetworks networks(shape.path(), 3, at::kCPU);
    stir(networks.unet->module());
    networks.latent_scale = 1.25;
    networks.freeze();
    train::write_pack(networks, shape.path(), pack.path());
    const io::Pack written = io::load_pack(pack.path());
    io::require_hashes(written);
    ck_assert_str_eq(written.name.c_str(), "tiny");
    ck_assert_int_eq(static_cast<int>(written.controls.size()), 1);

    const c10::InferenceMode inference;
    const auto vae = nn::Autoencoder::create(io::Json::load(pack.path("vae/config.json")));
    nn::load(vae->module(), nn::WeightSource::from_folder(pack.path("vae")), at::kFloat, at::kCPU);
    const at::Tensor picture = random_batch(1, 32, 1).target;
    expect_close(vae->encode(picture), networks.encode(picture), 0.02, "latents");
    expect_close(vae->decode(vae->encode(picture)), networks.decode(networks.encode(picture)), 0.02, "pictures");

    train::PackNetworks other(shape.path(), 4, at::kCPU);
    ck_assert(relative_error(other.encode_text({"pop"}), networks.encode_text({"pop"})) > 0.1);
    other.load(pack.path());
    expect_close(other.encode_text({"pop"}), networks.encode_text({"pop"}), 0.02, "words");
    expect_close(other.vae->encode(picture), networks.vae->encode(picture), 0.02, "latents of a pack that goes on");
}

int main() {
    return run_suite("train_pack",
                     {gradients_of_the_denoiser, gradients_of_the_autoencoder, time_steps_of_their_own, steps_lead_to_clean_latents,
                      named_latents_are_velocities, losses_fall, offsets_of_noise_tell_open_hues, written_packs_load});
}
