// SPDX-License-Identifier: LGPL-2.1-or-later
#include <opencv2/imgproc.hpp>

#include <set>

#include "support.h"
#include "train/cel_faces.h"
#include "train/teacher.h"

using namespace aianime;
using train::cel_base;
using train::cel_picture;
using train::cel_styles;

namespace {

// A face-coloured disc with dark eyes before a gray wall, a blue coat below, a shaded ball.
cv::Mat scene(cv::Size size = {320, 240}) {
    cv::Mat rgb(size, CV_32FC3);
    for (int y = 0; y < size.height; y++)
        for (int x = 0; x < size.width; x++)
            rgb.at<cv::Vec3f>(y, x) = cv::Vec3f::all(0.45f + 0.2f * static_cast<float>(x) / static_cast<float>(size.width));
    cv::rectangle(rgb, {100, 150, 120, 90}, cv::Scalar(0.12, 0.2, 0.55), cv::FILLED);
    cv::circle(rgb, {160, 100}, 60, cv::Scalar(0.86, 0.64, 0.52), cv::FILLED);
    cv::circle(rgb, {140, 90}, 7, cv::Scalar(0.15, 0.1, 0.08), cv::FILLED);
    cv::circle(rgb, {180, 90}, 7, cv::Scalar(0.15, 0.1, 0.08), cv::FILLED);
    cv::GaussianBlur(rgb, rgb, {}, 0.8);
    return rgb;
}

cv::Mat with_noise(const cv::Mat &rgb, double sigma, uint64_t seed) {
    cv::RNG random(seed);
    cv::Mat noise(rgb.size(), CV_32FC3);
    random.fill(noise, cv::RNG::NORMAL, 0, sigma);
    return rgb + noise;
}

double mean_difference(const cv::Mat &a, const cv::Mat &b) {
    return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total() * static_cast<size_t>(a.channels()));
}

cv::Vec3f lab_mean(const cv::Mat &rgb, const cv::Rect &place) {
    cv::Mat lab;
    cv::cvtColor(rgb(place), lab, cv::COLOR_RGB2Lab);
    const cv::Scalar mean = cv::mean(lab);
    return {static_cast<float>(mean[0]), static_cast<float>(mean[1]), static_cast<float>(mean[2])};
}

const cv::Rect wall(8, 8, 60, 60), coat(120, 175, 80, 50), cheek(145, 110, 30, 25);

} // namespace

AIANIME_TEST(the_same_every_time_and_pixel_by_pixel) {
    const train::CelBase base = cel_base(scene()), again = cel_base(scene());
    ck_assert(cv::norm(base.flat, again.flat, cv::NORM_INF) == 0 && cv::norm(base.lines, again.lines, cv::NORM_INF) == 0);
    const cv::Rect part(70, 60, 100, 90);
    for (const train::CelStyle &style : cel_styles()) {
        const cv::Mat whole = cel_picture(base, style, {28, 208});
        const cv::Mat crop = cel_picture({base.flat(part), base.lines(part), base.marks(part)}, style, {28, 208});
        ck_assert(cv::norm(whole(part), crop, cv::NORM_INF) == 0);
        double low, high;
        cv::minMaxLoc(whole.reshape(1), &low, &high);
        ck_assert(low >= 0 && high <= 1);
    }
}

AIANIME_TEST(styles_differ) {
    const train::CelBase base = cel_base(scene());
    ck_assert(cel_styles().size() >= 4);
    std::set<std::string> prompts;
    for (const train::CelStyle &one : cel_styles()) {
        prompts.insert(one.prompt);
        for (const train::CelStyle &other : cel_styles())
            if (one.index < other.index)
                ck_assert_msg(mean_difference(cel_picture(base, one), cel_picture(base, other)) > 0.03, "%s and %s",
                              one.name.c_str(), other.name.c_str());
    }
    ck_assert(prompts.size() == cel_styles().size());
}

// What film grain does to a picture must not be drawn.
AIANIME_TEST(noise_is_not_drawn) {
    const cv::Mat one = cel_picture(cel_base(with_noise(scene(), 0.01, 1)), cel_styles()[0]);
    const cv::Mat two = cel_picture(cel_base(with_noise(scene(), 0.01, 2)), cel_styles()[0]);
    ck_assert_msg(mean_difference(one, two) < 0.01, "%g", mean_difference(one, two));
}

AIANIME_TEST(lines_are_drawn_at_edges_and_not_on_slopes) {
    const train::CelBase base = cel_base(scene());
    double strongest;
    cv::minMaxLoc(base.lines(cv::Rect(90, 60, 140, 120)), nullptr, &strongest);
    ck_assert(strongest > 200);
    cv::minMaxLoc(base.lines(wall), nullptr, &strongest);
    ck_assert(strongest < 20);
}

AIANIME_TEST(flat_steps) {
    cv::Mat slope(200, 512, CV_32FC3);
    for (int y = 0; y < slope.rows; y++)
        for (int x = 0; x < slope.cols; x++)
            slope.at<cv::Vec3f>(y, x) = cv::Vec3f::all(static_cast<float>(x) / 512);
    cv::Mat luma;
    cv::cvtColor(cel_picture(cel_base(slope), cel_styles()[0]), luma, cv::COLOR_RGB2GRAY);
    // Plateaus: runs of columns that hardly change.
    int plateaus = 0, run = 0;
    for (int x = 1; x < luma.cols; x++) {
        const bool level = std::abs(luma.at<float>(100, x) - luma.at<float>(100, x - 1)) < 0.0012f;
        run = level ? run + 1 : 0;
        plateaus += run == 12;
    }
    ck_assert_msg(plateaus >= 4 && plateaus <= 8, "%d plateaus", plateaus);
}

AIANIME_TEST(free_colors) {
    const train::CelBase base = cel_base(scene());
    for (size_t style : {size_t{0}, size_t{2}, size_t{3}}) {
        const cv::Mat plain = cel_picture(base, cel_styles()[style]);
        std::vector<cv::Vec3f> walls, coats;
        for (const train::HueWord &hue : train::hue_words()) {
            const cv::Mat only_wall = cel_picture(base, cel_styles()[style], {hue.hue, -1});
            ck_assert(cv::norm(lab_mean(only_wall, coat), lab_mean(plain, coat)) < 3);
            const cv::Mat both = cel_picture(base, cel_styles()[style], {hue.hue, hue.hue});
            ck_assert(cv::norm(lab_mean(both, cheek), lab_mean(plain, cheek)) < 6);
            walls.push_back(lab_mean(both, wall));
            coats.push_back(lab_mean(both, coat));
        }
        for (size_t i = 0; i < walls.size(); i++)
            for (size_t j = 0; j < i; j++)
                ck_assert(cv::norm(walls[i], walls[j]) > 15 && cv::norm(coats[i], coats[j]) > 15);
    }
    // The mean of all hues has no hue: nothing speaks for one of them before noise does.
    float x = 0, y = 0;
    for (const train::HueWord &hue : train::hue_words()) {
        x += std::cos(hue.hue * static_cast<float>(CV_PI / 180));
        y += std::sin(hue.hue * static_cast<float>(CV_PI / 180));
    }
    ck_assert(std::hypot(x, y) < 1e-3);
}

// Faces stand still while palettes change: eyes, glare and the light of a pink lamp are part of them.
AIANIME_TEST(skin_is_not_free) {
    for (const cv::Scalar &light : {cv::Scalar(1, 1, 1), cv::Scalar(1, 0.9, 1.12), cv::Scalar(1, 0.95, 0.8)}) {
        cv::Mat rgb = scene();
        cv::multiply(rgb, light, rgb);
        cv::circle(rgb, {160, 120}, 8, cv::Scalar(0.97, 0.93, 0.9), cv::FILLED);
        cv::GaussianBlur(rgb, rgb, {}, 1.5);
        const cv::Mat marks = cel_base(rgb).marks;
        for (const cv::Rect &place : {cheek, cv::Rect(135, 85, 10, 10), cv::Rect(155, 115, 10, 10)}) {
            const cv::Scalar mean = cv::mean(marks(place));
            ck_assert_msg(mean[0] + mean[1] < 40, "at %d, %d: %g of 255", place.x, place.y, mean[0] + mean[1]);
        }
        const cv::Scalar mean = cv::mean(marks(coat));
        ck_assert(mean[0] + mean[1] > 215);
    }
}

// A dark picture is made brighter; its brightest colours must not turn yellow because red is full first.
AIANIME_TEST(bright_colors_keep_their_hue) {
    cv::Mat rgb(200, 300, CV_32FC3, cv::Scalar(0.1, 0.1, 0.1));
    cv::rectangle(rgb, {0, 0, 100, 200}, cv::Scalar(0.5, 0.5, 0.5), cv::FILLED);
    cv::rectangle(rgb, {150, 50, 100, 100}, cv::Scalar(0.7, 0.45, 0.35), cv::FILLED);
    const cv::Vec3b color = cel_base(rgb).flat.at<cv::Vec3b>(100, 200);
    ck_assert(color[0] > 200);
    ck_assert_msg(std::abs(color[1] / double(color[0]) - 0.45 / 0.7) < 0.03 && std::abs(color[2] / double(color[0]) - 0.5) < 0.03,
                  "%d %d %d", color[0], color[1], color[2]);
}

// Strands of hair get lines, leaves do not.
AIANIME_TEST(lines_follow_strands_and_leave_out_leaves) {
    cv::Mat strands(240, 320, CV_32FC3), leaves(240, 320, CV_32FC3, cv::Scalar(0.2, 0.5, 0.1));
    for (int y = 0; y < strands.rows; y++)
        for (int x = 0; x < strands.cols; x++)
            strands.at<cv::Vec3f>(y, x) = x % 14 < 4 ? cv::Vec3f(0.1f, 0.25f, 0.05f) : cv::Vec3f(0.2f, 0.5f, 0.1f);
    cv::RNG random(5);
    for (int i = 0; i < 900; i++)
        cv::ellipse(leaves, {random.uniform(0, 320), random.uniform(0, 240)}, {6, 2}, random.uniform(0, 180), 0, 360,
                    i % 2 ? cv::Scalar(0.1, 0.25, 0.05) : cv::Scalar(0.3, 0.65, 0.15), cv::FILLED);
    const cv::Rect middle(40, 40, 240, 160);
    const double drawn = cv::mean(cel_base(strands).lines(middle))[0], scribbled = cv::mean(cel_base(leaves).lines(middle))[0];
    ck_assert_msg(drawn > 40 && scribbled < 0.5 * drawn, "%g and %g", drawn, scribbled);
}

// A sky of clear blue runs from tone to tone without steps, wherever in the picture it is; a wall with the same ramp does not.
AIANIME_TEST(skies_are_gradients) {
    const auto smoothness = [](bool blue) {
        cv::Mat rgb(300, 400, CV_32FC3, cv::Scalar(0.3, 0.2, 0.1));
        for (int y = 30; y < rgb.rows; y++) {
            const float t = static_cast<float>(y) / 300;
            const cv::Scalar sky(0.25 + 0.5 * t, 0.45 + 0.4 * t, 0.8 + 0.15 * t);
            rgb.row(y).setTo(blue ? sky : cv::Scalar(sky[2], sky[1], sky[0]));
        }
        return cv::mean(cel_base(rgb).marks(cv::Rect(40, 80, 320, 160)))[3];
    };
    const double sky = smoothness(true), wall = smoothness(false);
    ck_assert_msg(sky > 200 && wall < 10, "%g and %g", sky, wall);
}

// Leaves become two soft tones.
AIANIME_TEST(foliage_runs_smoothly) {
    cv::Mat leaves(240, 320, CV_32FC3, cv::Scalar(0.2, 0.5, 0.1));
    cv::RNG random(5);
    for (int i = 0; i < 900; i++)
        cv::ellipse(leaves, {random.uniform(0, 320), random.uniform(0, 240)}, {6, 2}, random.uniform(0, 180), 0, 360,
                    i % 2 ? cv::Scalar(0.1, 0.25, 0.05) : cv::Scalar(0.3, 0.65, 0.15), cv::FILLED);
    const cv::Mat green = cel_base(leaves).marks;
    const double smooth = cv::mean(green)[3];
    ck_assert_msg(smooth > 80, "%g", smooth);
    ck_assert(cv::mean(cel_base(scene()).marks(cheek))[3] < 10);
}

// A face of 160 pixels with brown irises in white eyes, dark hair with a lighter band, red lips.
struct Portrait {
    cv::Mat rgb = cv::Mat(320, 320, CV_32FC3, cv::Scalar(0.55, 0.5, 0.45));
    train::FaceMark mark = {{80, 80, 160, 190}, {105, 142, 40, 16}, {175, 142, 40, 16}, {125, 215, 70, 24}};

    Portrait() {
        cv::ellipse(rgb, {160, 150}, {95, 120}, 0, 0, 360, cv::Scalar(0.16, 0.1, 0.07), cv::FILLED);
        cv::ellipse(rgb, {160, 62}, {60, 10}, 0, 0, 360, cv::Scalar(0.25, 0.17, 0.12), cv::FILLED);
        cv::ellipse(rgb, {160, 185}, {75, 95}, 0, 0, 360, cv::Scalar(0.86, 0.64, 0.52), cv::FILLED);
        cv::ellipse(rgb, {160, 227}, {34, 11}, 0, 0, 360, cv::Scalar(0.72, 0.36, 0.34), cv::FILLED);
        for (const int x : {125, 195}) {
            cv::ellipse(rgb, {x, 150}, {20, 8}, 0, 0, 360, cv::Scalar(0.92, 0.9, 0.88), cv::FILLED);
            cv::circle(rgb, {x, 150}, 8, cv::Scalar(0.22, 0.13, 0.08), cv::FILLED);
        }
        cv::GaussianBlur(rgb, rgb, {}, 1.2);
    }
};

// Highest mark of light, and where.
std::pair<double, cv::Point> light_in(const train::CelBase &base, const cv::Rect &place) {
    cv::Mat lights;
    cv::extractChannel(base.marks, lights, 2);
    double most;
    cv::Point at;
    cv::minMaxLoc(lights(place), nullptr, &most, nullptr, &at);
    return {most, at + place.tl()};
}

// Each eye gets a light: where the source has one, else at the upper part of the iris.
AIANIME_TEST(eyes_carry_one_light) {
    Portrait portrait;
    const cv::Rect left(105, 140, 40, 20);
    const auto [most, at] = light_in(cel_base(portrait.rgb, {portrait.mark}), left);
    ck_assert_msg(most > 200 && at.y < 150 && std::abs(at.x - 125) <= 5, "%g at %d, %d", most, at.x, at.y);
    cv::circle(portrait.rgb, {128, 148}, 2, cv::Scalar(1, 1, 1), cv::FILLED);
    cv::GaussianBlur(portrait.rgb, portrait.rgb, {}, 0.6);
    const cv::Point moved = light_in(cel_base(portrait.rgb, {portrait.mark}), left).second;
    ck_assert_msg(moved.x > at.x + 1, "%d, %d", moved.x, moved.y);
    ck_assert(light_in(cel_base(Portrait().rgb), left).first < 40);
}

// What a face's marks change: darker lines about the eyes, redder lips, a lighter band on the hair. Skin stays.
// Lines about an eye grow darker and thicker, others stay what they are.
AIANIME_TEST(lashes_are_drawn_again) {
    cv::Mat lines(200, 200, CV_32FC1, cv::Scalar(0));
    for (const int y : {60, 150})
        cv::line(lines, {70, y}, {130, y}, 0.5, 1);
    train::FaceMark face;
    face.box = {20, 20, 160, 160};
    face.left_eye = face.right_eye = {80, 50, 40, 20};
    const cv::Mat out = train::with_lashes(lines, {face});
    const cv::Rect eye(85, 52, 30, 16), elsewhere(60, 120, 80, 60);
    ck_assert(cv::mean(out(eye))[0] > 1.15 * cv::mean(lines(eye))[0]);
    ck_assert_double_eq(cv::norm(out(elsewhere), lines(elsewhere)), 0);
}

AIANIME_TEST(faces_are_drawn_with_care) {
    const Portrait portrait;
    const train::CelBase plain = cel_base(portrait.rgb), marked = cel_base(portrait.rgb, {portrait.mark});
    const auto lines = [](const train::CelBase &base) { return cv::mean(base.lines(cv::Rect(103, 138, 44, 24)))[0]; };
    ck_assert_msg(lines(marked) > 1.15 * lines(plain), "lines: %g and %g", lines(marked), lines(plain));
    const auto color = [](const train::CelBase &base, const cv::Rect &place) {
        cv::Mat rgb;
        base.flat.convertTo(rgb, CV_32FC3, 1 / 255.0);
        return lab_mean(rgb, place);
    };
    const cv::Rect lips(145, 222, 30, 10), band(140, 58, 40, 8), jaw(100, 190, 12, 30);
    ck_assert_msg(color(marked, lips)[1] > color(plain, lips)[1] + 3, "lips: %g and %g", color(marked, lips)[1],
                  color(plain, lips)[1]);
    ck_assert_msg(color(marked, band)[0] > color(plain, band)[0] + 4, "hair: %g and %g", color(marked, band)[0],
                  color(plain, band)[0]);
    ck_assert(cv::norm(color(marked, jaw), color(plain, jaw)) < 2);
}

int main() {
    return run_suite("teacher", {the_same_every_time_and_pixel_by_pixel, styles_differ, noise_is_not_drawn,
                                 lines_are_drawn_at_edges_and_not_on_slopes, flat_steps, free_colors, skin_is_not_free,
                                 bright_colors_keep_their_hue, lines_follow_strands_and_leave_out_leaves, skies_are_gradients,
                                 foliage_runs_smoothly, eyes_carry_one_light, lashes_are_drawn_again, faces_are_drawn_with_care});
}
