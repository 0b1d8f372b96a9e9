// SPDX-License-Identifier: LGPL-2.1-or-later
// What `aianime eval` compares with, and what it writes.
#include "support.h"
#include "vision_pictures.h"

#include <filesystem>

#include "eval/baseline.h"
#include "eval/plot.h"
#include "eval/report.h"
#include "io/json.h"
#include "pipeline/template.h"
#include "vision/png.h"

using namespace aianime;

namespace {

const cv::Size size(96, 64);

// A still source; every second frame of the others differs: the result's by less than the baselines', which end after `compared`
// frames, and from there on by more.
eval::Evaluation evaluation(size_t count, size_t compared, bool cuts = false) {
    eval::Evaluator evaluator(
        {{"source", "source"}, {"self_frame", "self/frame"}, {"self_shared", "self/shared"}, {"result", "result"}}, {});
    const cv::Mat source = scene_picture(size, 1);
    const auto changed = [&](double by, size_t i) { return cv::Mat(source + cv::Scalar::all(i % 2 ? by : 0)); };
    for (size_t i = 0; i < count; i++) {
        const bool there = i < compared;
        evaluator.add(
            {i, 0.1 * static_cast<double>(i), cuts ? static_cast<int>(i) : 0, true},
            {source, there ? changed(0.04, i) : cv::Mat(), there ? changed(0.02, i) : cv::Mat(), changed(there ? 0.01 : 0.03, i)});
    }
    eval::Evaluation found;
    found.source = "in \"1\".mp4";
    found.result = "out.mkv";
    found.look = "pop";
    found.clip_frames = count;
    found.rate = "generated";
    found.size = size;
    found.compared = compared;
    found.measured = evaluator.measured();
    found.seams = {{"segments", eval::across_segments(found.measured.frames, 4, 0)}};
    return found;
}

} // namespace

AIANIME_TEST(ratios_are_those_of_the_frames_compared) {
    const std::vector<eval::Comparison> list = eval::comparisons(evaluation(8, 5));
    ck_assert(list.size() == 3 && list[0].key == "self_frame" && list[1].key == "self_shared" && list[2].key == "source");
    ck_assert_double_eq_tol(list[0].warp_error, 0.25, 1e-3);
    ck_assert_double_eq_tol(list[0].flicker, 0.25, 1e-3);
    ck_assert_double_eq_tol(list[1].warp_error, 0.5, 1e-3);
    ck_assert(!eval::has_score(list[2].warp_error)); // the source stands still
}

AIANIME_TEST(json_has_the_scores) {
    const io::Json json = io::Json::parse(eval::report_json(evaluation(8, 5)), "report");
    ck_assert(json.at("format").string() == "aianime.eval" && json.at("source").string() == "in \"1\".mp4");
    ck_assert_int_eq(json.at("frames").integer(0, 100), 8);
    ck_assert_int_eq(json.at("compared").integer(0, 100), 5);
    const io::Json compared = json.at("over_compared"), clip = json.at("over_clip");
    ck_assert_double_eq_tol(compared.at("self_frame").at("warp_error").number(0, 255), 0.04 * 255, 1e-3);
    ck_assert_double_eq_tol(clip.at("result").at("warp_error").number(0, 255), (4 * 0.01 + 3 * 0.03) / 7 * 255, 1e-3);
    ck_assert_double_eq_tol(compared.at("result").at("warp_error").number(0, 255), 0.01 * 255, 1e-3);
    ck_assert(!clip.has("self_frame") && clip.has("source"));
    ck_assert_double_eq_tol(clip.at("result").at("seam_ratio").at("segments").number(0, 10), 0.5, 1e-3);
    ck_assert(compared.at("source").at("style_distance").is_null());
    ck_assert(json.at("result_against").at("source").at("warp_error").is_null());
    const io::Json frames = json.at("per_frame");
    ck_assert_int_eq(frames.at("columns").at("self_frame").at("warp_error").size(), 8);
    ck_assert(frames.at("columns").at("self_frame").at("warp_error").at(5).is_null());
    ck_assert_double_eq_tol(frames.at("time").at(5).number(0, 1), 0.5, 1e-9);
}

AIANIME_TEST(clips_that_say_little_are_written_too) {
    for (const eval::Evaluation &found : {evaluation(1, 1), evaluation(4, 0), evaluation(6, 6, true)}) {
        const std::string text = eval::report_json(found);
        ck_assert(text.find("nan") == std::string::npos && text.find("inf") == std::string::npos);
        io::Json::parse(text, "report");
        const std::string table = eval::report_table(found);
        ck_assert(table.find("nan") == std::string::npos && table.find("result") != std::string::npos);
        const TempFolder folder;
        eval::draw_scores(folder.path("plot.png"), "title", found.measured);
        ck_assert_int_eq(vision::load_png(folder.path("plot.png")).cols, 1200);
    }
}

AIANIME_TEST(table_shows_columns_and_ratios) {
    const std::string table = eval::report_table(evaluation(8, 5));
    for (const char *part : {"8 of 8 frames at 96x64, 1 shot; columns compared over the first 5", "self/shared", "result, all",
                             "seam ratio, segments", "warp 0.25x", "warp 0.50x"})
        ck_assert_msg(table.find(part) != std::string::npos, "no \"%s\" in\n%s", part, table.c_str());
}

AIANIME_TEST(baseline_is_the_template_without_what_ties_frames) {
    const TempFolder folder;
    write_file(folder.path("look.json"), R"({"schema": 1, "model": {"base": "pocket", "motion": "motion.safetensors"},
        "prompt": {"positive": "ink"}, "sampling": {"steps": 3, "seed": 7},
        "controls": [{"type": "source", "scale": 0.5}, {"type": "temporal", "model": "tn.safetensors"}],
        "coherence": {"attention": "window", "window": 8, "overlap": 2, "segment": 12, "noise": "shared"},
        "time": {"generate_fps": 5, "interpolate": "blend"}})");
    const auto read = [&](eval::Baseline baseline, bool all) {
        const std::string text = eval::baseline_template(folder.path("look.json"), baseline, all);
        return pipeline::parse_template(io::Json::parse(text, "baseline"), "baseline");
    };
    const pipeline::Template alone = read(eval::Baseline::self_frame, true), shared = read(eval::Baseline::self_shared, false);
    ck_assert(alone.attention == nn::AttentionMode::self && shared.attention == nn::AttentionMode::self);
    ck_assert(alone.noise == pipeline::NoiseMode::frame && shared.noise == pipeline::NoiseMode::shared);
    ck_assert(alone.motion.empty() && alone.controls->size() == 1 && alone.controls->at(0).type == "source");
    ck_assert(alone.window == 8 && alone.overlap == 2 && alone.segment == 12);
    ck_assert(alone.steps == 3 && alone.seed == 7 && alone.positive == "ink");
    ck_assert(alone.generate_fps == 0 && alone.interpolate == pipeline::Interpolation::none);
    ck_assert(shared.generate_fps == 5 && shared.interpolate == pipeline::Interpolation::blend);
    expect_error([&] { eval::baseline_template(folder.path("none.json"), eval::Baseline::self_frame, true); }, AIANIME_NOT_FOUND,
                 "none");
}

AIANIME_TEST(baseline_pictures_come_from_the_library) {
    if (!std::filesystem::exists(tests_folder() + "/../models/pocket")) {
        print_skip("no models/pocket");
        return;
    }
    std::vector<media::VideoFrame> frames;
    for (int i = 0; i < 2; i++) {
        media::VideoFrame frame({64, 48}, media::Layout{});
        cv::RNG(1).fill(frame.samples, cv::RNG::UNIFORM, 60, 180);
        frames.push_back(frame);
    }
    eval::BaselineOptions options;
    options.settings.given = AIANIME_SET_STEPS;
    options.settings.steps = 1;
    const auto made = [&](eval::Baseline baseline) {
        return eval::render_baseline(frames, {0, 100}, {1, 1000}, baseline, options);
    };
    // The same frame twice: alike with the same noise, not with noise of its own.
    const auto alone = made(eval::Baseline::self_frame), shared = made(eval::Baseline::self_shared);
    ck_assert(alone.size() == 2 && alone[0].size == cv::Size(64, 48) && alone[0].samples.total() == 64 * 48 * 3 / 2);
    ck_assert_double_gt(cv::norm(alone[0].samples, frames[0].samples, cv::NORM_L1), 1000);
    ck_assert_double_gt(cv::norm(alone[0].samples, alone[1].samples, cv::NORM_L1), 100);
    ck_assert_double_le(cv::norm(shared[0].samples, shared[1].samples, cv::NORM_INF), 1);
}

int main() {
    return run_suite("eval_report", {ratios_are_those_of_the_frames_compared, json_has_the_scores,
                                     clips_that_say_little_are_written_too, table_shows_columns_and_ratios,
                                     baseline_is_the_template_without_what_ties_frames, baseline_pictures_come_from_the_library});
}
