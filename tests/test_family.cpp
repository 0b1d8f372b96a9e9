// SPDX-License-Identifier: LGPL-2.1-or-later
// The families of methods that make frames agree without attention between them: what they ask of the networks, and whole clips
// with a small pack of synthetic weights.
#include "support.h"
#include "vision_pictures.h"

#include <map>

#include "nn/aten.h"
#include "pipeline/atlas.h"
#include "pipeline/generator.h"
#include "pipeline/grid.h"
#include "pipeline/picture_tensor.h"
#include "pipeline/session.h"
#include "support_pack.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

const cv::Size size(64, 48);

// Stands for networks that give the source back: latents are the colours of cells of 4 pixels, what is known stays.
class EchoPainter final : public Painter {
public:
    FrameRequest request(const SourcePicture &source) override { return {to_tensor(source.picture), source.identity, {}}; }
    at::Tensor noise(const FrameRequest &, uint32_t, int64_t height, int64_t width) override {
        return at::zeros({3, height, width});
    }
    at::Tensor paint(const FrameRequest &frame) override {
        painted.push_back(frame);
        if (static_cast<int>(painted.size()) == fail_at)
            return {};
        const at::Tensor own = colors(frame.picture) * strength;
        return frame.known.defined() ? at::where(frame.known_at, frame.known, own) : own;
    }
    cv::Mat decode(const at::Tensor &latents) override {
        return to_picture(latents.repeat_interleave(4, 1).repeat_interleave(4, 2).unsqueeze(0));
    }
    at::Tensor encode(const cv::Mat &picture) override { return colors(to_tensor(picture)); }
    int cell() const override { return 4; }
    int stride() const override { return 8; }

    std::vector<FrameRequest> painted;
    double strength = 1; // of what is painted from now on
    int fail_at = -1;    // that picture is not finite

private:
    static at::Tensor colors(const at::Tensor &picture) { return at::avg_pool2d(picture, 4)[0].contiguous(); }
};

// Frames with sharp edges only between cells, so that cells hold them.
cv::Mat blocks(int seed, int left = 0) {
    cv::Mat small(size.height / 8, size.width / 8 + 8, CV_32FC3), large;
    cv::RNG random(static_cast<uint64_t>(seed) + 5);
    random.fill(small, cv::RNG::UNIFORM, 0.1, 0.9);
    cv::resize(small, large, {}, 8, 8, cv::INTER_NEAREST);
    return large(cv::Rect({left, 0}, size)).clone();
}

SourcePicture source(const cv::Mat &picture, int64_t identity) { return {picture, identity, {}}; }

double apart(const cv::Mat &a, const cv::Mat &b) { return cv::norm(a, b, cv::NORM_INF); }

Settings settings_of(const GoldenPack &pack, Method method) {
    Settings settings = pack.settings();
    settings.style.method = method;
    settings.style.seed = 11;
    settings.style.precision = Precision::float32;
    settings.steps = 2;
    return settings;
}

std::vector<SourcePicture> pan(int count) {
    const cv::Mat wide = scene_picture({size.width + 40, size.height}, 3);
    std::vector<SourcePicture> frames;
    for (int i = 0; i < count; i++)
        frames.push_back(source(wide(cv::Rect({2 * i, 0}, size)).clone(), i));
    return frames;
}

} // namespace

AIANIME_TEST(grid_shows_the_frame_before_beside_this_one) {
    EchoPainter painter;
    Grid grid(painter);
    const cv::Mat a = blocks(1), b = blocks(2), c = blocks(3);
    const std::vector<cv::Mat> made = grid.run({source(a, 0), source(b, 1)}, 0);
    ck_assert(made.size() == 2 && apart(made[0], a) < 1e-5 && apart(made[1], b) < 1e-5);
    ck_assert_uint_eq(painter.painted.size(), 2);
    ck_assert(!painter.painted[0].known.defined());
    const FrameRequest &both = painter.painted[1];
    ck_assert_int_eq(both.picture.size(3), 2 * size.width);
    ck_assert(both.picture.slice(3, 0, size.width).equal(to_tensor(a)) && both.picture.slice(3, size.width).equal(to_tensor(b)));
    const int64_t half = size.width / 4;
    ck_assert(both.known_at.slice(2, 0, half).all().item<bool>() && !both.known_at.slice(2, half).any().item<bool>());
    // The next segment goes on from there; another shot begins anew.
    grid.run({source(c, 2)}, 0);
    ck_assert(painter.painted[2].picture.slice(3, 0, size.width).equal(to_tensor(b)));
    grid.run({source(c, 5)}, 5);
    ck_assert(!painter.painted[3].known.defined());
    grid.run({source(c, 5)}, 5); // the clip from its begin once more
    ck_assert(!painter.painted[4].known.defined());
}

AIANIME_TEST(atlas_makes_a_still_shot_once) {
    EchoPainter painter;
    Atlas atlas(painter);
    const cv::Mat a = blocks(1), black = cv::Mat::zeros(size, CV_32FC3);
    for (const cv::Mat &frame : {a, black}) {
        painter.painted.clear();
        for (int64_t i = 0; i < 6; i += 3)
            for (const cv::Mat &picture : atlas.run({source(frame, i), source(frame, i + 1), source(frame, i + 2)}, 0)) {
                ck_assert(picture.size() == size);
                ck_assert_double_lt(apart(picture, frame), 1e-3);
            }
        ck_assert_uint_eq(painter.painted.size(), 1);
    }
}

// What later frames show is added in one picture, and what was made before is held in it.
AIANIME_TEST(atlas_grows_with_a_pan) {
    EchoPainter painter;
    Atlas atlas(painter);
    const cv::Mat wide = smooth_picture({size.width + 40, size.height}, 6, 0.1, 0.9, 16);
    std::vector<SourcePicture> frames;
    for (int i = 0; i < 9; i++)
        frames.push_back(source(wide(cv::Rect({2 * i, 0}, size)).clone(), i));
    painter.strength = 0.5;
    const auto made = atlas.run({frames.begin(), frames.begin() + 5}, 0);
    ck_assert_uint_eq(painter.painted.size(), 2);
    const FrameRequest &grown = painter.painted[1];
    ck_assert_int_gt(grown.picture.size(3), size.width);
    // The first frame is held but for its border, which is made again where it is no border any more.
    const auto held = grown.known_at.sum().item<int64_t>(), cells = int64_t{size.area() / 16};
    ck_assert_msg(held > cells / 2 && held <= cells - size.height / 4, "%ld of %ld", static_cast<long>(held),
                  static_cast<long>(cells));
    // The second segment keeps what the first made, also where it would be made otherwise now.
    painter.strength = 1;
    const auto more = atlas.run({frames.begin() + 5, frames.end()}, 0);
    const cv::Rect old(0, 0, 40, size.height);
    ck_assert_double_gt(psnr(more[0](old), 0.5 * frames[5].picture(old)), 21);
    ck_assert_double_gt(psnr(made[4], 0.5 * frames[4].picture), 25);
}

AIANIME_TEST(atlas_makes_frames_that_show_something_else) {
    EchoPainter painter;
    Atlas atlas(painter);
    cv::Mat a = blocks(1), b = a.clone();
    blocks(2)(cv::Rect(16, 16, 24, 24)).copyTo(b(cv::Rect(16, 16, 24, 24)));
    const auto made = atlas.run({source(a, 0), source(b, 1), source(b, 2), source(b, 3)}, 0);
    // Once for the first of them: the others look the same.
    ck_assert_uint_eq(painter.painted.size(), 2);
    ck_assert_int_eq(painter.painted[1].identity, 1);
    const at::Tensor held = painter.painted[1].known_at[0];
    ck_assert(held.slice(1, 12).all().item<bool>() && !held.slice(0, 5, 9).slice(1, 5, 9).any().item<bool>());
    for (size_t i = 1; i < 4; i++)
        ck_assert_double_gt(psnr(made[i], b), 25);
}

AIANIME_TEST(families_leave_all_as_it_was_after_a_failure) {
    EchoPainter painter;
    Atlas atlas(painter);
    Grid grid(painter);
    for (Family *family : {static_cast<Family *>(&atlas), static_cast<Family *>(&grid)}) {
        painter.painted.clear();
        painter.fail_at = -1;
        family->run({source(blocks(1), 0)}, 0);
        painter.fail_at = 2;
        ck_assert(family->run({source(blocks(2), 1)}, 0).empty());
        const FrameRequest failed = painter.painted[1];
        painter.fail_at = -1;
        ck_assert_uint_eq(family->run({source(blocks(2), 1)}, 0).size(), 1);
        ck_assert(painter.painted[2].picture.equal(failed.picture) && painter.painted[2].known.equal(failed.known));
    }
}

// The padding of a working picture is no part of the scene.
AIANIME_TEST(atlas_does_not_map_the_padding) {
    EchoPainter painter;
    Atlas atlas(painter);
    std::vector<SourcePicture> frames;
    for (int i = 0; i < 4; i++) {
        SourcePicture frame = source(blocks(1, 4 * i), i);
        frame.shown = {56, 40};
        frame.picture(cv::Rect(56, 0, 8, 48)).setTo(1);
        frames.push_back(frame);
    }
    const auto made = atlas.run(frames, 0);
    for (size_t i = 0; i < 4; i++) {
        ck_assert(made[i].size() == size);
        const cv::Rect inside(0, 0, 56, 40);
        ck_assert_double_gt(psnr(made[i](inside), frames[i].picture(inside)), 22);
    }
}

AIANIME_TEST(the_first_frame_is_the_picture) {
    const GoldenPack pack;
    Watch watch(nullptr, nullptr, nullptr);
    const std::vector<SourcePicture> frames = pan(3);
    const auto first = [&](const Settings &settings, size_t count) {
        const c10::InferenceMode inference;
        return Generator(settings, watch).run({frames.begin(), frames.begin() + static_cast<int64_t>(count)}, {frames[0]}).front();
    };
    const cv::Mat picture = first(settings_of(pack, Method::attention), 1);
    for (Method method : {Method::atlas, Method::grid})
        ck_assert_double_lt(apart(first(settings_of(pack, method), 2), picture), 1e-4);
}

AIANIME_TEST(segments_go_on_where_the_last_ended) {
    const GoldenPack pack;
    const c10::InferenceMode inference;
    Watch watch(nullptr, nullptr, nullptr);
    const std::vector<SourcePicture> frames = pan(4);
    const Settings settings = settings_of(pack, Method::grid);
    const auto made = [&](int64_t segment) {
        Generator generator(settings, watch);
        ck_assert(generator.is_sequential());
        std::vector<cv::Mat> all;
        for (int64_t i = 0; i < 4; i += segment)
            for (const cv::Mat &picture : generator.run({frames.begin() + i, frames.begin() + i + segment}, {frames[0]}))
                all.push_back(picture);
        return all;
    };
    const auto whole = made(4), pieces = made(1), alone = Generator(settings, watch).run({frames[3]}, {frames[3]});
    for (size_t i = 0; i < 4; i++)
        ck_assert_double_lt(apart(whole[i], pieces[i]), 1e-4);
    ck_assert_double_gt(apart(whole[3], alone[0]), 1e-3); // the frame before matters
}

// Whole clips through the session that the filter drives, which makes segments of 4 frames and finds the cuts.
namespace {

using Draw = std::function<cv::Mat(int)>;

struct Clip {
    std::vector<std::vector<uint8_t>> frames; // as they came out, gray
    int shots = 0;
};

aianime_frame gray_frame(std::vector<uint8_t> &samples, int64_t pts) {
    aianime_frame frame{};
    frame.struct_size = sizeof(frame);
    frame.format.model = AIANIME_GRAY;
    frame.format.components = 1;
    frame.format.component[0] = {0, 1, 0, 0, 8};
    frame.width = size.width;
    frame.height = size.height;
    frame.data[0] = samples.data();
    frame.linesize[0] = size.width;
    frame.matrix = 2;
    frame.pts = pts;
    frame.duration = 1;
    return frame;
}

Clip through_session(const GoldenPack &pack, const std::string &method, int count, const Draw &draw) {
    const c10::InferenceMode inference;
    const TempFolder folder;
    write_file(folder.path("t.json"),
               R"({"schema": 1, "model": {"precision": "float32"}, "coherence": {"segment": 4, "method": ")" + method +
                   R"("}, "time": {"generate_fps": 0}})");
    const std::string look = folder.path("t.json"), models = pack.folder().substr(0, pack.folder().rfind('/'));
    aianime_settings given{};
    given.struct_size = sizeof(given);
    given.template_path = look.c_str();
    given.models_path = models.c_str();
    given.width = size.width;
    given.height = size.height;
    given.time_base = {1, 10};
    given.given = AIANIME_SET_SIZE | AIANIME_SET_STEPS;
    given.size = size.height;
    given.steps = 1;
    Session session(given);
    Clip clip;
    std::vector<std::vector<uint8_t>> in(static_cast<size_t>(count));
    for (int i = 0; i < count; i++) {
        cv::Mat gray;
        draw(i).convertTo(gray, CV_8U, 255);
        in[static_cast<size_t>(i)].assign(gray.begin<uint8_t>(), gray.end<uint8_t>());
        session.send(gray_frame(in[static_cast<size_t>(i)], i));
    }
    session.drain();
    std::vector<uint8_t> out(static_cast<size_t>(size.area()));
    aianime_frame frame = gray_frame(out, -1);
    for (; session.receive(frame) == AIANIME_OK; clip.frames.push_back(out)) {
        ck_assert_int_eq(frame.pts, static_cast<int64_t>(clip.frames.size()));
        ck_assert_int_eq(frame.origin, AIANIME_ORIGIN_GENERATED);
        clip.shots = frame.shot + 1;
    }
    return clip;
}

cv::Mat gray_scene(int seed, int left) {
    cv::Mat gray;
    cv::cvtColor(scene_picture({size.width + 40, size.height}, seed), gray, cv::COLOR_RGB2GRAY);
    return gray(cv::Rect({left, 0}, size)).clone();
}

} // namespace

// A pan over the border of two segments, a cut, a shot that stands still and goes black.
AIANIME_TEST(clips_come_out_whole) {
    const GoldenPack pack;
    const auto draw = [](int i) {
        return i < 5 ? gray_scene(1, i) : i < 8 ? cv::Mat(1 - gray_scene(6, 0)) : cv::Mat(cv::Mat::zeros(size, CV_32FC1));
    };
    // Each shot's first frame is as the picture alone; another batch may round otherwise.
    std::map<int, std::vector<uint8_t>> pictures;
    const auto expect_picture = [&](const std::vector<uint8_t> &made, int number, const char *method) {
        if (pictures.count(number) == 0)
            pictures[number] = through_session(pack, "attention", 1, [&](int) { return draw(number); }).frames[0];
        for (size_t p = 0; p < made.size(); p++)
            ck_assert_msg(std::abs(made[p] - pictures[number][p]) <= 1, "%s, frame %d", method, number);
    };
    for (const char *method : {"atlas", "grid"}) {
        const Clip made = through_session(pack, method, 11, draw);
        ck_assert_msg(made.frames.size() == 11 && made.shots == 2, "%s: %zu frames, %d shots", method, made.frames.size(),
                      made.shots);
        for (int first : {0, 5})
            expect_picture(made.frames[static_cast<size_t>(first)], first, method);
    }
    expect_picture(through_session(pack, "grid", 1, draw).frames.at(0), 0, "grid");
}

// A method that cannot work with the rest of the template says so before anything is loaded.
AIANIME_TEST(what_a_method_needs_or_cannot_go_with) {
    const GoldenPack pack;
    const TempFolder folder;
    const auto resolve = [&](const std::string &groups) {
        write_file(folder.path("t.json"), "{\"schema\": 1, " + groups + "}");
        return pack.settings(folder.path("t.json"));
    };
    const std::string temporal = R"(, "controls": [{}, {"type": "temporal", "model": "pocket/controlnet"}])";
    expect_error([&] { resolve(R"("coherence": {"method": "temporalnet"})"); }, AIANIME_BAD_DATA,
                 "t: coherence.method: \"temporalnet\" needs a ControlNet that is shown the frame before");
    const Settings settings = resolve(R"("coherence": {"method": "temporalnet", "attention": "anchors"})" + temporal);
    ck_assert(settings.style.attention == nn::AttentionMode::self && settings.controls.size() == 2);
    for (const std::string method : {"grid", "atlas"}) {
        expect_error([&] { resolve(R"("coherence": {"method": ")" + method + "\"}" + temporal); }, AIANIME_BAD_DATA, "temporal");
        expect_error([&] { resolve(R"("model": {"motion": "pocket/unet"}, "coherence": {"method": ")" + method + "\"}"); },
                     AIANIME_BAD_DATA, "motion module");
    }
}

int main() {
    return run_suite("family", {grid_shows_the_frame_before_beside_this_one, atlas_makes_a_still_shot_once, atlas_grows_with_a_pan,
                                atlas_makes_frames_that_show_something_else, families_leave_all_as_it_was_after_a_failure,
                                atlas_does_not_map_the_padding, the_first_frame_is_the_picture, segments_go_on_where_the_last_ended,
                                clips_come_out_whole, what_a_method_needs_or_cannot_go_with});
}
