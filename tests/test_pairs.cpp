// SPDX-License-Identifier: LGPL-2.1-or-later
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <filesystem>
#include <set>

#include "nn/aten.h"
#include "support.h"
#include "train/clip_pairs.h"
#include "train/pair_file.h"
#include "train/pairs.h"

using namespace aianime;

namespace {

void write_pictures(const std::string &folder, int count) {
    std::filesystem::create_directories(folder);
    for (int i = 0; i < count; i++) {
        cv::Mat picture(300, 400, CV_8UC3, cv::Scalar(40 + 30 * i, 120, 200 - 20 * i));
        cv::circle(picture, {120 + 40 * i, 150}, 70, cv::Scalar(200, 220, 40 * i), cv::FILLED);
        cv::imwrite(folder + "/" + std::to_string(i) + ".png", picture);
    }
}

train::PairOptions options_in(const TempFolder &folder) {
    train::PairOptions options;
    options.pictures = folder.path("pictures");
    options.kept = folder.path("pairs");
    options.count = 6;
    options.scenes = 0;
    options.least = 128;
    options.most = 160;
    return options;
}

} // namespace

AIANIME_TEST(pairs_are_made_once) {
    const TempFolder folder;
    write_pictures(folder.path("pictures"), 3);
    const train::PairSet made(options_in(folder), {});
    ck_assert_int_eq(static_cast<int>(made.size()), 6);
    std::map<std::string, std::filesystem::file_time_type> times;
    for (const auto &entry : std::filesystem::directory_iterator(folder.path("pairs")))
        times[entry.path()] = std::filesystem::last_write_time(entry);
    ck_assert_int_eq(static_cast<int>(times.size()), 6);
    const train::PairSet again(options_in(folder), {});
    for (const auto &entry : std::filesystem::directory_iterator(folder.path("pairs")))
        ck_assert(times.at(entry.path()) == std::filesystem::last_write_time(entry));
    for (size_t i = 0; i < made.size(); i++)
        ck_assert(cv::norm(made[i].source, again[i].source, cv::NORM_INF) == 0 &&
                  cv::norm(made[i].base.lines, again[i].base.lines, cv::NORM_INF) == 0 &&
                  cv::norm(made[i].base.marks, again[i].base.marks, cv::NORM_INF) == 0);
    // Stopped while they are made: what there is serves, the rest follows.
    const TempFolder other;
    write_pictures(other.path("pictures"), 3);
    train::Report report;
    int asked = 0;
    report.stop_wanted = [&asked] { return ++asked > 2; };
    ck_assert(train::PairSet(options_in(other), report).size() < 6);
    ck_assert_int_eq(static_cast<int>(train::PairSet(options_in(other), {}).size()), 6);
}

AIANIME_TEST(a_share_of_the_pairs_is_scenes) {
    const TempFolder folder;
    write_pictures(folder.path("pictures"), 2);
    // The photographs are all 4:3, scenes have any shape.
    const auto others = [&](double share) {
        train::PairOptions options = options_in(folder);
        options.scenes = share;
        const train::PairSet pairs(options, {});
        int count = 0;
        for (size_t i = 0; i < pairs.size(); i++) {
            const cv::Size size = pairs[i].source.size();
            count += std::abs(static_cast<double>(size.width) / size.height - 4.0 / 3) > 0.02;
        }
        return count;
    };
    ck_assert_int_eq(others(0), 0);
    ck_assert_int_ge(others(1), 4);
}

AIANIME_TEST(a_damaged_pair_is_refused) {
    const TempFolder folder;
    write_pictures(folder.path("pictures"), 2);
    const train::PairSet made(options_in(folder), {});
    const std::string victim = std::filesystem::directory_iterator(folder.path("pairs"))->path();
    write_file(victim, "no picture");
    expect_error([&] { train::PairSet(options_in(folder), {}); }, AIANIME_BAD_DATA, "made anew");
}

AIANIME_TEST(batches_depend_on_their_seed_only) {
    const TempFolder folder;
    write_pictures(folder.path("pictures"), 3);
    const train::PairSet pairs(options_in(folder), {});
    train::BatchOptions options;
    options.pictures = 4;
    options.side = 64;
    const train::Batch one = pairs.batch(options, 5), same = pairs.batch(options, 5), other = pairs.batch(options, 6);
    ck_assert(one.source.equal(same.source) && one.target.equal(same.target) && one.prompts == same.prompts);
    ck_assert(!one.source.equal(other.source));
    ck_assert(one.source.sizes().equals({4, 3, 64, 64}) && one.source.min().item<float>() >= 0 &&
              one.source.max().item<float>() <= 1);
    ck_assert(one.target.min().item<float>() < 0 && one.target.max().item<float>() <= 1);
}

AIANIME_TEST(prompts_say_what_the_target_shows) {
    const TempFolder folder;
    write_pictures(folder.path("pictures"), 3);
    const train::PairSet pairs(options_in(folder), {});
    train::BatchOptions options;
    options.pictures = 300;
    options.side = 16;
    const train::Batch batch = pairs.batch(options, 1);
    int empty = 0, free = 0, named = 0;
    std::set<size_t> styles;
    for (size_t i = 0; i < 300; i++) {
        const std::string &prompt = batch.prompts[i];
        const bool undetermined = batch.undetermined[static_cast<int64_t>(i)].item<bool>();
        styles.insert(batch.styles[i]);
        if (prompt.empty()) {
            empty++;
            ck_assert(undetermined);
            continue;
        }
        ck_assert(prompt.find(train::cel_styles()[batch.styles[i]].prompt) != std::string::npos);
        const bool says_free = prompt.find("new colors") != std::string::npos;
        ck_assert(says_free == undetermined);
        free += says_free;
        named += prompt.find(" backdrop") != std::string::npos || prompt.find(" clothes") != std::string::npos;
    }
    ck_assert(styles.size() == train::cel_styles().size());
    ck_assert_msg(empty > 12 && empty < 60 && free > 20 && free < 80 && named > 20 && named < 80, "%d %d %d", empty, free, named);
}

// Pictures under a moving camera, as there are no clips.
AIANIME_TEST(clips_in_one_palette) {
    const TempFolder folder;
    write_pictures(folder.path("pictures"), 3);
    const train::PairSet pairs(options_in(folder), {});
    const train::ClipPairs clips(options_in(folder), pairs, 10, {});
    ck_assert_int_eq(static_cast<int>(clips.size()), 0);
    train::ClipBatchOptions options;
    options.clips = 12;
    options.frames = 3;
    options.side = 64;
    const train::ClipBatch batch = clips.batch(options, 3), same = clips.batch(options, 3);
    ck_assert(batch.source.sizes().equals({12, 3, 3, 64, 64}) && batch.target.sizes().equals(batch.source.sizes()));
    ck_assert(batch.source.equal(same.source) && batch.target.equal(same.target) && batch.other.equal(same.other));
    int open = 0;
    for (int64_t i = 0; i < 12; i++) {
        const bool says = batch.prompts[static_cast<size_t>(i)].find("new colors") != std::string::npos;
        open += says;
        // Frames of their own choice differ from the clip's palette only where the palette is open.
        ck_assert(says || batch.other[i].equal(batch.target[i]));
        const double moved = (batch.source[i][0] - batch.source[i][2]).abs().mean().item<double>();
        ck_assert(moved > 1e-4);
    }
    ck_assert(open >= 5 && open < 12);
    // Mean colours of the frames: alike in one palette.
    const auto spread = [](const at::Tensor &pictures) { return pictures.mean({3, 4}).std(1).mean().item<double>(); };
    ck_assert_msg(spread(batch.target) < 0.4 * spread(batch.other), "%g %g", spread(batch.target), spread(batch.other));
}

int main() {
    return run_suite("pairs", {pairs_are_made_once, a_share_of_the_pairs_is_scenes, a_damaged_pair_is_refused,
                               batches_depend_on_their_seed_only, prompts_say_what_the_target_shows, clips_in_one_palette});
}
