// SPDX-License-Identifier: LGPL-2.1-or-later
// Measures a pack against the teacher on pictures its training never saw.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/pack.h"
#include "io/paths.h"
#include "io/text.h"
#include "tools/eval_folder.h"
#include "tools/eval_report.h"
#include "tools/flags.h"
#include "tools/train_verbs.h"
#include "train/teacher.h"

namespace aianime::tools {

namespace {

const char *const help = R"(usage: aianime train eval PACK FOLDER [-o REPORT.json] [--sheet SHEET.png] [options]

Measures a pack on the pictures and clips below FOLDER, which its training must not have seen. Every frame is stylized as
`aianime image` would, and compared with what the teacher draws of it: similarity, edges, decoder, whether styles and colours that
the prompt names are seen, colours between frames, checkerboards, colour cast, and time.

  -o, --output FILE   the measures as JSON
  --sheet FILE.png    source, target and result of 24 pictures
  --frames N          pictures in all, 1 to 10000 (default: 60)
  --steps N           denoising steps (default: 4)
  --size N            height that pictures are scaled to, 64 to 2048, cropped to 4:3 (default: 360)
  --styles A,B        some of the teacher's, or all (default: pop,ink,pastel,night)
  --rotate 0|1        1: each frame in one of the styles only (default: 0)
  --clips N           clips whose free colours are compared between frames (default: 3)
  --quick 0|1         1: 8 frames of 256 pixels, styles in rotation, no time and no clips, for a look while training
  --lora FILE         a LoRA laid over the pack
  --like FOLDER       pictures that the LoRA should make others look like: tells how near it brings their style
  --prompt TEXT       what asks for the LoRA's style (default: the first style's prompt)
  --seed N            of the noise (default: 1)
  --precision P       auto, float32 or bfloat16 (default: auto)
  --threads N         0: all cores (default: 0)
)";

const std::map<std::string, std::string> known_flags = {
    {"-o", "output"},       {"--output", "output"}, {"--sheet", "sheet"},         {"--frames", "frames"},
    {"--steps", "steps"},   {"--size", "size"},     {"--styles", "styles"},       {"--rotate", "rotate"},
    {"--clips", "clips"},   {"--quick", "quick"},   {"--lora", "lora"},           {"--like", "like"},
    {"--prompt", "prompt"}, {"--seed", "seed"},     {"--precision", "precision"}, {"--threads", "threads"}};

constexpr size_t clip_frames = 6, like_pictures = 40;

int64_t integer_or(const Flags &flags, const char *name, int64_t otherwise, int64_t min, int64_t max) {
    return flags.has(name) ? flags.integer(name, min, max) : otherwise;
}

std::vector<size_t> styles_of(const std::string &text) {
    std::vector<std::string> known;
    for (const train::CelStyle &style : train::cel_styles())
        known.push_back(style.name);
    std::vector<size_t> styles;
    if (text == "all")
        for (size_t i = 0; i < known.size(); i++)
            styles.push_back(i);
    for (size_t begin = 0; begin < text.size() && text != "all";) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string name = text.substr(begin, end - begin);
        const auto found = std::find(known.begin(), known.end(), name);
        if (found == known.end())
            throw Error(AIANIME_INVALID, "--styles: unknown style " + io::quoted(name) + io::suggestion(name, known));
        const auto number = static_cast<size_t>(found - known.begin());
        if (std::find(styles.begin(), styles.end(), number) == styles.end())
            styles.push_back(number);
        begin = end + 1;
    }
    return styles;
}

train::EvalOptions options_of(const Flags &flags, bool quick) {
    train::EvalOptions options;
    options.pack = flags.words()[0];
    options.lora = flags.text("lora");
    options.lora_prompt = flags.text("prompt");
    options.styles = styles_of(flags.has("styles") ? flags.text("styles") : "pop,ink,pastel,night");
    options.rotate = integer_or(flags, "rotate", quick, 0, 1) == 1;
    options.steps = static_cast<int>(integer_or(flags, "steps", 4, 1, 1000));
    options.many_steps = quick ? 0 : 20;
    options.seed = static_cast<uint64_t>(integer_or(flags, "seed", 1, 0, INT64_MAX));
    options.precision = flags.has("precision") ? flags.text("precision") : "auto";
    options.threads = static_cast<int>(integer_or(flags, "threads", 0, 0, 1024));
    options.color_frames = quick ? 1 : 4;
    return options;
}

// What would be noticed only after the work, now.
void check_writable(const std::string &path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!path.empty() && !folder.empty() && !io::is_folder(folder))
        throw Error(AIANIME_NOT_FOUND, io::printable(path) + ": there is no such folder");
}

int run(const Arguments &arguments) {
    const Flags flags("train eval", arguments, known_flags);
    if (flags.words().size() != 2)
        throw Error(AIANIME_INVALID, "train eval: a pack and a folder are needed; `aianime train eval --help`");
    const std::string folder = flags.words()[1], output = flags.text("output"), sheet = flags.text("sheet");
    const bool quick = integer_or(flags, "quick", 0, 0, 1) == 1;
    const train::EvalOptions options = options_of(flags, quick);
    const auto size = static_cast<int>(integer_or(flags, "size", quick ? 256 : 360, 64, 2048));
    const auto frames = static_cast<size_t>(integer_or(flags, "frames", quick ? 8 : 60, 1, 10000)),
               clips = static_cast<size_t>(integer_or(flags, "clips", quick ? 0 : 3, 0, 1000));
    if (options.lora.empty() && (flags.has("like") || flags.has("prompt")))
        throw Error(AIANIME_INVALID, "train eval: --like and --prompt go with --lora");
    if (!options.lora.empty())
        io::real_path(options.lora);
    check_writable(output);
    check_writable(sheet);
    io::verify_pack(io::load_pack(options.pack));

    const train::Report report = training_report();
    const cv::Size shape(size * 4 / 3, size);
    train::EvalData data = load_eval_folder(folder, shape, frames, clips, clip_frames, report);
    if (flags.has("like"))
        for (const train::EvalFrame &frame : load_eval_folder(flags.text("like"), shape, like_pictures, 0, 0, report).frames)
            data.like.push_back(frame.picture);
    if (data.frames.size() < frames)
        report.say(std::to_string(data.frames.size()) + " pictures instead of " + std::to_string(frames) + ": " +
                   io::printable(folder) + " has no more");
    const train::EvalReport measured = train::evaluate_pack(data, options, report);
    print_eval(measured);
    if (!sheet.empty())
        train::write_sheet(sheet, measured.sheet, 6, 320);
    if (!output.empty()) {
        const std::string text = eval_json(measured, options, folder);
        io::AtomicFile file(output);
        file.write(text.data(), text.size());
        file.commit();
    }
    return AIANIME_OK;
}

} // namespace

const Verb train_eval_verb = {"eval", "measure a pack against the teacher on pictures it never saw", help, run};

} // namespace aianime::tools
