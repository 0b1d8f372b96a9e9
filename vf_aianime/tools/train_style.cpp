// SPDX-License-Identifier: LGPL-2.1-or-later
// A style as a LoRA, from a folder of pictures.
#include <algorithm>

#include "io/error.h"
#include "io/text.h"
#include "tools/flags.h"
#include "tools/train_verbs.h"
#include "train/style.h"

namespace aianime::tools {

namespace {

const char *const help = R"(usage: aianime train style PICTURES -o STYLE.safetensors [options]

Learns a style from the pictures of a folder and its sub-folders as a LoRA: a small file laid over a base model, here by a template's
"loras", elsewhere by whatever reads LoRAs of Stable Diffusion (its names are kohya's). A caption lies beside its picture as NAME.txt,
UTF-8, and is read as a prompt is. The same command goes on where one was stopped.

  -o, --output FILE      the LoRA
  --base BASE            what it is laid over: a pack or diffusers folder, a checkpoint in one file, or a name below the model folders
                         (default: pocket)
  --sources FOLDER       for bases whose control network is shown the source: the photograph each picture was made from, in the same
                         shape and under the same name. Without them it is shown the pictures themselves with their lines closed and
                         their colours changed at random, every time anew, so that palette and lines are not to be had by copying
  --work FOLDER          state, latents, loss curve, sample sheets, checkpoints (default: FILE with -work behind it)

what is trained
  --rank N               of attention and what lies about it (default: 16)
  --alpha X              strength is alpha / rank (default: half of the rank)
  --conv-rank N          also residual blocks and convolutions, 3x3 ones with this rank (LoCon); 0: not (default: 0)
  --conv-alpha X         (default: half of --conv-rank)
  --text-encoder off|on  (default: off)
  --save float32|float16|bfloat16   numbers in the file (default: float32)

pictures and captions
  --size N               pictures are brought to N x N pixels or as many in another shape, never enlarged (default: the base's)
  --bucket-step N        sides are multiples of it (default: the least the base can take)
  --flip off|on          also mirrored (default: off)
  --trigger WORDS        put in front of every caption, and in place of one that is missing
  --caption-dropout X    part of the pictures shown with an empty prompt (default: 0.1)
  --clip-skip N          text encoder's layer counted from the last, as prompts will be read; 2 for many anime bases (default: 1)

training
  --steps N              (default: 1000)
  --minutes X            ends after so long, with what is learned by then
  --batch N              pictures in a pass, of one shape (default: 1)
  --accumulate N         passes in a step (default: 1)
  --rate X               learning rate, falls along a cosine; small bases bear 0.001 (default: 0.0001)
  --text-rate X          of the text encoder (default: half of --rate)
  --warmup N             steps until the full rate (default: a twentieth of the steps, at most 100)
  --min-snr X            weighs timesteps down where the noise is weak, 5 is usual; 0: all the same (default: 0)
  --noise-offset X       lets brightness of whole pictures be learned, 0.05 is usual (default: the base's, mostly 0)
  --few-steps N          half of the timesteps are those a run of N steps uses, of bases that do not predict noise a quarter, and half pure noise;
                         0: all are as likely (default: the base's own number of steps where it is at most 8, else 0)
  --prediction epsilon|v|sample   what the base predicts (default: as it says; 2.x checkpoints in one file: v)
  --device cpu|cuda      (default: cpu)
  --precision float32|bf16   of forward passes (default: float32)
  --seed N               (default: 1)

on the way
  --sample-every N       steps between sample sheets, picture above what the prompt now gives; 0: none (default: 250)
  --samples N            pictures on a sheet (default: 4)
  --checkpoint-every N   steps between LoRAs written to the work folder; 0: none (default: 0)
)";

const std::map<std::string, std::string> known_flags = {{"-o", "output"},
                                                        {"--output", "output"},
                                                        {"--base", "base"},
                                                        {"--sources", "sources"},
                                                        {"--work", "work"},
                                                        {"--rank", "rank"},
                                                        {"--alpha", "alpha"},
                                                        {"--conv-rank", "conv-rank"},
                                                        {"--conv-alpha", "conv-alpha"},
                                                        {"--text-encoder", "text-encoder"},
                                                        {"--save", "save"},
                                                        {"--size", "size"},
                                                        {"--bucket-step", "bucket-step"},
                                                        {"--flip", "flip"},
                                                        {"--trigger", "trigger"},
                                                        {"--caption-dropout", "caption-dropout"},
                                                        {"--clip-skip", "clip-skip"},
                                                        {"--steps", "steps"},
                                                        {"--minutes", "minutes"},
                                                        {"--batch", "batch"},
                                                        {"--accumulate", "accumulate"},
                                                        {"--rate", "rate"},
                                                        {"--text-rate", "text-rate"},
                                                        {"--warmup", "warmup"},
                                                        {"--min-snr", "min-snr"},
                                                        {"--noise-offset", "noise-offset"},
                                                        {"--few-steps", "few-steps"},
                                                        {"--prediction", "prediction"},
                                                        {"--device", "device"},
                                                        {"--precision", "precision"},
                                                        {"--seed", "seed"},
                                                        {"--sample-every", "sample-every"},
                                                        {"--samples", "samples"},
                                                        {"--checkpoint-every", "checkpoint-every"}};

// The place of a flag's word among `words`, 0 where it was not given.
size_t word_of(const Flags &flags, const char *name, const std::vector<std::string> &words) {
    if (!flags.has(name))
        return 0;
    const auto found = std::find(words.begin(), words.end(), flags.text(name));
    if (found == words.end())
        throw Error(AIANIME_INVALID, std::string("train style: --") + name + ": " + io::quoted(flags.text(name)) + " is none of " +
                                         io::joined(words));
    return static_cast<size_t>(found - words.begin());
}

template <typename Number>
void take_integer(const Flags &flags, const char *name, int64_t min, int64_t max, Number &value) {
    if (flags.has(name))
        value = static_cast<Number>(flags.integer(name, min, max));
}

void take_number(const Flags &flags, const char *name, double min, double max, double &value) {
    if (flags.has(name))
        value = flags.number(name, min, max);
}

constexpr int64_t most_steps = 100000000;

void take_shape(const Flags &flags, train::StyleOptions &options) {
    train::LoraShape &shape = options.shape;
    take_integer(flags, "rank", 1, 1024, shape.rank);
    shape.alpha = static_cast<double>(shape.rank) / 2;
    take_number(flags, "alpha", 1e-3, 1e5, shape.alpha);
    take_integer(flags, "conv-rank", 0, 1024, shape.conv_rank);
    shape.conv_alpha = static_cast<double>(shape.conv_rank) / 2;
    take_number(flags, "conv-alpha", 1e-3, 1e5, shape.conv_alpha);
    if (flags.has("conv-alpha") && !shape.conv_rank)
        throw Error(AIANIME_INVALID, "train style: --conv-alpha goes with --conv-rank");
    options.text_encoder = word_of(flags, "text-encoder", {"off", "on"}) == 1;
    if (flags.has("text-rate") && !options.text_encoder)
        throw Error(AIANIME_INVALID, "train style: --text-rate goes with --text-encoder on");
    const train::LoraPrecision stored[] = {train::LoraPrecision::float32, train::LoraPrecision::float16,
                                           train::LoraPrecision::bfloat16};
    options.stored = stored[word_of(flags, "save", {"float32", "float16", "bfloat16"})];
}

void take_pictures(const Flags &flags, train::StyleOptions &options) {
    take_integer(flags, "size", 16, 4096, options.side);
    take_integer(flags, "bucket-step", 1, 4096, options.bucket_step);
    options.flip = word_of(flags, "flip", {"off", "on"}) == 1;
    options.trigger = flags.text("trigger");
    if (io::invalid_utf8(options.trigger) != std::string::npos)
        throw Error(AIANIME_INVALID, "train style: --trigger: " + io::quoted(options.trigger) + " is not UTF-8");
    take_number(flags, "caption-dropout", 0, 1, options.empty_prompts);
    take_integer(flags, "clip-skip", 1, 256, options.clip_skip);
}

void take_training(const Flags &flags, train::StyleOptions &options) {
    take_integer(flags, "steps", 1, most_steps, options.steps);
    take_number(flags, "minutes", 0.01, 1e6, options.minutes);
    take_integer(flags, "batch", 1, 1024, options.batch);
    take_integer(flags, "accumulate", 1, 65536, options.accumulate);
    take_number(flags, "rate", 1e-9, 10, options.rate);
    options.text_rate = options.rate / 2;
    take_number(flags, "text-rate", 1e-9, 10, options.text_rate);
    take_integer(flags, "warmup", 0, most_steps, options.warmup);
    take_number(flags, "min-snr", 0, 1000, options.min_snr);
    take_number(flags, "noise-offset", 0, 1, options.noise_offset);
    take_integer(flags, "few-steps", 0, 1000, options.few_steps);
    constexpr diffusion::Prediction predictions[] = {diffusion::Prediction::epsilon, diffusion::Prediction::v,
                                                     diffusion::Prediction::sample};
    const size_t prediction = word_of(flags, "prediction", {"epsilon", "v", "sample"});
    if (flags.has("prediction"))
        options.prediction = predictions[prediction];
    take_integer(flags, "seed", 0, INT64_MAX, options.seed);
    take_integer(flags, "sample-every", 0, most_steps, options.sample_every);
    take_integer(flags, "samples", 1, 64, options.samples);
    take_integer(flags, "checkpoint-every", 0, most_steps, options.checkpoint_every);
}

int run(const Arguments &arguments) {
    const Flags flags("train style", arguments, known_flags);
    if (flags.words().size() != 1 || flags.text("output").empty())
        throw Error(AIANIME_INVALID,
                    "train style: one folder of pictures and -o STYLE.safetensors are needed; `aianime train style --help`");
    train::StyleOptions options;
    options.pictures = flags.words()[0];
    options.output = flags.text("output");
    options.sources = flags.text("sources");
    options.base = flags.has("base") ? flags.text("base") : options.base;
    options.work = flags.has("work") ? flags.text("work") : options.output + "-work";
    take_shape(flags, options);
    take_pictures(flags, options);
    take_training(flags, options);
    options.bf16 = train_precision(flags.text("precision"));
    options.device = train_device(flags.text("device"));
    return train::train_style(options, training_report()) == train::LoopEnd::done ? AIANIME_OK : AIANIME_CANCELLED;
}

} // namespace

const Verb train_style_verb = {"style", "a style as a LoRA, from a folder of pictures", help, run};

} // namespace aianime::tools
