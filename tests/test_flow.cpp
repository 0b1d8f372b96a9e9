// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support.h"
#include "vision_pictures.h"

#include "io/safetensors.h"
#include "vision/compact_flow.h"
#include "vision/flow.h"
#include "vision/flow_picture.h"

#include <thread>

using namespace aianime::vision;

namespace {

const cv::Size size(320, 192);

// `picture` seen by a camera that moved by (dx, dy): what was at p is at p + (dx, dy).
cv::Mat shifted(const cv::Mat &wide, int dx, int dy) { return wide(cv::Rect(cv::Point(40 - dx, 40 - dy), size)).clone(); }

// Median of each component away from the border.
cv::Vec2d typical(const cv::Mat &flow) {
    cv::Mat parts[2];
    cv::split(flow(cv::Rect(48, 48, flow.cols - 96, flow.rows - 96)).clone(), parts);
    cv::Vec2d result;
    for (int i = 0; i < 2; i++) {
        std::vector<float> values(parts[i].begin<float>(), parts[i].end<float>());
        std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
        result[i] = values[values.size() / 2];
    }
    return result;
}

} // namespace

// tests/golden/make_flow_picture.py
AIANIME_TEST(flow_as_torchvision_paints_it) {
    const aianime::io::SafetensorsFile golden(tests_folder() + "/golden/flow_picture/pair.safetensors");
    cv::Mat vectors(24, 32, CV_32FC2), wanted(24, 32, CV_8UC3), found;
    golden.read("flow", vectors.data);
    golden.read("picture", wanted.data);
    flow_picture(vectors).convertTo(found, CV_8UC3, 255);
    // Sums in another order may fall on the other side of a whole number.
    ck_assert_double_le(cv::norm(found, wanted, cv::NORM_INF), 1);
    ck_assert_double_le(cv::norm(found, wanted, cv::NORM_L1), 20);
    ck_assert(found.at<cv::Vec3b>(0, 0) == cv::Vec3b(255, 255, 255));
}

AIANIME_TEST(finds_a_shift) {
    const cv::Mat wide = scene_picture({size.width + 80, size.height + 80}, 2);
    const cv::Mat here = luma(shifted(wide, 0, 0));
    const int shifts[][2] = {{0, 0}, {1, 0}, {-3, 5}, {14, -9}, {30, 0}};
    for (const auto &shift : shifts) {
        const cv::Mat found = flow(here, luma(shifted(wide, shift[0], shift[1])));
        ck_assert(found.type() == CV_32FC2 && found.size() == size);
        const cv::Vec2d middle = typical(found);
        ck_assert_msg(std::abs(middle[0] - shift[0]) < 0.3 && std::abs(middle[1] - shift[1]) < 0.3,
                      "shift %d,%d found as %.2f,%.2f", shift[0], shift[1], middle[0], middle[1]);
    }
}

AIANIME_TEST(warp_brings_the_other_picture_here) {
    const cv::Mat wide = scene_picture({size.width + 80, size.height + 80}, 5);
    const cv::Mat here = shifted(wide, 0, 0), there = shifted(wide, 6, -4);
    const cv::Rect inside(32, 32, size.width - 64, size.height - 64);
    const cv::Mat carried = warp(there, flow(luma(here), luma(there)));
    ck_assert_double_gt(psnr(carried(inside), here(inside)), psnr(there(inside), here(inside)) + 10);
    // A whole-pixel flow moves pixels as they are.
    const cv::Mat exact = warp(there, cv::Mat(size, CV_32FC2, cv::Scalar(6, -4)));
    ck_assert_double_lt(cv::norm(exact(inside), here(inside), cv::NORM_INF), 1e-6);
}

AIANIME_TEST(warp_repeats_the_border) {
    cv::Mat ramp(4, 8, CV_32FC1);
    for (int x = 0; x < 8; x++)
        ramp.col(x).setTo(x);
    const cv::Mat out = warp(ramp, cv::Mat(4, 8, CV_32FC2, cv::Scalar(5, -7)));
    ck_assert_float_eq(out.at<float>(0, 1), 6);
    ck_assert_float_eq(out.at<float>(2, 7), 7);
}

AIANIME_TEST(consistency_of_known_flows) {
    const cv::Size small(64, 48);
    const cv::Mat right(small, CV_32FC2, cv::Scalar(4, 0)), left(small, CV_32FC2, cv::Scalar(-4, 0));
    const cv::Mat agree = consistency(right, left), disagree = consistency(right, right);
    for (int y = 0; y < small.height; y++)
        for (int x = 0; x < small.width; x++) {
            ck_assert_float_eq(agree.at<float>(y, x), x + 4 <= 63 ? 1 : 0); // beyond the border nothing is known
            ck_assert_float_lt(disagree.at<float>(y, x), 0.01f);
        }
    // |f + b|^2 = 0.81 lies just above 0.01 (16 + 9.61) + 0.5 = 0.756: between.
    const float between = consistency(right, cv::Mat(small, CV_32FC2, cv::Scalar(-3.1, 0))).at<float>(20, 20);
    ck_assert_float_gt(between, 0.5f);
    ck_assert_float_lt(between, 0.99f);
}

// A disc in front of a still background: what it hides in the other picture has no match there.
AIANIME_TEST(hidden_places_are_inconsistent) {
    const cv::Mat background = scene_picture(size, 8), cover = scene_picture(size, 31);
    const auto with_disc = [&](int x) {
        cv::Mat mask(size, CV_8UC1, cv::Scalar(0)), out = background.clone();
        cv::circle(mask, cv::Point(x, 96), 40, cv::Scalar(255), cv::FILLED);
        const cv::Mat moved = warp(cover, cv::Mat(size, CV_32FC2, cv::Scalar(120 - x, 0)));
        moved.copyTo(out, mask);
        return out;
    };
    const cv::Mat before = luma(with_disc(120)), after = luma(with_disc(144));
    const cv::Mat agreement = consistency(flow(before, after), flow(after, before));
    const double hidden = cv::mean(agreement(cv::Rect(164, 84, 14, 24)))[0]; // covered by the disc in `after`
    const double still = cv::mean(agreement(cv::Rect(230, 40, 60, 100)))[0];
    ck_assert_msg(still > 0.9 && hidden < 0.4, "still %.2f hidden %.2f", still, hidden);
}

AIANIME_TEST(tiny_pictures) {
    for (const cv::Size tiny :
         {cv::Size(1, 1), cv::Size(15, 15), cv::Size(200, 3), cv::Size(16, 16), cv::Size(17, 64), cv::Size(64, 17)}) {
        const cv::Mat a = luma(scene_picture(tiny, 1)), b = luma(scene_picture(tiny, 2));
        const cv::Mat found = flow(a, b);
        ck_assert(found.size() == tiny && found.type() == CV_32FC2 && cv::checkRange(found));
        ck_assert(consistency(found, found).size() == tiny && warp(a, found).size() == tiny);
        if (std::min(tiny.width, tiny.height) < 16)
            ck_assert_double_eq(cv::norm(found), 0);
    }
}

AIANIME_TEST(same_result_on_any_number_of_threads) {
    const cv::Mat wide = scene_picture({size.width + 80, size.height + 80}, 12);
    const cv::Mat a = luma(shifted(wide, 0, 0)), b = luma(shifted(wide, 7, 3));
    const cv::Mat first = flow(a, b);
    const int threads = cv::getNumThreads();
    for (const int count : {1, 2}) {
        cv::setNumThreads(count);
        ck_assert_double_eq(cv::norm(flow(a, b), first, cv::NORM_INF), 0);
    }
    cv::setNumThreads(threads);
    std::vector<cv::Mat> results(4);
    std::vector<std::thread> workers;
    for (cv::Mat &result : results)
        workers.emplace_back([&] { result = flow(a, b); });
    for (std::thread &worker : workers)
        worker.join();
    for (const cv::Mat &result : results)
        ck_assert_double_eq(cv::norm(result, first, cv::NORM_INF), 0);
}

AIANIME_TEST(luma_is_clipped) {
    cv::Mat picture(1, 3, CV_32FC3);
    picture.at<cv::Vec3f>(0, 0) = {-1, -1, -1};
    picture.at<cv::Vec3f>(0, 1) = {2, 2, 2};
    picture.at<cv::Vec3f>(0, 2) = {0, 1, 0};
    const cv::Mat gray = luma(picture);
    ck_assert_int_eq(gray.at<uint8_t>(0, 0), 0);
    ck_assert_int_eq(gray.at<uint8_t>(0, 1), 255);
    ck_assert_int_eq(gray.at<uint8_t>(0, 2), 150);
}

AIANIME_TEST(compact_flow_is_the_flow) {
    const cv::Mat wide = scene_picture({size.width + 80, size.height + 80}, 2);
    cv::Mat here = luma(shifted(wide, 0, 0));
    const cv::Mat there = luma(shifted(wide, 6, -3));
    here(cv::Rect(100, 60, 80, 60)).setTo(30); // the motion has edges too
    const cv::Mat forward = flow(here, there), backward = flow(there, here);
    const CompactFlows compacted = compact(forward, backward, true);
    ck_assert_uint_eq(compacted.bytes(), forward.total() * sizeof(cv::Vec2f) / 4); // both, at a quarter of one
    const MotionPair found = expanded(compacted);
    // Half a step, and what the method itself rounds.
    ck_assert_double_lt(cv::norm(found.there.flow, forward, cv::NORM_INF), 0.5 / 32 + 1e-4);
    ck_assert_double_lt(cv::norm(found.back.flow, backward, cv::NORM_INF), 0.5 / 32 + 1e-4);
    ck_assert_double_eq(cv::norm(found.there.valid, consistency(found.there.flow, found.back.flow), cv::NORM_INF), 0);
    ck_assert_double_eq(cv::norm(found.back.valid, consistency(found.back.flow, found.there.flow), cv::NORM_INF), 0);
}

// A flow that is the same everywhere stays what it is; odd sides are rounded up; what is too far stays outside.
AIANIME_TEST(compact_flow_of_other_sizes) {
    for (const cv::Size other : {cv::Size(1, 1), cv::Size(15, 2), cv::Size(64, 33)})
        for (const bool doubled : {false, true}) {
            const cv::Mat flow(other, CV_32FC2, cv::Scalar(-2.5, 0.25)), far(other, CV_32FC2, cv::Scalar(5000, -5000));
            const MotionPair found = expanded(compact(flow, far, doubled));
            ck_assert(found.there.flow.size() == other && found.back.valid.size() == other);
            ck_assert_double_lt(cv::norm(found.there.flow, flow, cv::NORM_INF), 1e-5);
            ck_assert_double_gt(found.back.flow.at<cv::Vec2f>(0, 0)[0], 1000);
            ck_assert_double_eq(cv::norm(found.back.valid, cv::NORM_INF), 0);
        }
}

int main() {
    return run_suite("flow", {flow_as_torchvision_paints_it, finds_a_shift, warp_brings_the_other_picture_here,
                              warp_repeats_the_border, consistency_of_known_flows, hidden_places_are_inconsistent, tiny_pictures,
                              same_result_on_any_number_of_threads, luma_is_clipped, compact_flow_is_the_flow,
                              compact_flow_of_other_sizes});
}
