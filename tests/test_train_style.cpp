// SPDX-License-Identifier: LGPL-2.1-or-later
// Styles: a LoRA from a folder of pictures, on a tiny base with random weights.
#include <opencv2/core.hpp>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "io/file.h"
#include "io/safetensors.h"
#include "nn/aten.h"
#include "nn/lora.h"
#include "nn/unet.h"
#include "nn/weights.h"
#include "support.h"
#include "support_networks.h"
#include "support_training.h"
#include "train/buckets.h"
#include "train/loss_curve.h"
#include "train/pack_writer.h"
#include "train/style.h"
#include "train/style_hint.h"
#include "train/style_loss.h"
#include "train/style_record.h"
#include "train/style_set.h"
#include "vision/png.h"

using namespace aianime;
namespace fs = std::filesystem;

namespace {

// A base with weights, the same every time.
void write_base(const std::string &folder) {
    const TempFolder shape;
    write_tiny_shape(shape.path());
    train::PackNetworks networks(shape.path(), 3, at::kCPU);
    for (nn::Module *module : {&networks.unet->module(), &networks.control->module()})
        module->visit([](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
            tensor = tensor.add(at::randn(tensor.sizes(), train::generator_for(train::text_hash(name), 1, 0), at::kFloat), 0.1);
        });
    networks.freeze();
    train::write_pack(networks, shape.path(), folder);
}

// Stripes of two colours.
void write_picture(const std::string &path, cv::Size size, int number) {
    cv::Mat picture(size, CV_8UC3);
    for (int y = 0; y < size.height; y++)
        for (int x = 0; x < size.width; x++)
            picture.at<cv::Vec3b>(y, x) = (x / 8 + y / 12 + number) % 2 ? cv::Vec3b(240, static_cast<uint8_t>(40 * number), 30)
                                                                        : cv::Vec3b(20, 200, static_cast<uint8_t>(60 * number));
    vision::save_png(path, picture);
}

// Four pictures of two shapes, two of them with captions.
void write_pictures(const std::string &folder) {
    fs::create_directories(folder);
    for (int i = 0; i < 4; i++)
        write_picture(folder + "/p" + std::to_string(i) + ".png", i % 2 ? cv::Size(48, 32) : cv::Size(32, 32), i);
    write_file(folder + "/p0.txt", "a red house\n");
    write_file(folder + "/p1.txt", "pop anime style");
}

struct Place {
    TempFolder folder;
    train::StyleOptions options;
    std::vector<std::string> lines;

    Place() {
        write_base(folder.path("base"));
        write_pictures(folder.path("pictures"));
        options.pictures = folder.path("pictures");
        options.base = folder.path("base");
        options.output = folder.path("style.safetensors");
        options.work = folder.path("work");
        options.shape = {4, 4, 4, 4};
        options.side = 48;
        options.steps = 12;
        options.rate = 1e-2;
        options.text_rate = 1e-2;
        options.sample_every = 0;
    }
    train::Report report(int64_t stop_after = -1) {
        train::Report report;
        report.line = [this](const std::string &line) { lines.push_back(line); };
        // Asked once for each picture that is encoded and once a step.
        auto asked = std::make_shared<int64_t>(0);
        report.stop_wanted = [stop_after, asked] { return stop_after >= 0 && (*asked)++ >= stop_after; };
        return report;
    }
    train::LoopEnd run(int64_t stop_after = -1) { return train::train_style(options, report(stop_after)); }
    bool told(const std::string &part) const {
        return std::any_of(lines.begin(), lines.end(),
                           [&](const std::string &line) { return line.find(part) != std::string::npos; });
    }
    std::string file(const std::string &name) const { return io::read_file(folder.path(name), 1 << 26); }
    std::vector<train::LossPoint> losses() const { return train::read_losses(options.work + "/style.loss.csv", 1 << 30); }
};

double mean_loss(const std::vector<train::LossPoint> &points, size_t from, size_t end) {
    double sum = 0;
    for (size_t i = from; i < end; i++)
        sum += points[i].loss;
    return sum / static_cast<double>(end - from);
}

} // namespace

AIANIME_TEST(buckets) {
    const struct {
        cv::Size picture;
        int side, step;
        cv::Size bucket;
    } table[] = {
        {{512, 512}, 512, 64, {512, 512}},   {{2000, 2000}, 512, 64, {512, 512}},  {{1920, 1080}, 512, 64, {640, 384}},
        {{1080, 1920}, 512, 64, {384, 640}}, {{4000, 1000}, 512, 64, {1024, 256}}, {{9000, 100}, 512, 64, {1024, 64}},
        {{640, 480}, 512, 64, {576, 448}},   {{300, 300}, 512, 64, {256, 256}},    {{130, 70}, 512, 64, {128, 64}},
        {{64, 64}, 512, 64, {64, 64}},       {{63, 500}, 512, 64, {0, 0}},         {{1920, 1080}, 256, 16, {336, 192}},
    };
    for (const auto &row : table) {
        const cv::Size found = train::choose_bucket(row.picture, row.side, row.step);
        ck_assert_msg(found == row.bucket, "%dx%d: %dx%d instead of %dx%d", row.picture.width, row.picture.height, found.width,
                      found.height, row.bucket.width, row.bucket.height);
    }
    // The middle, unscaled where it is as large as the bucket.
    cv::Mat wide(64, 128, CV_8UC3, cv::Scalar(1, 2, 3));
    wide.colRange(32, 96).setTo(cv::Scalar(9, 9, 9));
    const cv::Mat middle = train::fit_bucket(wide, {64, 64});
    ck_assert(middle.size() == cv::Size(64, 64));
    ck_assert_double_eq(cv::norm(middle, cv::Mat(64, 64, CV_8UC3, cv::Scalar(9, 9, 9)), cv::NORM_INF), 0);
    for (const cv::Size size : {cv::Size(101, 77), cv::Size(77, 1001), cv::Size(64, 65)})
        ck_assert(train::fit_bucket(cv::Mat(size, CV_8UC3, cv::Scalar::all(7)), {64, 32}).size() == cv::Size(64, 32));
}

AIANIME_TEST(every_picture_once_a_round) {
    const TempFolder folder;
    write_base(folder.path("base"));
    fs::create_directories(folder.path("pictures"));
    for (int i = 0; i < 5; i++)
        write_picture(folder.path("pictures/" + std::to_string(i) + ".png"), i < 3 ? cv::Size(32, 32) : cv::Size(48, 32), i);
    train::StyleSetOptions options;
    options.pictures = folder.path("pictures");
    options.kept = folder.path("latents");
    options.trigger = "words";
    options.side = 48;
    options.step = 16;
    options.batch = 2;
    options.empty_prompts = 0;
    options.flip = true;
    train::StyleSet set(options, {});
    const auto vae = nn::Autoencoder::create(io::Json::load(folder.path("base/vae/config.json")));
    nn::load(vae->module(), nn::WeightSource::from_folder(folder.path("base/vae")), at::kFloat, at::kCPU);
    ck_assert(set.encode(*vae, at::kCPU, {}));
    ck_assert_int_eq(set.batches(), 3); // 2 and 1 of one shape, 2 of the other

    const auto number_of = [](const at::Tensor &latent) { return latent.sum(at::kDouble).item<double>(); };
    std::set<double> seen[2];
    std::vector<double> order[2];
    for (int64_t place = 0; place < 120; place++) {
        const train::StyleBatch batch = set.batch(place);
        ck_assert(at::equal(batch.latents, set.batch(place).latents));
        ck_assert_uint_eq(static_cast<size_t>(batch.latents.size(0)), batch.prompts.size());
        ck_assert_str_eq(batch.prompts[0].c_str(), "words");
        for (int64_t i = 0; i < batch.latents.size(0); i++) {
            seen[place / 3 % 2].insert(number_of(batch.latents[i]));
            if (place < 6)
                order[place / 3].push_back(number_of(batch.latents[i]));
        }
    }
    ck_assert_uint_eq(order[0].size(), 5);
    ck_assert_uint_eq(order[1].size(), 5);
    ck_assert(order[0] != order[1]);
    ck_assert_uint_eq(seen[0].size(), 10); // mirrored ones too
    ck_assert(seen[0] == seen[1]);

    // Kept: nothing is encoded again, and a damaged file is told.
    const auto time = [&] {
        std::map<std::string, fs::file_time_type> times;
        for (const auto &entry : fs::directory_iterator(options.kept))
            times[entry.path().string()] = entry.last_write_time();
        return times;
    };
    const auto before = time();
    ck_assert_uint_eq(before.size(), 5);
    train::StyleSet again(options, {});
    ck_assert(again.encode(*vae, at::kCPU, {}));
    ck_assert(time() == before);
    ck_assert_uint_eq(again.fingerprint(), set.fingerprint());
    for (const auto &entry : before)
        write_file(entry.first, "rubbish");
    expect_error([&] { again.batch(0); }, AIANIME_BAD_DATA, "latents/");
}

AIANIME_TEST(targets_and_weights) {
    using diffusion::Prediction;
    const at::Tensor snr = at::tensor({0.0f, 0.5f, 5.0f, 100.0f});
    const auto weights = [&](double gamma, Prediction prediction) { return train::min_snr_weights(snr, gamma, prediction); };
    expect_close(weights(0, Prediction::v), at::ones({4}), 1e-6, "plain");
    expect_close(weights(5, Prediction::epsilon), at::tensor({0.0f, 1.0f, 1.0f, 0.05f}), 1e-6, "epsilon");
    expect_close(weights(5, Prediction::v), at::tensor({0.0f, 0.5f / 1.5f, 5.0f / 6, 5.0f / 101}), 1e-6, "v");
    expect_close(weights(5, Prediction::sample), at::tensor({0.0f, 0.5f, 5.0f, 5.0f}), 1e-6, "sample");
    const at::Tensor clean = at::full({1}, 3.0f), noise = at::full({1}, 2.0f), signal = at::full({1}, 0.8f),
                     spread = at::full({1}, 0.6f);
    const auto target = [&](Prediction prediction) {
        return train::prediction_target(prediction, clean, noise, signal, spread).item<float>();
    };
    ck_assert_float_eq_tol(target(Prediction::epsilon), 2, 1e-6f);
    ck_assert_float_eq_tol(target(Prediction::v), 0.8f * 2 - 0.6f * 3, 1e-6f);
    ck_assert_float_eq_tol(target(Prediction::sample), 3, 1e-6f);
}

AIANIME_TEST(loss_falls_and_the_file_loads) {
    Place place;
    place.options.steps = 100;
    place.options.batch = 2;
    place.options.rate = 3e-2;
    place.options.shape = {8, 8, 8, 8};
    place.options.text_encoder = true;
    place.options.trigger = "striped";
    ck_assert(place.run() == train::LoopEnd::done);
    const std::vector<train::LossPoint> points = place.losses();
    ck_assert_uint_eq(points.size(), 100);
    const double first = mean_loss(points, 0, 15), last = mean_loss(points, 85, 100);
    ck_assert_msg(last < 0.85 * first, "the loss went from %g to %g", first, last);
    ck_assert(place.told("4 pictures (2 of 32x32, 2 of 48x32), 2 with captions"));
    ck_assert(fs::exists(place.options.work + "/style.loss.png"));

    nn::UNet unet(nn::UNetConfig::from_json(io::Json::load(place.options.base + "/unet/config.json")));
    nn::ClipText text(io::Json::load(place.options.base + "/text_encoder/config.json"));
    const nn::LoraStack stack({{place.options.output, 1, 1, false}}, unet.module(), &text.module());
    ck_assert_uint_eq(stack.reports()[0].unmatched.size(), 0);
    ck_assert_int_eq(stack.reports()[0].text, 6);
    const auto metadata = io::SafetensorsFile(place.options.output).metadata();
    ck_assert_str_eq(metadata.at("ss_network_dim").c_str(), "8");
    ck_assert_str_eq(metadata.at("modelspec.title").c_str(), "style");
    ck_assert_str_eq(metadata.at("modelspec.trigger_phrase").c_str(), "striped");
    ck_assert_str_eq(metadata.at("modelspec.prediction_type").c_str(), "v");
}

// Stopped while encoding, in the first step and later: the same curve and the same file as in one go.
AIANIME_TEST(stopping_changes_nothing) {
    Place whole, parts;
    for (Place *place : {&whole, &parts}) {
        place->options.accumulate = 2;
        place->options.flip = true;
        place->options.noise_offset = 0.1;
        place->options.min_snr = 5;
        place->options.checkpoint_every = 4;
    }
    ck_assert(whole.run() == train::LoopEnd::done);
    ck_assert(parts.run(2) == train::LoopEnd::stopped); // two of four pictures
    ck_assert(!fs::exists(parts.options.output));
    ck_assert(parts.run(2) == train::LoopEnd::stopped); // before the first step
    ck_assert(parts.run(5) == train::LoopEnd::stopped);
    ck_assert(parts.run(1) == train::LoopEnd::stopped);
    ck_assert_uint_lt(parts.losses().size(), 12);
    ck_assert_uint_gt(parts.losses().size(), 3);
    ck_assert(parts.run() == train::LoopEnd::done);
    ck_assert(whole.file("work/style.loss.csv") == parts.file("work/style.loss.csv"));
    ck_assert(whole.file("style.safetensors") == parts.file("style.safetensors"));
    ck_assert(whole.file("work/style-000008.safetensors") == parts.file("work/style-000008.safetensors"));
    ck_assert(!fs::exists(whole.options.work + "/style-000012.safetensors"));
    // Done: the same command writes the file again.
    fs::remove(whole.options.output);
    ck_assert(whole.run() == train::LoopEnd::done);
    ck_assert(whole.file("style.safetensors") == parts.file("style.safetensors"));
}

AIANIME_TEST(seeds_change_the_result) {
    Place one, two;
    two.options.seed = 2;
    for (Place *place : {&one, &two}) {
        place->options.steps = 2;
        ck_assert(place->run() == train::LoopEnd::done);
    }
    ck_assert(one.file("work/style.loss.csv") != two.file("work/style.loss.csv"));
}

AIANIME_TEST(sources_are_shown) {
    Place without, with;
    fs::create_directories(with.folder.path("sources"));
    for (int i = 0; i < 4; i++) // of another size, but the same shape
        write_picture(with.folder.path("sources/p" + std::to_string(i) + ".png"), i % 2 ? cv::Size(96, 64) : cv::Size(64, 64),
                      7 - i);
    with.options.sources = with.folder.path("sources");
    for (Place *place : {&without, &with}) {
        place->options.sample_every = 2;
        place->options.steps = 2;
        place->options.samples = 3;
        place->options.bf16 = place == &with;
        ck_assert(place->run() == train::LoopEnd::done);
        ck_assert_int_gt(vision::load_png(place->options.work + "/style.sample-000002.png").cols, 3 * 48);
    }
    ck_assert(without.told("no --sources: the base's control network is shown the pictures themselves"));
    ck_assert(!with.told("no --sources"));
    ck_assert(std::abs(with.losses()[0].loss - without.losses()[0].loss) > 1e-4);
}

// A hint has the picture's shapes, but neither its lines nor its colours, and is another one every time.
AIANIME_TEST(hints) {
    cv::Mat picture(64, 96, CV_8UC3, cv::Scalar(220, 60, 40));
    picture.colRange(48, 96).setTo(cv::Scalar(40, 220, 60));
    picture.rowRange(20, 22).setTo(cv::Scalar(0, 0, 0));
    std::set<int> greens;
    for (uint64_t seed = 0; seed < 8; seed++) {
        train::Draw draw(seed), same(seed);
        const cv::Mat hint = train::style_hint(picture, draw);
        ck_assert_int_eq(hint.type(), CV_8UC3);
        ck_assert(hint.size() == picture.size());
        ck_assert_double_eq(cv::norm(hint, train::style_hint(picture, same), cv::NORM_INF), 0);
        const cv::Scalar line = cv::mean(hint(cv::Rect(4, 20, 36, 2))), above = cv::mean(hint(cv::Rect(4, 14, 36, 2))),
                         right = cv::mean(hint(cv::Rect(52, 14, 36, 2)));
        ck_assert_msg(cv::norm(line - above) < 12, "seed %d: a line is left", static_cast<int>(seed));
        ck_assert_msg(cv::norm(right - above) > 25, "seed %d: an edge is lost", static_cast<int>(seed));
        greens.insert(static_cast<int>(above[1]));
    }
    ck_assert_uint_gt(greens.size(), 6);
}

AIANIME_TEST(own_hints_are_new_every_time) {
    const TempFolder folder;
    write_base(folder.path("base"));
    fs::create_directories(folder.path("pictures"));
    write_picture(folder.path("pictures/a.png"), {48, 32}, 1);
    train::StyleSetOptions options;
    options.pictures = folder.path("pictures");
    options.kept = folder.path("latents");
    options.side = 48;
    options.step = 16;
    options.own_hints = true;
    train::StyleSet set(options, {});
    const auto vae = nn::Autoencoder::create(io::Json::load(folder.path("base/vae/config.json")));
    nn::load(vae->module(), nn::WeightSource::from_folder(folder.path("base/vae")), at::kFloat, at::kCPU);
    ck_assert(set.encode(*vae, at::kCPU, {}));
    const at::Tensor first = set.batch(0).sources, second = set.batch(1).sources;
    ck_assert(first.sizes() == at::IntArrayRef({1, 3, 32, 48}));
    ck_assert(at::equal(first, set.batch(0).sources));
    ck_assert_double_gt((first - second).abs().mean().item<double>(), 0.02);
    ck_assert(set.source(0).size() == cv::Size(48, 32));
    // Latents of a run without hints are others.
    options.own_hints = false;
    train::StyleSet plain(options, {});
    ck_assert(plain.encode(*vae, at::kCPU, {}));
    ck_assert(!plain.batch(0).sources.defined());
    ck_assert(plain.source(0).empty());
    ck_assert_uint_ne(plain.fingerprint(), set.fingerprint());
}

AIANIME_TEST(timesteps) {
    const train::Diffusion diffusion{diffusion::SchedulerConfig{}};
    const std::vector<int64_t> few = diffusion.trailing(4);
    const auto share = [&](int64_t steps, diffusion::Prediction prediction, bool last_only) {
        const at::Tensor drawn = train::draw_style_timesteps(diffusion, 4000, steps, prediction, train::generator_for(1, 2, 3));
        int64_t found = 0;
        for (int64_t i = 0; i < 4000; i++) {
            const auto time = drawn[i].item<int64_t>();
            ck_assert(time >= 0 && time < diffusion.size());
            found += last_only ? time == diffusion.size() - 1 : std::find(few.begin(), few.end(), time) != few.end();
        }
        return static_cast<double>(found) / 4000;
    };
    ck_assert_double_lt(share(0, diffusion::Prediction::v, false), 0.02);
    ck_assert_double_eq_tol(share(4, diffusion::Prediction::epsilon, false), 0.5, 0.04);
    ck_assert_double_eq_tol(share(4, diffusion::Prediction::v, false), 0.75, 0.04);
    ck_assert_double_eq_tol(share(4, diffusion::Prediction::v, true), 0.5625, 0.04);
}

// The text encoder has its own rate.
AIANIME_TEST(rates) {
    const auto moved = [](const std::string &path, const std::string &start) {
        const nn::WeightSource source = nn::WeightSource::from_file(path);
        double sum = 0;
        for (const std::string &name : source.names())
            if (name.rfind(start, 0) == 0 && name.find("lora_up") != std::string::npos)
                sum = std::max(sum, source.tensor(name, at::kFloat, at::kCPU).abs().max().item<double>());
        return sum;
    };
    Place place;
    place.options.text_encoder = true;
    place.options.empty_prompts = 0;
    place.options.trigger = "striped";
    place.options.steps = 3;
    place.options.text_rate = 1e-5;
    ck_assert(place.run() == train::LoopEnd::done);
    ck_assert_double_gt(moved(place.options.output, "lora_unet_"), 3e-3);
    ck_assert_double_gt(moved(place.options.output, "lora_te_"), 3e-6);
    ck_assert_double_lt(moved(place.options.output, "lora_te_"), 1e-4);
}

AIANIME_TEST(bad_input) {
    Place place;
    place.options.steps = 2;
    const auto refused = [&](train::StyleOptions options, aianime_result code, const char *part) {
        expect_error([&] { train::train_style(options, place.report()); }, code, part);
        ck_assert(!fs::exists(options.output));
    };
    train::StyleOptions options = place.options;
    options.output = place.folder.path("none/style.safetensors");
    refused(options, AIANIME_NOT_FOUND, "none/style.safetensors");
    options = place.options;
    options.pictures = place.folder.path("none");
    refused(options, AIANIME_NOT_FOUND, "no such folder");
    options.pictures = place.folder.path("empty");
    fs::create_directories(options.pictures);
    refused(options, AIANIME_BAD_DATA, "no pictures in it");
    write_picture(options.pictures + "/tiny.png", {15, 40}, 1);
    refused(options, AIANIME_BAD_DATA, "every picture is smaller than 16x16");
    options = place.options;
    options.base = place.folder.path("pictures");
    refused(options, AIANIME_BAD_DATA, "pictures");
    options = place.options;
    options.bucket_step = 24;
    refused(options, AIANIME_OUT_OF_RANGE, "--bucket-step: 24");
    options = place.options;
    options.clip_skip = 2;
    refused(options, AIANIME_OUT_OF_RANGE, "clip_skip");

    options = place.options;
    options.sources = place.folder.path("sources");
    fs::create_directories(options.sources);
    for (int i = 0; i < 3; i++)
        write_picture(options.sources + "/p" + std::to_string(i) + ".png", {32, 32}, i);
    refused(options, AIANIME_BAD_DATA, "p1.png: 32x32 is another shape");
    fs::remove(options.sources + "/p1.png");
    refused(options, AIANIME_NOT_FOUND, "no picture \"p1\"");
    fs::remove(place.options.base + "/pack.json"); // a plain diffusers folder has no controls
    refused(options, AIANIME_INVALID, "--sources");
}

AIANIME_TEST(other_options_do_not_go_on) {
    Place place;
    place.options.steps = 2;
    ck_assert(place.run() == train::LoopEnd::done);
    const auto refused = [&](const train::StyleOptions &options, const char *part) {
        expect_error([&] { train::train_style(options, place.report()); }, AIANIME_INVALID, part);
    };
    train::StyleOptions options = place.options;
    options.shape.rank = 2;
    refused(options, "another --rank (4, now 2)");
    options = place.options;
    options.trigger = "new";
    refused(options, "another pictures and captions");
    options = place.options;
    options.text_encoder = true;
    refused(options, "another --text-encoder (0, now 1)");
    options = place.options;
    options.rate = 1e-3;
    refused(options, "rate");
    // More steps are no other run.
    options = place.options;
    options.steps = 3;
    ck_assert(train::train_style(options, place.report()) == train::LoopEnd::done);
    ck_assert_uint_eq(place.losses().size(), 3);
}

AIANIME_TEST(records) {
    const TempFolder folder;
    const std::string path = folder.path("options.txt");
    train::StyleRecord record, other;
    record.add("--conv-rank", 4);
    record.add("--rank", 8);
    other.add("--conv-rank", 8);
    other.add("--rank", 8);
    record.check_or_write(path, false);
    record.check_or_write(path, true);
    expect_error([&] { other.check_or_write(path, true); }, AIANIME_INVALID, "--conv-rank (4, now 8)");
    other.check_or_write(path, false); // nothing was trained yet
    other.check_or_write(path, true);
}

int main() {
    return run_suite("train_style",
                     {buckets, every_picture_once_a_round, targets_and_weights, loss_falls_and_the_file_loads,
                      stopping_changes_nothing, seeds_change_the_result, sources_are_shown, hints, own_hints_are_new_every_time,
                      timesteps, rates, bad_input, other_options_do_not_go_on, records},
                     300);
}
