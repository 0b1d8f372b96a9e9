// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores that need networks: who a face is, what a picture shows.
#include "support.h"
#include "vision_pictures.h"

#include <filesystem>
#include <numeric>

#include "eval/judges.h"
#include "vision/png.h"

using namespace aianime;

namespace {

std::string faces() { return tests_folder() + "/../models/face"; }

cv::Mat person() { return vision::load_png(tests_folder() + "/golden/face/astronaut.png"); }

cv::Mat blurred(const cv::Mat &picture, double sigma) {
    cv::Mat out;
    cv::GaussianBlur(picture, out, {}, sigma);
    return out;
}

} // namespace

AIANIME_TEST(a_face_that_fades_is_less_the_same) {
    if (!std::filesystem::exists(faces())) {
        print_skip("no models/face");
        return;
    }
    const cv::Mat source = person();
    const auto judge = eval::face_judge(faces(), 1);
    const std::vector<double> scores = judge({source, source, blurred(source, 3), cv::Mat(), blurred(source, 12)});
    ck_assert_int_eq(scores.size(), 5);
    ck_assert_double_eq_tol(scores[0], 1, 1e-3);
    ck_assert_double_eq_tol(scores[1], 1, 1e-3);
    ck_assert(scores[2] < 0.99 && scores[2] > scores[4] && scores[4] < 0.7);
    ck_assert(!eval::has_score(scores[3]));
    const cv::Mat nobody = smooth_picture(source.size(), 3);
    for (const double score : judge({nobody, source}))
        ck_assert(!eval::has_score(score));
}

AIANIME_TEST(faces_are_looked_for_now_and_then) {
    if (!std::filesystem::exists(faces())) {
        print_skip("no models/face");
        return;
    }
    const cv::Mat source = person();
    const auto judge = eval::face_judge(faces(), 3);
    for (int i = 0; i < 4; i++)
        ck_assert(eval::has_score(judge({source})[0]) == (i % 3 == 0));
}

AIANIME_TEST(content_is_an_embedding_of_length_one) {
    const auto embed = eval::clip_judge(tests_folder() + "/golden/clip_vision/exact");
    const std::vector<float> a = embed(scene_picture({60, 40}, 1)), same = embed(scene_picture({60, 40}, 1)),
                             other = embed(scene_picture({60, 40}, 2));
    const auto cosine = [](const std::vector<float> &x, const std::vector<float> &y) {
        return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
    };
    ck_assert(a.size() > 1 && a == same);
    ck_assert_double_eq_tol(cosine(a, a), 1, 1e-5);
    ck_assert_double_lt(cosine(a, other), 0.9999);
    expect_error([] { eval::clip_judge("/nowhere/clip.safetensors"); }, AIANIME_NOT_FOUND, "clip.safetensors");
}

int main() {
    return run_suite("eval_judges", {a_face_that_fades_is_less_the_same, faces_are_looked_for_now_and_then,
                                     content_is_an_embedding_of_length_one});
}
