// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores how coherent a video is that was made of another one.
#include <cstdio>
#include <filesystem>

#include "eval/plot.h"
#include "io/atomic_file.h"
#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "tools/eval_run.h"
#include "tools/verbs.h"

namespace aianime::tools {

namespace {

const char *const help = R"(usage: aianime eval IN OUT [-o REPORT.json] [--plot PLOT.png] [options]

Scores how coherent the video OUT is, which was made of IN: whether things keep their look from frame to frame as they move in the
source. Always beside the source itself and the same template's frames made alone, with independent and with shared noise; what each
score means is in docs/eval.md. Store OUT without loss (-c:v ffv1), or the encoder is scored too.

  -o, --output FILE   all scores as JSON
  --plot FILE.png     every score over time
  --rate WHICH        generated: the frames that the networks make, by the template's rate; source: all frames [generated]
  --fps N             generated frames a second instead of the template's, 0 for all
  --width N           pictures are scaled to this width first, 0 for none [0]
  --clip PATH         a CLIP vision tower, file or folder with config.json, for the consistency of content
  --faces N           identity is looked at in every Nth frame, 0 for none [4]

What the result is compared with is rendered:
  -t, --template T    template, by name or file [pop]
  --baseline FRAMES   generated frames of the beginning, 0 for none [24]
  --models, --device, --prompt, --negative, --seed, --steps, --size, --strength, --guidance, --threads
                      as the result was made (see `aianime image --help`)
or read:
  --self-frame FILE   attention self with noise frame: as long as IN, or its beginning
  --self-shared FILE  attention self with noise shared

Borders at which seams are looked for:
  --segment N, --window N, --overlap N
                      generated frames, as the result was made [the template's]
  --borders N,N,...   numbers of the frames that begin something, from 0, instead
)";

const std::map<std::string, std::string> known_flags = {
    {"-o", "output"},
    {"--output", "output"},
    {"--plot", "plot"},
    {"--rate", "rate"},
    {"--fps", "fps"},
    {"--width", "width"},
    {"--clip", "clip"},
    {"--faces", "faces"},
    {"-t", "template"},
    {"--template", "template"},
    {"--baseline", "baseline"},
    {"--models", "models"},
    {"--device", "device"},
    {"--prompt", "prompt"},
    {"--negative", "negative"},
    {"--seed", "seed"},
    {"--steps", "steps"},
    {"--size", "size"},
    {"--strength", "strength"},
    {"--guidance", "guidance"},
    {"--threads", "threads"},
    {"--self-frame", "self-frame"},
    {"--segment", "segment"},
    {"--window", "window"},
    {"--overlap", "overlap"},
    {"--borders", "borders"},
    {"--self-shared", "self-shared"},
};

// What would be noticed only after the work, now.
void check_writable(const std::string &path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!path.empty() && !folder.empty() && !io::is_folder(folder))
        throw Error(AIANIME_NOT_FOUND, io::printable(path) + ": there is no such folder");
}

int run(const Arguments &arguments) {
    const Flags flags("eval", arguments, known_flags);
    if (flags.words().size() != 2)
        throw Error(AIANIME_INVALID, "eval: two videos are needed, the source and the result; `aianime eval --help`");
    const std::string output = flags.text("output"), plot = flags.text("plot");
    check_writable(output);
    check_writable(plot);
    const eval::Evaluation found = evaluate_videos(flags);
    std::printf("%s", eval::report_table(found).c_str());
    if (!plot.empty())
        eval::draw_scores(plot, io::printable(std::filesystem::path(found.result).filename().string()) + " by time",
                          found.measured);
    if (!output.empty()) {
        const std::string text = eval::report_json(found);
        io::AtomicFile file(output);
        file.write(text.data(), text.size());
        file.commit();
    }
    return AIANIME_OK;
}

} // namespace

const Verb eval_verb = {"eval", "scores how coherent a result is, beside its source and frames made alone", help, run};

} // namespace aianime::tools
