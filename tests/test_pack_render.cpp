// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures through models/pocket, as training measures a pack.
#include "support.h"
#include "vision_pictures.h"

#include <cstdlib>
#include <filesystem>

#include "io/paths.h"
#include "train/measures.h"
#include "train/pack_render.h"

using namespace aianime;

namespace {

std::string pocket() { return tests_folder() + "/../models/pocket"; }

train::RenderOptions quick(const std::string &prompt) {
    train::RenderOptions options;
    options.prompt = prompt;
    options.steps = 2;
    options.precision = "float32";
    return options;
}

} // namespace

AIANIME_TEST(pictures_of_several_sizes) {
    const train::PackRenderer renderer(pocket(), {});
    const cv::Mat wide = scene_picture({96, 64}, 1), tall = scene_picture({64, 96}, 2);
    const train::Rendered made = renderer.pictures({wide, wide, tall}, quick("pop anime style"));
    ck_assert_int_eq(made.pictures.size(), 3);
    ck_assert(made.pictures[0].size() == wide.size() && made.pictures[2].size() == tall.size());
    ck_assert_int_eq(made.pictures[0].type(), CV_32FC3);
    ck_assert_int_eq(made.seconds.size(), 3);
    ck_assert_double_gt(made.seconds[2], 0);
    ck_assert_double_eq(train::psnr(made.pictures[0], made.pictures[1]), 99); // each is a clip of its own
    ck_assert_double_gt(train::psnr(made.pictures[0], wide), 8);              // and still shows its source
    ck_assert_double_lt(train::psnr(made.pictures[0], wide), 40);
}

AIANIME_TEST(prompt_seed_and_steps_matter) {
    const train::PackRenderer renderer(pocket(), {});
    const cv::Mat source = scene_picture({96, 64}, 1);
    const auto made = [&](const train::RenderOptions &options) { return renderer.pictures({source}, options).pictures[0]; };
    const train::RenderOptions pop = quick("pop anime style");
    train::RenderOptions seed = pop, steps = pop;
    seed.seed = 2;
    steps.steps = 1;
    const cv::Mat picture = made(pop);
    ck_assert_double_lt(train::psnr(picture, made(quick("ink manga style"))), 30);
    ck_assert_double_lt(train::psnr(picture, made(seed)), 60);
    ck_assert_double_lt(train::psnr(picture, made(steps)), 60);
    ck_assert_double_eq(train::psnr(picture, made(pop)), 99);
}

AIANIME_TEST(frames_of_a_clip) {
    const train::PackRenderer renderer(pocket(), {});
    const cv::Mat frame = scene_picture({96, 64}, 3);
    train::RenderOptions options = quick("pop anime style");
    const train::Rendered alone = renderer.clip({frame, frame}, options);
    ck_assert_int_eq(alone.pictures.size(), 2);
    ck_assert_double_lt(train::psnr(alone.pictures[0], alone.pictures[1]), 60); // noise of its own
    options.shared_noise = true;
    const train::Rendered shared = renderer.clip({frame, frame}, options);
    ck_assert_double_gt(train::psnr(shared.pictures[0], shared.pictures[1]), 60);
    ck_assert_int_eq(renderer.clip({}, options).pictures.size(), 0);
}

AIANIME_TEST(stops_when_asked) {
    int asked = 0;
    train::Report report;
    report.stop_wanted = [&] { return ++asked > 1; };
    const cv::Mat source = scene_picture({64, 64}, 1);
    ck_assert_int_eq(train::PackRenderer(pocket(), report).pictures({source, source, source}, quick("")).pictures.size(), 1);
}

AIANIME_TEST(failures_have_the_librarys_words) {
    const TempFolder empty, temporary;
    setenv("TMPDIR", temporary.path().c_str(), 1);
    expect_error([] { return train::PackRenderer("none", {}); }, AIANIME_NOT_FOUND, "none");
    const cv::Mat source = scene_picture({64, 64}, 1);
    expect_error([&] { return train::PackRenderer(empty.path(), {}).pictures({source}, quick("")); }, AIANIME_BAD_DATA,
                 "neither a pack");
    const train::PackRenderer renderer(pocket(), {});
    train::RenderOptions options = quick("");
    options.attention = "all";
    expect_error([&] { return renderer.pictures({source}, options); }, AIANIME_BAD_DATA, "coherence.attention");
    options = quick("");
    options.lora = "none.safetensors";
    expect_error([&] { return renderer.pictures({source}, options); }, AIANIME_NOT_FOUND, "none.safetensors");
    expect_error([&] { return renderer.pictures({cv::Mat(64, 64, CV_8UC3)}, quick("")); }, AIANIME_INVALID, "float");
    expect_error([&] { return renderer.pictures({source(cv::Rect(0, 0, 8, 8))}, quick("")); }, AIANIME_OUT_OF_RANGE, "larger");
    using Entries = std::filesystem::directory_iterator;
    ck_assert_int_eq(std::distance(Entries(temporary.path()), Entries()), 1); // this renderer's, not those of the others
}

int main() {
    return run_suite("pack_render", {pictures_of_several_sizes, prompt_seed_and_steps_matter, frames_of_a_clip, stops_when_asked,
                                     failures_have_the_librarys_words});
}
