// SPDX-License-Identifier: LGPL-2.1-or-later
// A small pack from nothing: autoencoder, U-Net, ControlNet and text encoder, and what makes few steps enough.
#include <algorithm>

#include "io/error.h"
#include "io/text.h"
#include "tools/flags.h"
#include "tools/train_verbs.h"
#include "train/pack.h"

namespace aianime::tools {

namespace {

const char *const help = R"(usage: aianime train pack DATA -o PACK [options]

Trains a pack from the photographs in DATA/pictures and the clips in DATA/clips. Its targets are drawn by a procedure of the
trainer's own (`aianime train teach`). The shape of the networks, the tokenizer and the scheduler are those of another pack.
The same command goes on where one was stopped.

  -o, --output PACK   folder the pack is written to, after every stage that makes a whole one
  --like FOLDER       pack whose config.json files say what the networks look like (default: models/pocket)
  --from PACK         pack whose weights training starts from (default: random ones); its networks must have that shape, and without
                      the stage autoencoder its latents stay what they are
  --work FOLDER       states, loss curves, sample sheets and the teacher's pictures (default: PACK with -work behind it)
  --stages A,B        some of: autoencoder, denoiser, distillation, temporal, identity (default: all)
  --pairs N           pictures to learn from, drawn from DATA at several sizes and exposures (default: 1200)
  --batch N           pictures of 128x128 in a step (default: 8)
  --autoencoder-steps N, --denoiser-steps N, --distillation-steps N, --temporal-steps N, --identity-steps N
  --minutes N         of each stage, at most
  --device cpu|cuda   (default: cpu)
  --precision float32|bf16   of forward passes (default: float32)
  --seed N            (default: 1)
)";

const std::map<std::string, std::string> known_flags = {{"-o", "output"},
                                                        {"--output", "output"},
                                                        {"--like", "like"},
                                                        {"--from", "from"},
                                                        {"--work", "work"},
                                                        {"--stages", "stages"},
                                                        {"--pairs", "pairs"},
                                                        {"--batch", "batch"},
                                                        {"--autoencoder-steps", "autoencoder-steps"},
                                                        {"--denoiser-steps", "denoiser-steps"},
                                                        {"--distillation-steps", "distillation-steps"},
                                                        {"--temporal-steps", "temporal-steps"},
                                                        {"--identity-steps", "identity-steps"},
                                                        {"--minutes", "minutes"},
                                                        {"--device", "device"},
                                                        {"--precision", "precision"},
                                                        {"--seed", "seed"}};

std::vector<std::string> stages_of(const std::string &text) {
    std::vector<std::string> stages;
    const std::vector<std::string> &known = train::pack_stages();
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        stages.push_back(text.substr(begin, end - begin));
        if (std::find(known.begin(), known.end(), stages.back()) == known.end())
            throw Error(AIANIME_INVALID,
                        "--stages: unknown stage " + io::quoted(stages.back()) + io::suggestion(stages.back(), known));
        begin = end + 1;
    }
    return stages;
}

template <typename Number>
void take_integer(const Flags &flags, const char *name, int64_t min, int64_t max, Number &value) {
    if (flags.has(name))
        value = flags.integer(name, min, max);
}

int run(const Arguments &arguments) {
    const Flags flags("train pack", arguments, known_flags);
    if (flags.words().size() != 1 || flags.text("output").empty())
        throw Error(AIANIME_INVALID, "train pack: one data folder and -o PACK are needed; `aianime train pack --help`");
    train::PackOptions options;
    options.output = flags.text("output");
    options.work = flags.has("work") ? flags.text("work") : options.output + "-work";
    options.shape = flags.has("like") ? flags.text("like") : "models/pocket";
    options.from = flags.text("from");
    options.pairs.pictures = flags.words()[0] + "/pictures";
    options.pairs.clips = flags.words()[0] + "/clips";
    options.pairs.kept = options.work + "/pairs";
    options.stages = stages_of(flags.text("stages"));
    take_integer(flags, "pairs", 1, 1000000, options.pairs.count);
    take_integer(flags, "batch", 1, 4096, options.batch);
    take_integer(flags, "autoencoder-steps", 1, 100000000, options.autoencoder_steps);
    take_integer(flags, "denoiser-steps", 1, 100000000, options.denoiser_steps);
    take_integer(flags, "distillation-steps", 1, 100000000, options.distillation_steps);
    take_integer(flags, "temporal-steps", 1, 100000000, options.temporal_steps);
    take_integer(flags, "identity-steps", 1, 100000000, options.identity_steps);
    take_integer(flags, "seed", 0, INT64_MAX, options.seed);
    if (flags.has("minutes"))
        options.minutes = flags.number("minutes", 0.01, 1e6);
    options.bf16 = train_precision(flags.text("precision"));
    options.device = train_device(flags.text("device"));
    return train::train_pack(options, training_report()) == train::LoopEnd::done ? AIANIME_OK : AIANIME_CANCELLED;
}

} // namespace

const Verb train_pack_verb = {"pack", "train a small pack from photographs and clips", help, run};

} // namespace aianime::tools
