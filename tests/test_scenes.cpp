// SPDX-License-Identifier: LGPL-2.1-or-later
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <cstdlib>

#include "support.h"
#include "train/scenes.h"

using namespace aianime;

namespace {

// AIANIME_SCENES=FOLDER keeps what the test looks at.
void keep(const cv::Mat &scene, uint64_t seed) {
    if (const char *folder = std::getenv("AIANIME_SCENES")) {
        cv::Mat bytes;
        scene.convertTo(bytes, CV_8UC3, 255);
        cv::cvtColor(bytes, bytes, cv::COLOR_RGB2BGR);
        cv::imwrite(std::string(folder) + "/" + std::to_string(seed) + ".png", bytes);
    }
}

} // namespace

AIANIME_TEST(a_function_of_seed_and_size) {
    const cv::Mat first = train::procedural_scene(7, {200, 150});
    ck_assert(first.type() == CV_32FC3 && first.size() == cv::Size(200, 150));
    ck_assert(cv::norm(first, train::procedural_scene(7, {200, 150}), cv::NORM_INF) == 0);
    ck_assert(cv::norm(first, train::procedural_scene(8, {200, 150}), cv::NORM_L1) > 0.05 * 200 * 150);
    for (const cv::Size size : {cv::Size(16, 16), cv::Size(300, 40), cv::Size(40, 300)})
        ck_assert(cv::checkRange(train::procedural_scene(3, size), true, nullptr, 0, 1.0001));
}

// Like photographs: no two alike, neither black nor white, with edges and smooth places.
AIANIME_TEST(scenes_are_many) {
    std::vector<cv::Vec3d> means;
    double spread = 0;
    for (uint64_t seed = 0; seed < 24; seed++) {
        const cv::Mat scene = train::procedural_scene(seed, {192, 144});
        keep(scene, seed);
        ck_assert_msg(cv::checkRange(scene, true, nullptr, 0, 1.0001), "%d", static_cast<int>(seed));
        cv::Mat gray, edges;
        cv::cvtColor(scene, gray, cv::COLOR_RGB2GRAY);
        cv::Scalar mean, deviation;
        cv::meanStdDev(gray, mean, deviation);
        ck_assert_msg(mean[0] > 0.05 && mean[0] < 0.95 && deviation[0] > 0.03, "%d: %f +- %f", static_cast<int>(seed), mean[0],
                      deviation[0]);
        gray.convertTo(gray, CV_8U, 255);
        cv::Canny(gray, edges, 60, 140);
        const double share = cv::countNonZero(edges) / static_cast<double>(edges.total());
        ck_assert_msg(share > 0.002 && share < 0.35, "%d: %f", static_cast<int>(seed), share);
        const cv::Scalar color = cv::mean(scene);
        for (const cv::Vec3d &other : means)
            ck_assert(cv::norm(cv::Vec3d(color[0], color[1], color[2]) - other) > 1e-4);
        means.emplace_back(color[0], color[1], color[2]);
        spread += std::abs(color[0] - color[2]);
    }
    ck_assert_msg(spread / 24 > 0.03, "%f", spread / 24);
}

int main() { return run_suite("scenes", {a_function_of_seed_and_size, scenes_are_many}); }
