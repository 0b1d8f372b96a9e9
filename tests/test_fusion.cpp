// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"
#include "vision_pictures.h"

#include "vision/fusion.h"

using namespace aianime;

namespace {

const cv::Size size(224, 160);
const cv::Rect inside(40, 40, 144, 80);

struct Clip {
    std::vector<cv::Mat> sources, looks, stylized; // looks: stylized without what chance adds
};

cv::Mat grain(int seed, double sigma) {
    cv::RNG random(static_cast<uint64_t>(seed) + 1000);
    cv::Mat noise(size, CV_32FC3);
    random.fill(noise, cv::RNG::NORMAL, 0, sigma);
    return noise;
}

// A camera that moves by `step` a frame; the look is the picture's negative.
Clip moving_clip(int count, int step, double sigma) {
    const cv::Mat wide = scene_picture({size.width + 80, size.height}, 3);
    Clip clip;
    for (int i = 0; i < count; i++) {
        clip.sources.push_back(wide(cv::Rect(cv::Point(i * step, 0), size)).clone());
        clip.looks.push_back(cv::Scalar::all(1) - clip.sources.back());
        clip.stylized.push_back(clip.looks.back() + grain(i, sigma));
    }
    return clip;
}

std::vector<cv::Mat> fuse(const Clip &clip, size_t reach, size_t kept = 0) {
    const auto motions = [&](size_t from, size_t to) {
        ck_assert_uint_lt(from, to);
        return vision::motions(vision::luma(clip.sources[from]), vision::luma(clip.sources[to]));
    };
    vision::MotionFusion fusion(reach, motions);
    std::vector<cv::Mat> fused;
    for (size_t i = 0; i < clip.stylized.size(); i++) {
        fusion.add(clip.sources[i], clip.stylized[i], i < kept);
        while (const std::optional<cv::Mat> picture = fusion.take())
            fused.push_back(*picture);
        ck_assert_uint_eq(fused.size(), i < reach ? 0 : i + 1 - reach); // as soon as it can be
    }
    fusion.finish();
    while (const std::optional<cv::Mat> picture = fusion.take())
        fused.push_back(*picture);
    ck_assert_uint_eq(fused.size(), clip.stylized.size());
    return fused;
}

double gain(const Clip &clip, const std::vector<cv::Mat> &fused, size_t i) {
    return psnr(fused[i](inside), clip.looks[i](inside)) - psnr(clip.stylized[i](inside), clip.looks[i](inside));
}

bool same(const cv::Mat &a, const cv::Mat &b) { return cv::norm(a, b, cv::NORM_INF) == 0; }

} // namespace

// The mean of n pictures has 1/n of the squared error: 7.0 dB for 5, 4.8 dB for 3 at the ends.
AIANIME_TEST(what_chance_adds_averages_out) {
    const Clip still = moving_clip(7, 0, 0.08);
    const std::vector<cv::Mat> fused = fuse(still, 2);
    ck_assert_double_eq_tol(gain(still, fused, 3), 7.0, 0.3);
    ck_assert_double_eq_tol(gain(still, fused, 0), 4.8, 0.3);
    ck_assert_double_eq_tol(gain(still, fuse(still, 1), 3), 4.8, 0.3);
}

AIANIME_TEST(things_are_followed) {
    const Clip clip = moving_clip(5, 4, 0.08);
    ck_assert_double_gt(gain(clip, fuse(clip, 2), 2), 4);
    const Clip clean = moving_clip(5, 4, 0);
    ck_assert_double_gt(psnr(fuse(clean, 2)[2](inside), clean.looks[2](inside)), 36);
}

// Light that changes in the source changes the look, and nothing is mixed over it.
AIANIME_TEST(other_light_is_left) {
    Clip clip = moving_clip(4, 0, 0);
    for (size_t i = 2; i < 4; i++) {
        clip.sources[i] = clip.sources[i] * 0.5;
        clip.stylized[i] = cv::Mat(size, CV_32FC3, cv::Scalar::all(0.2));
    }
    const std::vector<cv::Mat> fused = fuse(clip, 2);
    cv::Mat bright = clip.sources[0] > 0.5; // where half as bright is far away in all channels
    cv::Mat parts[3], mask;
    cv::split(bright, parts);
    mask = parts[0] & parts[1] & parts[2];
    cv::erode(mask, mask, cv::Mat::ones(9, 9, CV_8U));
    ck_assert_int_gt(cv::countNonZero(mask), 200);
    ck_assert_double_lt(cv::norm(fused[1], clip.stylized[1], cv::NORM_INF, mask), 0.02);
}

AIANIME_TEST(kept_and_empty_pictures) {
    Clip clip = moving_clip(4, 2, 0.05);
    const std::vector<cv::Mat> kept = fuse(clip, 2, 1);
    ck_assert(same(kept[0], clip.stylized[0]) && !same(kept[1], clip.stylized[1]));
    clip.stylized[1] = cv::Mat();
    const std::vector<cv::Mat> fused = fuse(clip, 1);
    ck_assert(fused[1].empty() && same(fused[0], clip.stylized[0]) && !same(fused[2], clip.stylized[2]));
}

AIANIME_TEST(nothing_to_fuse) {
    const Clip one = moving_clip(1, 0, 0.05), two = moving_clip(2, 0, 0.05);
    ck_assert(same(fuse(one, 2)[0], one.stylized[0]));
    ck_assert(same(fuse(two, 0)[0], two.stylized[0]));
    ck_assert(fuse({}, 2).empty());
}

int main() {
    return run_suite("fusion", {what_chance_adds_averages_out, things_are_followed, other_light_is_left, kept_and_empty_pictures,
                                nothing_to_fuse});
}
