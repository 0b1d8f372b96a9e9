// SPDX-License-Identifier: LGPL-2.1-or-later
// Light, colours and places of pictures that are drawn, and of real clips where they are at hand.
#include "support.h"
#include "vision_pictures.h"

#include <unistd.h>

#include <filesystem>

#include "media/video_frames.h"
#include "vision/picture_facts.h"

using namespace aianime;
using namespace aianime::vision;

namespace {

const cv::Size size(256, 192);

cv::Mat flat(double r, double g, double b) { return cv::Mat(size, CV_32FC3, cv::Scalar(r, g, b)); }
cv::Mat flat(double grey) { return flat(grey, grey, grey); }

// Grey noise with edges of all sizes, of this mean.
cv::Mat texture(int seed, double mean = 0.5, double range = 0.3) {
    cv::Mat noise(size, CV_32F);
    cv::RNG random(static_cast<uint64_t>(seed) + 1);
    random.fill(noise, cv::RNG::UNIFORM, 0, 1);
    cv::GaussianBlur(noise, noise, {}, 1.5);
    noise = noise * 0.2 + (mean - 0.1);
    for (int i = 0; i < 240; i++) {
        const cv::Point at(random.uniform(0, size.width), random.uniform(0, size.height));
        const double value = mean + range * (random.uniform(0.0, 1.0) - 0.5);
        cv::rectangle(noise, cv::Rect(at, cv::Size(random.uniform(3, 24), random.uniform(3, 24))), value, cv::FILLED);
    }
    cv::Mat picture;
    cv::merge(std::vector<cv::Mat>{noise, noise, noise}, picture);
    return picture;
}

cv::Mat tinted(const cv::Mat &picture, double r, double g, double b) {
    return picture.mul(cv::Mat(picture.size(), CV_32FC3, cv::Scalar(r, g, b)));
}

cv::Rect part(double x, double y, double width, double height) {
    return {cvRound(x * size.width), cvRound(y * size.height), cvRound(width * size.width), cvRound(height * size.height)};
}

void expect_color(int r, int g, int b, const std::string &name) {
    cv::Mat color(1, 1, CV_32FC3, cv::Scalar(r / 255.0, g / 255.0, b / 255.0)), lab;
    cv::cvtColor(color, lab, cv::COLOR_RGB2Lab);
    const std::string found = color_name(lab.at<cv::Vec3f>(0, 0));
    ck_assert_msg(found == name, "%d %d %d is %s, expected %s", r, g, b, found.c_str(), name.c_str());
}

} // namespace

AIANIME_TEST(brightness) {
    const auto of = [](double grey) { return picture_facts(flat(grey)).brightness; };
    ck_assert(of(0.02) == Brightness::dark);
    ck_assert(of(0.2) == Brightness::dim);
    ck_assert(of(0.5) == Brightness::normal);
    ck_assert(of(0.9) == Brightness::bright);
}

AIANIME_TEST(keys_and_contrast) {
    cv::Mat lamp = flat(0.05);
    lamp(part(0.45, 0.4, 0.1, 0.2)).setTo(cv::Scalar::all(0.9));
    ck_assert(picture_facts(lamp).low_key);
    ck_assert(!picture_facts(flat(0.05)).low_key); // nothing is lit
    cv::Mat snow = flat(0.95);
    snow(part(0.4, 0.4, 0.2, 0.2)).setTo(cv::Scalar::all(0.6));
    ck_assert(picture_facts(snow).high_key);
    ck_assert(!picture_facts(lamp).high_key);
    cv::Mat halves = flat(0.02);
    halves(part(0, 0, 0.5, 1)).setTo(cv::Scalar::all(1));
    ck_assert(picture_facts(halves).contrast == Contrast::high);
    ck_assert(picture_facts(flat(0.5)).contrast == Contrast::low);
    ck_assert(picture_facts(texture(1, 0.5, 0.6)).contrast == Contrast::normal);
}

AIANIME_TEST(against_the_light) {
    cv::Mat picture = flat(0.95);
    cv::circle(picture, {128, 96}, 60, cv::Scalar::all(0.1), cv::FILLED);
    ck_assert(picture_facts(picture).backlit);
    const std::vector<cv::Rect2f> face = {{0.42f, 0.35f, 0.16f, 0.3f}};
    ck_assert(picture_facts(picture, face).backlit);
    cv::circle(picture, {128, 96}, 60, cv::Scalar::all(0.5), cv::FILLED);
    ck_assert(!picture_facts(picture, face).backlit);
    ck_assert(!picture_facts(flat(0.1)).backlit);
}

AIANIME_TEST(warm_and_cold_light) {
    for (int seed = 0; seed < 6; seed++) {
        const cv::Mat scene = texture(seed);
        ck_assert(picture_facts(scene).cast == Cast::none);
        ck_assert(picture_facts(tinted(scene, 1.1, 0.95, 0.65)).cast == Cast::warm);
        ck_assert(picture_facts(tinted(scene, 0.7, 0.9, 1.1)).cast == Cast::cold);
        ck_assert(picture_facts(tinted(scene, 0.7, 1.1, 0.7)).cast == Cast::none); // leaves
    }
    ck_assert(picture_facts(flat(0.3, 0.4, 0.6)).cast == Cast::none); // a backdrop has its own colour
}

AIANIME_TEST(color_names) {
    expect_color(0, 0, 0, "black");
    expect_color(255, 255, 255, "white");
    expect_color(128, 128, 128, "gray");
    expect_color(220, 20, 30, "red");
    expect_color(120, 10, 15, "red");
    expect_color(255, 140, 0, "orange");
    expect_color(110, 65, 25, "brown");
    expect_color(225, 205, 170, "beige");
    expect_color(250, 220, 40, "yellow");
    expect_color(40, 140, 50, "green");
    expect_color(15, 60, 20, "green");
    expect_color(30, 160, 160, "teal");
    expect_color(30, 80, 200, "blue");
    expect_color(110, 170, 235, "blue");
    expect_color(120, 40, 170, "purple");
    expect_color(255, 130, 180, "pink");
    expect_color(255, 192, 203, "pink");
}

AIANIME_TEST(palettes) {
    cv::Mat picture = flat(0.1, 0.3, 0.8);
    picture(part(0, 0, 0.25, 1)).setTo(cv::Scalar(1, 0.55, 0));
    picture(part(0.9, 0, 0.05, 1)).setTo(cv::Scalar(0.2, 0.6, 0.2)); // too little
    const std::vector<NamedColor> palette = picture_facts(picture).palette;
    ck_assert_uint_eq(palette.size(), 2);
    ck_assert_str_eq(palette[0].name.c_str(), "blue");
    ck_assert_double_eq_tol(palette[0].share, 0.7, 0.02);
    ck_assert_str_eq(palette[1].name.c_str(), "orange");
    ck_assert_double_eq_tol(palette[1].share, 0.25, 0.02);
    cv::Mat flag = flat(0.1, 0.3, 0.8);
    flag(part(0, 0, 1, 0.35)).setTo(cv::Scalar(0.9, 0.1, 0.1));
    flag(part(0, 0.75, 1, 0.25)).setTo(cv::Scalar(0.1, 0.55, 0.15));
    const std::vector<NamedColor> three = picture_facts(flag).palette;
    ck_assert_uint_eq(three.size(), 3);
    ck_assert(three[0].name == "blue" && three[1].name == "red" && three[2].name == "green");
    for (int seed = 0; seed < 10; seed++) {
        const std::vector<NamedColor> some = picture_facts(scene_picture(size, seed)).palette;
        ck_assert_uint_le(some.size(), 3);
        for (size_t i = 0; i < some.size(); i++) {
            ck_assert_double_ge(some[i].share, 0.1);
            ck_assert(i == 0 || some[i].share <= some[i - 1].share);
        }
    }
}

AIANIME_TEST(few_and_many_colors) {
    ck_assert(picture_facts(texture(3)).grey);
    ck_assert(picture_facts(texture(3)).monochrome);
    const PictureFacts sepia = picture_facts(tinted(texture(3), 1.2, 1, 0.7));
    ck_assert(!sepia.grey && sepia.monochrome);
    cv::Mat stripes = flat(0.5);
    const cv::Scalar colors[] = {{0.9, 0.1, 0.1}, {0.1, 0.6, 0.1}, {0.1, 0.2, 0.9}, {1, 0.9, 0.1}, {0.5, 0.1, 0.7}};
    for (int i = 0; i < 5; i++)
        stripes(part(i * 0.2, 0, 0.2, 1)).setTo(colors[i]);
    ck_assert(picture_facts(stripes).colorful && !picture_facts(stripes).monochrome);
    ck_assert(!picture_facts(flat(0.9, 0.1, 0.1)).colorful);
}

AIANIME_TEST(backgrounds) {
    for (int seed = 0; seed < 6; seed++) {
        const cv::Mat sharp = texture(seed, 0.5, 0.8);
        cv::Mat soft;
        cv::GaussianBlur(sharp, soft, {}, 5);
        cv::Mat portrait = soft.clone();
        sharp(part(0.25, 0.2, 0.5, 0.8)).copyTo(portrait(part(0.25, 0.2, 0.5, 0.8)));
        ck_assert(picture_facts(portrait).blurred_background);
        ck_assert(!picture_facts(sharp).blurred_background);
        ck_assert(!picture_facts(soft).blurred_background);
        cv::Mat studio = flat(0.4, 0.5, 0.6);
        sharp(part(0.3, 0.25, 0.4, 0.7)).copyTo(studio(part(0.3, 0.25, 0.4, 0.7)));
        ck_assert(picture_facts(studio).plain_background && !picture_facts(studio).blurred_background);
        ck_assert(!picture_facts(sharp).plain_background);
    }
}

AIANIME_TEST(places) {
    for (int seed = 0; seed < 6; seed++) {
        const cv::Mat leaves = tinted(texture(seed, 0.35, 0.4), 0.7, 1.1, 0.4);
        cv::Mat field = leaves.clone();
        for (int y = 0; y < size.height / 2; y++)
            field.row(y).setTo(cv::Scalar(0.35 + 0.003 * y, 0.6 + 0.002 * y, 0.95));
        const PictureFacts outside = picture_facts(field);
        ck_assert(outside.place == Place::outdoors);
        ck_assert_double_ge(outside.place_confidence, 0.6);
        ck_assert_double_eq_tol(outside.sky, 0.5, 0.05);
        ck_assert_double_ge(outside.plants, 0.3);
        ck_assert(picture_facts(leaves).place == Place::outdoors);
        // Neither a street nor a wall, a studio's least of all.
        ck_assert(picture_facts(texture(seed)).place == Place::unknown);
        cv::Mat studio = flat(0.35, 0.6, 0.95);
        texture(seed, 0.6).copyTo(studio(part(0, 0, 1, 1)), cv::Mat());
        studio(part(0, 0, 1, 0.6)).setTo(cv::Scalar(0.35, 0.6, 0.95));
        ck_assert(picture_facts(studio).place == Place::unknown);
        // Lamps below a dark ceiling.
        cv::Mat room = tinted(texture(seed, 0.4), 1.15, 0.95, 0.65);
        room(part(0, 0, 1, 0.34)) *= 0.6;
        ck_assert(picture_facts(room).place == Place::indoors);
    }
    ck_assert(picture_facts(flat(0.3, 0.5, 0.2)).place == Place::unknown); // a green wall
    ck_assert(picture_facts(flat(0.35, 0.6, 0.95)).sky == 0);              // down to the bottom: a blue one
}

// The same at any size, and each time.
AIANIME_TEST(sizes) {
    for (int seed = 0; seed < 4; seed++) {
        const cv::Mat scene = scene_picture({640, 480}, seed);
        cv::Mat large;
        cv::resize(scene, large, {1280, 960}, 0, 0, cv::INTER_LINEAR);
        const PictureFacts a = picture_facts(scene), b = picture_facts(large), again = picture_facts(scene);
        ck_assert(a.brightness == b.brightness && a.cast == b.cast && a.place == b.place && a.colorful == b.colorful);
        ck_assert_uint_eq(a.palette.size(), again.palette.size());
        for (size_t i = 0; i < a.palette.size(); i++)
            ck_assert(a.palette[i].name == again.palette[i].name && a.palette[i].share == again.palette[i].share);
    }
}

AIANIME_TEST(bad_pictures) {
    expect_error([] { picture_facts(cv::Mat()); }, AIANIME_INVALID, "16x16");
    expect_error([] { picture_facts(cv::Mat(64, 64, CV_8UC3)); }, AIANIME_INVALID, "float");
    expect_error([] { picture_facts(cv::Mat(15, 64, CV_32FC3)); }, AIANIME_INVALID, "16x16");
    cv::Mat broken(64, 64, CV_32FC3, cv::Scalar::all(std::nan("")));
    broken.at<cv::Vec3f>(3, 3) = {1e30f, -1e30f, std::numeric_limits<float>::infinity()};
    picture_facts(broken);
    // Faces at and beyond the borders, without extent, everywhere.
    const std::vector<cv::Rect2f> faces = {{-0.5f, -0.5f, 0.6f, 0.6f}, {0.9f, 0.9f, 0.5f, 0.5f}, {0.5f, 0.5f, 0, 0}, {0, 0, 1, 1}};
    for (size_t i = 0; i <= faces.size(); i++)
        picture_facts(cv::Mat(16, 400, CV_32FC3, cv::Scalar::all(0.5)),
                      {faces.begin(), faces.begin() + static_cast<std::ptrdiff_t>(i)});
}

// Answers by looking at the clips.
AIANIME_TEST(real_clips) {
    std::string ffmpeg = tests_folder() + "/../build/bin/ffmpeg"; // the tree's own, where it has been built
    try {
        ffmpeg = access(ffmpeg.c_str(), X_OK) == 0 ? ffmpeg : media::find_ffmpeg();
    } catch (const Error &error) {
        print_skip(error.what());
        return;
    }
    struct Clip {
        const char *name;
        cv::Rect2f face; // in the first frame
        Place place;
        Cast cast;
        bool plain;
        std::vector<std::string> colors; // the palette has these
    };
    const Clip clips[] = {
        {"car-turn.mp4", {}, Place::outdoors, Cast::none, false, {"gray", "green"}},
        {"cottonbro.mp4", {0.24f, 0.1f, 0.15f, 0.4f}, Place::unknown, Cast::none, true, {"blue", "purple"}},
        {"koolshooters.mp4", {0.33f, 0.15f, 0.35f, 0.55f}, Place::unknown, Cast::warm, false, {"orange", "brown"}},
        {"music.mp4", {0.5f, 0.2f, 0.2f, 0.3f}, Place::outdoors, Cast::none, false, {"green", "white"}},
    };
    for (const Clip &clip : clips) {
        const std::string path = tests_folder() + "/../../shared/media/" + clip.name;
        if (!std::filesystem::exists(path)) {
            print_skip(std::string("no ") + clip.name);
            continue;
        }
        const std::vector<cv::Mat> frames = media::frames_at(ffmpeg, path, {0}, 480);
        ck_assert_uint_eq(frames.size(), 1);
        cv::Mat rgb;
        cv::cvtColor(frames[0], rgb, cv::COLOR_BGR2RGB);
        rgb.convertTo(rgb, CV_32F, 1 / 255.0);
        const PictureFacts facts =
            picture_facts(rgb, clip.face.empty() ? std::vector<cv::Rect2f>() : std::vector<cv::Rect2f>{clip.face});
        ck_assert_msg(facts.place == clip.place, "%s: place %d", clip.name, static_cast<int>(facts.place));
        ck_assert_msg(facts.cast == clip.cast, "%s: cast %d", clip.name, static_cast<int>(facts.cast));
        ck_assert_msg(facts.plain_background == clip.plain, "%s: plain %d", clip.name, facts.plain_background);
        ck_assert_msg(facts.brightness == Brightness::normal && !facts.backlit && !facts.monochrome, "%s: light", clip.name);
        for (const std::string &color : clip.colors)
            ck_assert_msg(
                std::any_of(facts.palette.begin(), facts.palette.end(), [&](const NamedColor &c) { return c.name == color; }),
                "%s has no %s", clip.name, color.c_str());
    }
}

int main() {
    return run_suite("picture_facts", {brightness, keys_and_contrast, against_the_light, warm_and_cold_light, color_names, palettes,
                                       few_and_many_colors, backgrounds, places, sizes, bad_pictures, real_clips});
}
