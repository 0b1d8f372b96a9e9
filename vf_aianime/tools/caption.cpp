// SPDX-License-Identifier: LGPL-2.1-or-later
// What the filter would say of pictures and videos, and the prompts it would use.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "diffusion/prompt_chunks.h"
#include "io/error.h"
#include "io/text.h"
#include "media/picture_file.h"
#include "nn/aten.h"
#include "tools/caption_sheet.h"
#include "tools/each_file.h"
#include "tools/flags.h"
#include "tools/picture_input.h"
#include "tools/shot_survey.h"
#include "tools/verbs.h"

namespace aianime::tools {

namespace {

const std::map<std::string, std::string> known_flags = {
    {"-t", "template"},       {"--template", "template"}, {"-o", "output"},           {"--output", "output"},
    {"--models", "models"},   {"--caption", "caption"},   {"--captions", "captions"}, {"--model", "model"},
    {"--phrases", "phrases"}, {"--language", "language"}, {"--prompt", "prompt"},     {"--format", "format"},
    {"--columns", "columns"}, {"--width", "width"},       {"--threads", "threads"},   {"--plan", "plan"},
};

void print_log(void *, aianime_log_level level, const char *line) {
    if (level <= AIANIME_LOG_WARNING)
        std::fprintf(stderr, "aianime: %s\n", line);
}

// A template's settings, and what the flags say instead. Whoever asks wants a caption: `attributes` where nothing else is said.
pipeline::Settings settings_of(const Flags &flags) {
    const std::string look = flags.text("template"), models = flags.text("models"), prompt = flags.text("prompt"),
                      captions = flags.text("captions"), plan = flags.text("plan");
    aianime_settings given{};
    given.struct_size = sizeof(given);
    given.template_path = look.c_str();
    given.models_path = models.c_str();
    given.prompt = prompt.c_str();
    given.captions_path = captions.c_str();
    given.plan_path = plan.c_str();
    std::vector<std::string> overrides;
    pipeline::Settings settings = pipeline::resolve_settings(given, overrides);
    if (flags.has("caption"))
        settings.caption = pipeline::caption_source_from_string(flags.text("caption"), "--caption");
    else if (settings.caption == pipeline::CaptionSource::none)
        settings.caption = pipeline::CaptionSource::attributes;
    if (flags.has("model"))
        settings.caption_model = flags.text("model");
    if (flags.has("phrases"))
        settings.phrases = flags.text("phrases");
    if (flags.has("language"))
        settings.style.caption.language = pipeline::prompt_language_from_string(flags.text("language"), "--language");
    pipeline::check_captions(settings);
    return settings;
}

class Run {
public:
    explicit Run(const Flags &flags)
        : settings_(settings_of(flags)), json_(flags.text("format") == "json"), output_(flags.text("output")),
          columns_(static_cast<int>(flags.has("columns") ? flags.integer("columns", 1, 64) : 3)),
          width_(static_cast<int>(flags.has("width") ? flags.integer("width", 64, 4096) : 480)),
          watch_(print_log, nullptr, nullptr), tokenizer_(settings_.tokenizer) {}

    void look(const std::string &input) {
        const auto tokens = [this](const std::string &text) {
            return diffusion::chunk_prompt(text, tokenizer_, 77, 64, {}).tokens;
        };
        ShotSurvey survey = is_picture(input) ? survey_picture(rgb_of(media::read_picture(input)), settings_, watch_, tokens)
                                              : survey_video(input, settings_, watch_, tokens);
        if (json_)
            std::printf("%s", pipeline::report_text(survey.head, survey.shots).c_str());
        else
            print(input, survey);
        if (!output_.empty())
            surveys_.push_back(std::move(survey));
    }

    void finish() const {
        if (!surveys_.empty())
            media::write_picture(output_, caption_sheet(surveys_, columns_, width_));
    }

private:
    static void print(const std::string &input, const ShotSurvey &survey) {
        std::printf("%s\n", io::printable(input).c_str());
        for (const std::shared_ptr<pipeline::ShotFacts> &shot : survey.shots) {
            std::printf("  shot %d, %s\n", shot->number, pipeline::summary_of(*shot).c_str());
            if (shot->raw_caption != shot->caption)
                std::printf("    before correction: %s\n", io::printable(shot->raw_caption, 2000).c_str());
            std::printf("    caption: %s\n", io::printable(shot->caption, 2000).c_str());
            for (const pipeline::TimedPrompt &prompt : shot->prompts)
                std::printf("    prompt from %.2f s: %s\n", prompt.time, io::printable(prompt.text, 2000).c_str());
        }
    }

    const pipeline::Settings settings_;
    const bool json_;
    const std::string output_;
    const int columns_, width_;
    const pipeline::Watch watch_;
    const nn::ClipTokenizer tokenizer_;
    std::vector<ShotSurvey> surveys_;
};

void check_words(const Flags &flags) {
    const std::string format = flags.text("format");
    if (flags.words().empty())
        throw Error(AIANIME_INVALID, "caption: at least one picture or video is needed");
    if (!format.empty() && format != "text" && format != "json")
        throw Error(AIANIME_INVALID, "--format: " + io::quoted(format) + " is neither text nor json");
    if (format == "json" && flags.words().size() > 1)
        throw Error(AIANIME_INVALID, "--format json: one file at a time, so that its report can be used as a plan");
}

int run_caption(const Arguments &arguments) {
    const Flags flags("caption", arguments, known_flags);
    check_words(flags);
    if (flags.has("threads") && flags.integer("threads", 0, 1024) > 0)
        at::set_num_threads(static_cast<int>(flags.integer("threads", 0, 1024)));
    Run run(flags);
    const aianime_result result = each_file(flags.words(), [&run](const std::string &input) { run.look(input); });
    run.finish();
    return result;
}

} // namespace

const Verb caption_verb = {
    "caption", "what the filter would say of pictures and videos, and the prompts it would use",
    "usage: aianime caption FILE... [-o ANNOTATED.png] [flags]\n\n"
    "Pictures (PNG, JPEG, WebP) and videos. Of each shot: when, who, the caption before and after the faces corrected it, and the\n"
    "prompts over time. Nothing is drawn, so this takes seconds.\n\n"
    "  -t, --template T   path or name of a template [pop]; its captioner is used, or attributes where it has none\n"
    "  --caption C        attributes, clip, blip2, wd, file or none, instead of the template's\n"
    "  --captions FILE    the text file of caption file\n"
    "  --model PATH       file or folder of the network of clip, blip2 or wd\n"
    "  --phrases FILE     list of phrases of clip\n"
    "  --language L       tags or sentence\n"
    "  --prompt TEXT      instead of the template's\n"
    "  --plan FILE        a report to be followed, as the filter would\n"
    "  --models DIR       folder of the packs [AIANIME_MODELS, installed, tree]\n"
    "  --format F         text or json: the report of the filter, which can be edited and given to it as plan= [text]\n"
    "  -o, --output PNG   the key frames with faces and captions; --columns N [3], --width N pixels each [480]\n"
    "  --threads N        CPU threads, 0 = all [0]\n",
    run_caption};

} // namespace aianime::tools
