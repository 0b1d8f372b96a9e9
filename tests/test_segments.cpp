// SPDX-License-Identifier: LGPL-2.1-or-later
// A shot's segments made in shares, by sessions that know nothing of each other.
#include <ATen/core/grad_mode.h>

#include "pipeline/shot.h"
#include "support.h"
#include "support_pack.h"
#include "vision/key_frame.h"
#include "vision_pictures.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

constexpr int64_t frame_count = 30;
const cv::Size size(64, 48);

// A camera that moves over a scene, 10 frames a second.
std::vector<SourcePicture> clip() {
    const cv::Mat wide = scene_picture({size.width + 3 * static_cast<int>(frame_count), size.height}, 9);
    std::vector<SourcePicture> frames;
    for (int i = 0; i < frame_count; i++)
        frames.push_back({wide(cv::Rect(cv::Point(3 * i, 0), size)).clone(), int64_t{100000} * i});
    return frames;
}

Settings settings_of(const GoldenPack &pack, nn::AttentionMode attention) {
    Settings settings = pack.settings();
    settings.style.attention = attention;
    settings.style.noise = NoiseMode::frame;
    settings.style.window = 4;
    settings.style.overlap = 2;
    settings.style.segment = 6;
    settings.steps = 2;
    settings.fusion = 1;
    settings.identity.faces = false;
    settings.caption = CaptionSource::none;
    return settings;
}

// What the filter makes of the clip as one shot.
std::vector<cv::Mat> whole(const Settings &settings) {
    Watch watch(nullptr, nullptr, nullptr);
    Generator generator(settings, watch);
    int next_segment = 0;
    const vision::WorkingSize working = vision::working_size(size, 0, generator.stride());
    Understanding understanding(settings, {}, watch, nullptr);
    Shot shot(0, settings, working, generator, understanding, watch, next_segment);
    std::vector<std::shared_ptr<GeneratedFrame>> frames;
    for (const SourcePicture &source : clip()) {
        frames.push_back(std::make_shared<GeneratedFrame>());
        frames.back()->source = source;
        shot.add(frames.back(), source.picture);
    }
    shot.finish();
    std::vector<cv::Mat> pictures;
    for (const auto &frame : frames)
        pictures.push_back(frame->neighbour.stylized);
    return pictures;
}

// What is done once a shot is put together again.
std::vector<cv::Mat> fused(const Settings &settings, const std::vector<cv::Mat> &pictures) {
    Watch watch(nullptr, nullptr, nullptr);
    ShotFusion fusion(settings, {}, watch);
    const std::vector<SourcePicture> frames = clip();
    for (size_t i = 0; i < frames.size(); i++)
        fusion.add(frames[i].picture, pictures[i]);
    fusion.finish();
    std::vector<cv::Mat> result;
    while (const std::optional<cv::Mat> picture = fusion.take())
        result.push_back(*picture);
    return result;
}

// Each share is a session of its own, with the segments k, k + shares, k + 2 shares and so on, the last first.
std::vector<cv::Mat> in_shares(const Settings &settings, const std::vector<SourcePicture> &anchors, int shares) {
    const std::vector<SourcePicture> frames = clip();
    const int64_t length = settings.style.segment, shared = settings.style.overlap;
    std::vector<std::pair<int64_t, int64_t>> segments;
    for (int64_t begin = 0; segments.empty() || segments.back().second < frame_count; begin += length - shared)
        segments.emplace_back(begin, std::min(begin + length, frame_count));
    std::vector<std::vector<cv::Mat>> made(segments.size());
    for (int share = 0; share < shares; share++) {
        Watch watch(nullptr, nullptr, nullptr);
        Generator generator(settings, watch);
        for (size_t k = segments.size(); k-- > 0;)
            if (static_cast<int>(k) % shares == share) {
                const auto [begin, end] = segments[k];
                made[k] = generator.run({frames.begin() + begin, frames.begin() + end}, anchors);
            }
    }
    std::vector<cv::Mat> pictures = made[0];
    for (size_t k = 1; k < made.size(); k++)
        for (size_t i = 0; i < made[k].size(); i++) {
            const size_t frame = static_cast<size_t>(segments[k].first) + i;
            if (frame < pictures.size())
                pictures[frame] = cross_faded(pictures[frame], made[k][i], i, static_cast<size_t>(shared));
            else
                pictures.push_back(made[k][i]);
        }
    return fused(settings, pictures);
}

// The shot's first frame and its key frame, as Shot chooses them.
std::vector<SourcePicture> anchors_of(const Settings &settings) {
    const std::vector<SourcePicture> frames = clip();
    size_t best = 0;
    double best_score = -1;
    for (size_t i = 0; i < static_cast<size_t>(settings.style.segment); i++) {
        const double score =
            vision::key_frame_score(vision::key_frame_parts(frames[i].picture, i ? frames[i - 1].picture : cv::Mat()));
        if (score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best ? std::vector<SourcePicture>{frames[0], frames[best]} : std::vector<SourcePicture>{frames[0]};
}

void expect_any_split_is_the_same(nn::AttentionMode attention) {
    const c10::InferenceMode inference;
    const GoldenPack pack;
    const Settings settings = settings_of(pack, attention);
    const std::vector<cv::Mat> expected = whole(settings);
    ck_assert_uint_eq(expected.size(), static_cast<size_t>(frame_count));
    for (int shares : {1, 2, 4, 7}) {
        const std::vector<cv::Mat> found = in_shares(settings, anchors_of(settings), shares);
        ck_assert_uint_eq(found.size(), expected.size());
        for (size_t i = 0; i < found.size(); i++)
            ck_assert_msg(cv::norm(found[i], expected[i], cv::NORM_INF) == 0, "frame %zu of %d shares differs by %g", i, shares,
                          cv::norm(found[i], expected[i], cv::NORM_INF));
    }
}

} // namespace

AIANIME_TEST(any_split_is_the_same_with_anchors) { expect_any_split_is_the_same(nn::AttentionMode::anchors); }

AIANIME_TEST(any_split_is_the_same_with_flow) { expect_any_split_is_the_same(nn::AttentionMode::flow); }

AIANIME_TEST(any_split_is_the_same_with_windows) { expect_any_split_is_the_same(nn::AttentionMode::window); }

AIANIME_TEST(fades_from_one_version_to_the_other) {
    const cv::Mat black = cv::Mat::zeros(2, 2, CV_32FC3), white(2, 2, CV_32FC3, cv::Scalar::all(1));
    ck_assert_float_eq_tol(cross_faded(black, white, 0, 3).at<cv::Vec3f>(0, 0)[0], 0.25f, 1e-6f);
    ck_assert_float_eq_tol(cross_faded(black, white, 2, 3).at<cv::Vec3f>(0, 0)[0], 0.75f, 1e-6f);
    ck_assert(cross_faded({}, white, 0, 3).data == white.data && cross_faded(black, {}, 0, 3).data == black.data);
}

int main() {
    return run_suite("segments",
                     {any_split_is_the_same_with_anchors, any_split_is_the_same_with_flow, any_split_is_the_same_with_windows,
                      fades_from_one_version_to_the_other},
                     300);
}
