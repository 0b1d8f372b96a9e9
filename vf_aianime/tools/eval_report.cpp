// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/eval_report.h"

#include <cstdio>

#include "io/json_build.h"

namespace aianime::tools {

namespace {

using io::add;
using io::add_count;
using io::list_in;
using io::object_in;
using train::EvalReport;

void print_style(const train::StyleScore &score) {
    std::printf("%-10s %8zu %8.4f %8.4f %9.4f %8.4f %8.2f %8.2f\n", score.name.c_str(), score.pictures, score.ssim, score.edge_f1,
                score.edge_precision, score.edge_recall, score.psnr, score.target_lines > 0 ? score.lines / score.target_lines : 0);
}

void print_color(const char *what, const train::ColorScore &score) {
    if (score.asked == 0)
        std::printf("named %-14s no picture has such a region\n", what);
    else
        std::printf("named %-14s %zu of %zu, %.1f from the teacher's (CIEDE2000)\n", what, score.obeyed, score.asked,
                    score.difference);
}

void print_blocks(const train::Blockiness &made, const train::Blockiness &target) {
    std::printf("checkerboard         %.2f %.2f %.2f levels at periods 2 4 8; targets %.2f %.2f %.2f\n", made.period2, made.period4,
                made.period8, target.period2, target.period4, target.period8);
}

void print_spreads(const std::vector<train::SpreadScore> &spreads) {
    if (spreads.empty())
        std::printf("open palette         no clip has a free region\n");
    for (const train::SpreadScore &score : spreads)
        std::printf("open palette, %-8s %.2f dE between frames, %zu regions\n",
                    (score.attention == "teacher" ? "content" : score.attention).c_str(), score.spread, score.regions);
}

void print_statistics(const char *what, const train::StyleStatistics &one, const train::StyleStatistics &target) {
    std::printf("%-20s luminance %.1f, chroma %.1f, lines %.3f; %.0f %% from the target, hues %.0f %%\n", what, one.luminance,
                one.chroma, one.lines, 100 * train::style_distance(one, target), 100 * train::hue_distance(one, target));
}

void print_lora(const train::LoraScore &score) {
    print_statistics("LoRA's target", score.target, score.target);
    print_statistics("without the LoRA", score.without, score.target);
    print_statistics("with it", score.with, score.target);
    std::printf("composition          edge F1 %.3f without the LoRA, %.3f with it, %zu pictures\n", score.f1_without, score.f1_with,
                score.pictures);
}

void add_style(json_object *parent, const train::StyleScore &score) {
    json_object *object = object_in(parent, score.name.c_str());
    add_count(object, "pictures", score.pictures);
    add(object, "ssim", score.ssim);
    add(object, "edge_f1", score.edge_f1);
    add(object, "edge_precision", score.edge_precision);
    add(object, "edge_recall", score.edge_recall);
    add(object, "psnr", score.psnr);
    add(object, "lines", score.lines);
    add(object, "target_lines", score.target_lines);
    json_object *cast = list_in(object, "cast");
    for (int i = 0; i < 3; i++)
        io::append(cast, score.cast[i]);
}

void add_blocks(json_object *parent, const char *key, const train::Blockiness &blocks) {
    json_object *object = object_in(parent, key);
    add(object, "period2", blocks.period2);
    add(object, "period4", blocks.period4);
    add(object, "period8", blocks.period8);
}

void add_color(json_object *parent, const char *key, const train::ColorScore &score) {
    json_object *object = object_in(parent, key);
    add_count(object, "asked", score.asked);
    add_count(object, "obeyed", score.obeyed);
    if (score.asked > 0)
        add(object, "difference", score.difference);
}

void add_spreads(json_object *parent, const std::vector<train::SpreadScore> &spreads) {
    json_object *object = object_in(parent, "color_spread");
    for (const train::SpreadScore &score : spreads) {
        json_object *one = object_in(object, score.attention.c_str());
        add(one, "delta_e", score.spread);
        add_count(one, "regions", score.regions);
    }
}

void add_statistics(json_object *parent, const char *key, const train::StyleStatistics &one, const train::StyleStatistics &target) {
    json_object *object = object_in(parent, key);
    add(object, "luminance", one.luminance);
    add(object, "contrast", one.contrast);
    add(object, "chroma", one.chroma);
    add(object, "lines", one.lines);
    add(object, "distance", train::style_distance(one, target));
    add(object, "hue_distance", train::hue_distance(one, target));
}

void add_lora(json_object *parent, const train::LoraScore &score) {
    json_object *object = object_in(parent, "lora_effect");
    add_count(object, "pictures", score.pictures);
    add_statistics(object, "target", score.target, score.target);
    add_statistics(object, "without", score.without, score.target);
    add_statistics(object, "with", score.with, score.target);
    add(object, "edge_f1_without", score.f1_without);
    add(object, "edge_f1_with", score.f1_with);
}

void add_time(json_object *parent, const train::TimeScore &time) {
    json_object *object = object_in(parent, "time");
    add_count(object, "width", static_cast<size_t>(time.size.width));
    add_count(object, "height", static_cast<size_t>(time.size.height));
    add_count(object, "steps", static_cast<size_t>(time.steps));
    add(object, "seconds", time.seconds);
    add_count(object, "many_steps", static_cast<size_t>(time.many_steps));
    add(object, "many_seconds", time.many_seconds);
    add(object, "ratio", time.many_seconds / time.seconds);
}

} // namespace

void print_eval(const EvalReport &report) {
    std::printf("\n%-10s %8s %8s %8s %9s %8s %8s %8s\n", "style", "pictures", "SSIM", "edge F1", "precision", "recall", "PSNR dB",
                "lines");
    for (const train::StyleScore &score : report.styles)
        print_style(score);
    print_style(report.overall);
    std::printf("\ndecoder alone        %.2f dB\n", report.decoder_psnr);
    if (report.probed > 0)
        std::printf("style probe          %.1f %% of %zu; of the teacher's pictures %.1f %%\n", 100 * report.probe_accuracy,
                    report.probed, 100 * report.probe_ceiling);
    else
        std::printf("style probe          too few pictures or styles\n");
    print_color("backdrop", report.backdrop);
    print_color("clothes", report.clothes);
    print_spreads(report.spreads);
    print_blocks(report.blockiness, report.target_blockiness);
    std::printf("colour cast          %.2f dE (L* %+.2f, a* %+.2f, b* %+.2f)\n", report.cast, report.overall.cast[0],
                report.overall.cast[1], report.overall.cast[2]);
    if (report.lora)
        print_lora(*report.lora);
    if (report.time)
        std::printf("time at %dx%d      %.2f s a frame with %d steps, %.2f s with %d (%.1f times)\n", report.time->size.width,
                    report.time->size.height, report.time->seconds, report.time->steps, report.time->many_seconds,
                    report.time->many_steps, report.time->many_seconds / report.time->seconds);
}

std::string eval_json(const EvalReport &report, const train::EvalOptions &options, const std::string &folder) {
    const io::JsonRoot json = io::json_root();
    json_object *top = json.get();
    add(top, "pack", options.pack);
    if (!options.lora.empty())
        add(top, "lora", options.lora);
    add(top, "data", folder);
    add_count(top, "steps", static_cast<size_t>(options.steps));
    json_object *styles = object_in(top, "styles");
    for (const train::StyleScore &score : report.styles)
        add_style(styles, score);
    add_style(top, report.overall);
    add(top, "decoder_psnr", report.decoder_psnr);
    json_object *probe = object_in(top, "probe");
    add_count(probe, "pictures", report.probed);
    if (report.probed > 0) {
        add(probe, "accuracy", report.probe_accuracy);
        add(probe, "ceiling", report.probe_ceiling);
    }
    add_color(top, "named_backdrop", report.backdrop);
    add_color(top, "named_clothes", report.clothes);
    add_spreads(top, report.spreads);
    add_blocks(top, "checkerboard", report.blockiness);
    add_blocks(top, "target_checkerboard", report.target_blockiness);
    add(top, "cast", report.cast);
    if (report.lora)
        add_lora(top, *report.lora);
    if (report.time)
        add_time(top, *report.time);
    return io::text_of(top);
}

} // namespace aianime::tools
