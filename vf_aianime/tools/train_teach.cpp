// SPDX-License-Identifier: LGPL-2.1-or-later
// What the trainer's teacher makes of a picture: the targets that packs are trained on, for looking at.
#include <opencv2/imgproc.hpp>

#include "io/error.h"
#include "io/text.h"
#include "media/picture_file.h"
#include "nn/aten.h"
#include "tools/flags.h"
#include "tools/train_verbs.h"
#include "train/face_marks.h"
#include "train/sheet.h"
#include "train/teacher.h"

namespace aianime::tools {

namespace {

const char *const help = R"(usage: aianime train teach PICTURE -o OUT [--style NAME] [--backdrop HUE] [--cloth HUE]
       aianime train teach PICTURE -o SHEET --style all

Draws a photograph as the teacher of `aianime train pack` does, in one style or in all of them on one sheet.

  --style NAME      pop, ink, pastel, night, ... or all (default: pop)
  --backdrop HUE    colour of the backdrop: degrees from 0 to 360, or one of the words that prompts use (red, teal, ...)
  --cloth HUE       colour of clothes and hair
)";

const std::map<std::string, std::string> known_flags = {
    {"-o", "output"}, {"--output", "output"}, {"--style", "style"}, {"--backdrop", "backdrop"}, {"--cloth", "cloth"}};

float hue_of(const Flags &flags, const char *name) {
    if (!flags.has(name))
        return -1;
    for (const train::HueWord &hue : train::hue_words())
        if (hue.word == flags.text(name))
            return hue.hue;
    return static_cast<float>(flags.number(name, 0, 360));
}

const train::CelStyle &style_of(const std::string &name) {
    std::vector<std::string> names;
    for (const train::CelStyle &style : train::cel_styles()) {
        if (style.name == name)
            return style;
        names.push_back(style.name);
    }
    throw Error(AIANIME_INVALID, "--style: no style " + io::quoted(name) + io::suggestion(name, names));
}

cv::Mat to_rgb(const cv::Mat &stored) {
    cv::Mat rgb;
    cv::cvtColor(stored, rgb,
                 stored.channels() == 1   ? cv::COLOR_GRAY2RGB
                 : stored.channels() == 3 ? cv::COLOR_BGR2RGB
                                          : cv::COLOR_BGRA2RGB);
    rgb.convertTo(rgb, CV_32FC3, stored.depth() == CV_16U ? 1 / 65535.0 : 1 / 255.0);
    return rgb;
}

int run(const Arguments &arguments) {
    const Flags flags("train teach", arguments, known_flags);
    if (flags.words().size() != 1 || flags.text("output").empty())
        throw Error(AIANIME_INVALID, "train teach: one picture and -o OUT are needed");
    const cv::Mat rgb = to_rgb(media::read_picture(flags.words()[0]));
    const train::CelBase base = train::cel_base(rgb, pipeline::FaceFinder(pipeline::face_folder(), at::kCPU));
    const train::FreeColors free = {hue_of(flags, "backdrop"), hue_of(flags, "cloth")};
    if (flags.text("style") == "all") {
        std::vector<train::SheetCell> cells = {{{rgb}, "source"}};
        for (const train::CelStyle &style : train::cel_styles())
            cells.push_back({{train::cel_picture(base, style, free)}, style.prompt});
        train::write_sheet(flags.text("output"), cells, 3, 480);
        return AIANIME_OK;
    }
    cv::Mat out;
    cv::cvtColor(train::cel_picture(base, style_of(flags.has("style") ? flags.text("style") : "pop"), free), out,
                 cv::COLOR_RGB2BGR);
    out.convertTo(out, CV_8UC3, 255);
    media::write_picture(flags.text("output"), out);
    return AIANIME_OK;
}

} // namespace

const Verb train_teach_verb = {"teach", "what the teacher makes of a picture", help, run};

} // namespace aianime::tools
