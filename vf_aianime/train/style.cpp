// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/style.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "nn/aten.h"
#include "pipeline/settings.h"
#include "train/random.h"
#include "train/sheet.h"
#include "train/style_loss.h"
#include "train/style_record.h"

namespace aianime::train {

namespace fs = std::filesystem;

namespace {

constexpr int most_few_steps = 8; // a base whose own default is no more is made for few
constexpr int sheet_columns = 4;

std::string numbered(int64_t step) {
    char text[24];
    std::snprintf(text, sizeof text, "%06lld", static_cast<long long>(step));
    return text;
}

class StyleRun {
public:
    StyleRun(const StyleOptions &options, const Report &report)
        : options_(options), report_(report), settings_(settings_of(options)), models_(settings_, at::kFloat, options.device) {
        for (const std::string &warning : models_.warnings())
            report_.say(warning);
        complete_options();
        lora_.add(models_.unet().module(), LoraPart::unet, options_.shape, mix(options_.seed, 1));
        if (options_.text_encoder)
            lora_.add(models_.text_encoder().module(), LoraPart::text, text_shape(), mix(options_.seed, 2));
        freeze_rest();
        set_ = std::make_unique<StyleSet>(set_options(), report_);
        networks_ = std::make_unique<StyleNetworks>(models_, lora_,
                                                    StyleLossOptions{options_.min_snr, options_.noise_offset, options_.few_steps,
                                                                     options_.clip_skip, options_.text_encoder});
        describe();
    }

    LoopEnd run() {
        record().check_or_write(options_.work + "/style.options.txt", fs::exists(options_.work + "/style.state.safetensors"));
        if (!set_->encode(models_.vae(), options_.device, report_))
            return report_.say("style: stopped, the same command goes on"), LoopEnd::stopped;
        const LoopEnd end = run_loop(
            lora_.parameters(), loop_options(),
            [this](int64_t step, int64_t micro) {
                return networks_->loss(set_->batch(step * options_.accumulate + micro),
                                       generator_for(mix(options_.seed, 3), step, micro));
            },
            [this](int64_t step) { show(step); }, report_);
        if (end == LoopEnd::done) {
            lora_.write(options_.output, options_.stored, metadata());
            report_.say(options_.output + ": written");
        }
        return end;
    }

private:
    static pipeline::Settings settings_of(const StyleOptions &options) {
        pipeline::Settings settings = pipeline::settings_of_base(options.base);
        settings.style.prediction = options.prediction;
        settings.strength = 0.5; // keeps the autoencoder's encoder
        if (!options.sources.empty() && settings.controls.empty())
            throw Error(AIANIME_INVALID,
                        "--sources: " + options.base + " has no control network that could be shown them; leave --sources out");
        return settings;
    }

    void complete_options() {
        const int stride = models_.stride();
        options_.side = options_.side ? options_.side : settings_.size;
        options_.bucket_step = options_.bucket_step ? options_.bucket_step : stride;
        if (options_.bucket_step % stride)
            throw Error(AIANIME_OUT_OF_RANGE, "--bucket-step: " + std::to_string(options_.bucket_step) + " is not a multiple of " +
                                                  std::to_string(stride) + ", the stride of " + options_.base);
        if (options_.side < options_.bucket_step)
            throw Error(AIANIME_OUT_OF_RANGE, "--size: " + std::to_string(options_.side) + " is less than the buckets' step, " +
                                                  std::to_string(options_.bucket_step));
        if (options_.few_steps < 0)
            options_.few_steps = settings_.steps <= most_few_steps ? settings_.steps : 0;
        if (options_.noise_offset < 0)
            options_.noise_offset = settings_.noise_offset;
        if (options_.warmup < 0)
            options_.warmup = std::min<int64_t>(100, options_.steps / 20);
        models_.text_encoder().check_clip_skip(options_.clip_skip);
    }

    LoraShape text_shape() const { return {options_.shape.rank, options_.shape.alpha, 0, 0}; }

    void freeze_rest() {
        const auto none = [](const std::string &) { return false; };
        trainable(models_.vae().module(), "", none);
        if (!options_.text_encoder)
            trainable(models_.text_encoder().module(), "", none);
        for (const pipeline::Models::Control &control : models_.controls())
            trainable(control.net->module(), "", none);
    }

    StyleSetOptions set_options() const {
        StyleSetOptions set;
        set.pictures = options_.pictures;
        set.sources = options_.sources;
        set.own_hints = !models_.controls().empty();
        set.kept = options_.work + "/latents";
        set.trigger = options_.trigger;
        set.side = options_.side;
        set.step = options_.bucket_step;
        set.flip = options_.flip;
        set.batch = options_.batch;
        set.empty_prompts = options_.empty_prompts;
        set.seed = mix(options_.seed, 4);
        return set;
    }

    LoopOptions loop_options() const {
        LoopOptions loop;
        loop.title = "style";
        loop.folder = options_.work;
        loop.steps = options_.steps;
        loop.minutes = options_.minutes;
        loop.learning_rate = options_.rate;
        loop.warmup = std::max<int64_t>(options_.warmup, 1);
        loop.accumulate = options_.accumulate;
        loop.bf16 = options_.bf16;
        // One interval serves both.
        loop.sample_every = std::gcd(options_.sample_every, options_.checkpoint_every);
        loop.log_every = std::clamp<int64_t>(options_.steps / 50, 1, 50);
        const double text = options_.text_rate / options_.rate;
        loop.rate_factor = [text](const std::string &name) { return name.rfind("lora_te_", 0) == 0 ? text : 1.0; };
        return loop;
    }

    void describe() const {
        int64_t values = count(lora_.parameters());
        char text[64];
        std::snprintf(text, sizeof text, "%.2f M", static_cast<double>(values) / 1e6);
        report_.say("style: " + std::to_string(lora_.layers()) + " layers of " + settings_.pack.path() + ", " + text + " values");
        std::map<std::pair<int, int>, int> buckets;
        for (const cv::Size size : set_->buckets())
            buckets[{size.width, size.height}]++;
        std::string list;
        for (const auto &[size, pictures] : buckets)
            list += (list.empty() ? "" : ", ") + std::to_string(pictures) + " of " + std::to_string(size.first) + "x" +
                    std::to_string(size.second);
        report_.say("style: " + std::to_string(set_->size()) + " pictures (" + list + "), " + std::to_string(set_->captions()) +
                    " with captions");
        if (!set_->captions() && options_.trigger.empty())
            report_.say("style: neither captions nor --trigger: no words will call the style, it is there whenever the LoRA is");
        if (options_.sources.empty() && !models_.controls().empty())
            report_.say("style: no --sources: the base's control network is shown the pictures themselves, their lines closed and "
                        "their colours changed");
    }

    StyleRecord record() const {
        StyleRecord record;
        record.add("base", io::real_path(settings_.pack.path()));
        record.add("--sources", options_.sources.empty() ? "none" : "given");
        record.add("pictures", static_cast<double>(set_->size()));
        record.add("pictures and captions", std::to_string(set_->fingerprint()));
        record.add("--rank", static_cast<double>(options_.shape.rank));
        record.add("--alpha", options_.shape.alpha);
        record.add("--conv-rank", static_cast<double>(options_.shape.conv_rank));
        record.add("--conv-alpha", options_.shape.conv_alpha);
        record.add("--text-encoder", options_.text_encoder);
        record.add("--text-rate", options_.text_encoder ? options_.text_rate : 0);
        record.add("--caption-dropout", options_.empty_prompts);
        record.add("--clip-skip", static_cast<double>(options_.clip_skip));
        record.add("--batch", static_cast<double>(options_.batch));
        record.add("--min-snr", options_.min_snr);
        record.add("--noise-offset", options_.noise_offset);
        record.add("--few-steps", static_cast<double>(options_.few_steps));
        record.add("--prediction", static_cast<double>(models_.scheduler_config().prediction));
        record.add("--seed", std::to_string(options_.seed));
        return record;
    }

    std::map<std::string, std::string> metadata() const {
        StyleDescription style;
        style.title = fs::path(options_.output).stem().string();
        style.base = fs::path(settings_.pack.path()).filename().string();
        style.shape = options_.shape;
        style.text_encoder = options_.text_encoder;
        style.text_width = models_.text_encoder().width();
        style.prediction = models_.scheduler_config().prediction;
        style.side = options_.side;
        style.clip_skip = options_.clip_skip;
        style.pictures = static_cast<int64_t>(set_->size());
        style.steps = options_.steps;
        style.batch = options_.batch;
        style.accumulate = options_.accumulate;
        style.rate = options_.rate;
        style.text_rate = options_.text_rate;
        style.seed = options_.seed;
        style.trigger = options_.trigger;
        style.min_snr = options_.min_snr;
        style.noise_offset = options_.noise_offset;
        return style_metadata(style);
    }

    // What goes wrong here must not cost the training.
    void show(int64_t step) {
        try {
            if (options_.checkpoint_every > 0 && step % options_.checkpoint_every == 0 && step < options_.steps) {
                const std::string path =
                    options_.work + "/" + fs::path(options_.output).stem().string() + "-" + numbered(step) + ".safetensors";
                lora_.write(path, options_.stored, metadata());
                report_.say(path + ": written");
            }
            if (options_.sample_every > 0 && step % options_.sample_every == 0)
                write_samples(step);
        } catch (const Error &error) {
            report_.say(std::string("style: ") + error.what() + "; training goes on");
        }
    }

    void write_samples(int64_t step) {
        const auto count = static_cast<size_t>(std::min<int64_t>(options_.samples, static_cast<int64_t>(set_->size())));
        std::vector<SheetCell> cells;
        for (size_t k = 0; k < count; k++) {
            if (report_.stopped())
                return;
            const size_t i = k * set_->size() / count;
            const cv::Mat target = set_->picture(i), source = set_->source(i);
            const cv::Mat made = networks_->sample(set_->prompt(i), target.size(), source, {settings_.steps, settings_.guidance},
                                                   mix(options_.seed, 5, i));
            std::vector<cv::Mat> pictures{target, made};
            if (!source.empty())
                pictures.insert(pictures.begin(), source);
            cells.push_back({pictures, set_->prompt(i).substr(0, 60)});
        }
        const std::string path = options_.work + "/style.sample-" + numbered(step) + ".png";
        write_sheet(path, cells, sheet_columns, std::min(options_.side, 384));
        report_.say(path + ": written");
    }

    StyleOptions options_;
    const Report &report_;
    const pipeline::Settings settings_;
    pipeline::Models models_;
    LoraLayers lora_;
    std::unique_ptr<StyleSet> set_;
    std::unique_ptr<StyleNetworks> networks_;
};

} // namespace

LoopEnd train_style(const StyleOptions &options, const Report &report) {
    // Told now, not after hours.
    static_cast<void>(io::AtomicFile(options.output));
    std::error_code failed;
    fs::create_directories(options.work, failed);
    static_cast<void>(io::AtomicFile(options.work + "/style.options.txt"));
    return StyleRun(options, report).run();
}

} // namespace aianime::train
