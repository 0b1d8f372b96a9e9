// SPDX-License-Identifier: LGPL-2.1-or-later
// Colour conversions against colour-science, and the round trip of every layout.
#include "support.h"
#include "vision_pictures.h"

#include <fstream>
#include <sstream>

using namespace aianime::vision;

namespace {

struct Layout {
    const char *name;
    aianime_format format;
};

aianime_format packed(aianime_color_model model, bool alpha, std::initializer_list<aianime_component> components, int log2_w = 0,
                      int log2_h = 0) {
    aianime_format format = planar_format(model, 8, log2_w, log2_h, alpha);
    int i = 0;
    for (const aianime_component &component : components)
        format.component[i++] = component;
    return format;
}

std::vector<Layout> layouts() {
    return {
        {"yuv420p", planar_format(AIANIME_YUV, 8, 1, 1)},
        {"yuv422p", planar_format(AIANIME_YUV, 8, 1, 0)},
        {"yuv444p", planar_format(AIANIME_YUV, 8)},
        {"yuv411p", planar_format(AIANIME_YUV, 8, 2, 0)},
        {"yuv440p", planar_format(AIANIME_YUV, 8, 0, 1)},
        {"yuv410p", planar_format(AIANIME_YUV, 8, 2, 2)},
        {"yuva420p", planar_format(AIANIME_YUV, 8, 1, 1, true)},
        {"yuv420p10", planar_format(AIANIME_YUV, 10, 1, 1)},
        {"yuv422p12", planar_format(AIANIME_YUV, 12, 1, 0)},
        {"yuva444p16", planar_format(AIANIME_YUV, 16, 0, 0, true)},
        {"nv12", packed(AIANIME_YUV, false, {{0, 1, 0, 0, 8}, {1, 2, 0, 0, 8}, {1, 2, 1, 0, 8}}, 1, 1)},
        {"nv21", packed(AIANIME_YUV, false, {{0, 1, 0, 0, 8}, {1, 2, 1, 0, 8}, {1, 2, 0, 0, 8}}, 1, 1)},
        {"p010", packed(AIANIME_YUV, false, {{0, 2, 0, 6, 10}, {1, 4, 0, 6, 10}, {1, 4, 2, 6, 10}}, 1, 1)},
        {"yuyv422", packed(AIANIME_YUV, false, {{0, 2, 0, 0, 8}, {0, 4, 1, 0, 8}, {0, 4, 3, 0, 8}}, 1, 0)},
        {"gbrp", packed(AIANIME_RGB, false, {{2, 1, 0, 0, 8}, {0, 1, 0, 0, 8}, {1, 1, 0, 0, 8}})},
        {"gbrp14", packed(AIANIME_RGB, false, {{2, 2, 0, 0, 14}, {0, 2, 0, 0, 14}, {1, 2, 0, 0, 14}})},
        {"rgb24", packed(AIANIME_RGB, false, {{0, 3, 0, 0, 8}, {0, 3, 1, 0, 8}, {0, 3, 2, 0, 8}})},
        {"bgra", packed(AIANIME_RGB, true, {{0, 4, 2, 0, 8}, {0, 4, 1, 0, 8}, {0, 4, 0, 0, 8}, {0, 4, 3, 0, 8}})},
        {"rgba64", packed(AIANIME_RGB, true, {{0, 8, 0, 0, 16}, {0, 8, 2, 0, 16}, {0, 8, 4, 0, 16}, {0, 8, 6, 0, 16}})},
        {"x2rgb10", packed(AIANIME_RGB, false, {{0, 4, 2, 4, 10}, {0, 4, 1, 2, 10}, {0, 4, 0, 0, 10}})},
        {"gray", planar_format(AIANIME_GRAY, 8)},
        {"gray16", planar_format(AIANIME_GRAY, 16)},
        {"ya8", packed(AIANIME_GRAY, true, {{0, 2, 0, 0, 8}, {0, 2, 1, 0, 8}})},
    };
}

std::string describe(const Layout &layout, cv::Size size, int matrix, int range) {
    std::ostringstream text;
    text << layout.name << " " << size.width << "x" << size.height << " matrix " << matrix << " range " << range;
    return text.str();
}

// Largest difference of colour samples; alpha must be equal.
int largest_difference(const TestFrame &a, const TestFrame &b, const aianime_format &format, const std::string &what) {
    int largest = 0;
    for (int i = 0; i < format.components; i++)
        for (int y = 0; y < a.size_of(i).height; y++)
            for (int x = 0; x < a.size_of(i).width; x++) {
                const int difference = std::abs(static_cast<int>(a.sample(i, x, y)) - static_cast<int>(b.sample(i, x, y)));
                if (format.has_alpha && i == format.components - 1)
                    ck_assert_msg(difference == 0, "%s: alpha changed at %d,%d", what.c_str(), x, y);
                else
                    largest = std::max(largest, difference);
            }
    return largest;
}

std::ifstream golden(const char *name) {
    std::ifstream file(tests_folder() + "/golden/color/" + name);
    ck_assert_msg(file.good(), "cannot read golden/color/%s", name);
    std::string header;
    std::getline(file, header);
    return file;
}

} // namespace

AIANIME_TEST(pixels_match_the_reference) {
    std::ifstream file = golden("pixels.txt");
    int matrix, range, depth, count = 0;
    while (file >> matrix >> range >> depth) {
        unsigned code[3];
        cv::Vec3f expected;
        file >> code[0] >> code[1] >> code[2] >> expected[0] >> expected[1] >> expected[2];
        TestFrame frame(planar_format(AIANIME_YUV, depth), 1, 1, matrix, range), back(planar_format(AIANIME_YUV, depth), 1, 1);
        for (int i = 0; i < 3; i++)
            frame.set_sample(i, 0, 0, code[i]);
        const cv::Mat rgb = to_rgb(frame.get());
        for (int i = 0; i < 3; i++)
            ck_assert_msg(std::abs(rgb.at<cv::Vec3f>(0, 0)[i] - expected[i]) < 1e-4,
                          "matrix %d range %d depth %d channel %d: %f not %f", matrix, range, depth, i, rgb.at<cv::Vec3f>(0, 0)[i],
                          expected[i]);
        from_rgb(cv::Mat(1, 1, CV_32FC3, cv::Scalar(expected[0], expected[1], expected[2])), frame.get(), back.get());
        for (int i = 0; i < 3; i++)
            ck_assert_uint_eq(back.sample(i, 0, 0), code[i]);
        count++;
    }
    ck_assert_int_eq(count, 7 * 2 * 4 * 12);
}

AIANIME_TEST(subsampled_pictures_match_the_reference) {
    std::ifstream file = golden("subsampled.txt");
    int log2_w, log2_h, width, height, count = 0;
    while (file >> log2_w >> log2_h >> width >> height) {
        TestFrame frame(planar_format(AIANIME_YUV, 8, log2_w, log2_h), width, height, 6, 1);
        for (int i = 0; i < 3; i++)
            for (int y = 0; y < frame.size_of(i).height; y++)
                for (int x = 0; x < frame.size_of(i).width; x++) {
                    unsigned code;
                    file >> code;
                    frame.set_sample(i, x, y, code);
                }
        const cv::Mat rgb = to_rgb(frame.get());
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int i = 0; i < 3; i++) {
                    float expected;
                    file >> expected;
                    ck_assert_msg(std::abs(rgb.at<cv::Vec3f>(y, x)[i] - expected) < 1e-4,
                                  "subsampling %d,%d size %dx%d at %d,%d: %f not %f", log2_w, log2_h, width, height, x, y,
                                  rgb.at<cv::Vec3f>(y, x)[i], expected);
                }
        count++;
    }
    ck_assert_int_eq(count, 4 * 5);
}

// Pictures made in RGB, stored, read and stored again: no sample moves by more than one code value.
AIANIME_TEST(round_trip_keeps_every_sample) {
    for (const Layout &layout : layouts())
        for (const cv::Size size : {cv::Size(64, 48), cv::Size(37, 21), cv::Size(2, 3), cv::Size(1, 1)})
            for (const int matrix : {1, 2, 4, 7, 8, 9})
                for (const int range : {0, 1, 2}) {
                    const std::string what = describe(layout, size, matrix, range);
                    const bool flipped = (size.width + matrix) % 2 == 0;
                    TestFrame first(layout.format, size.width, size.height, matrix, range, flipped);
                    TestFrame stored(layout.format, size.width, size.height, matrix, range);
                    TestFrame again(layout.format, size.width, size.height, matrix, range, !flipped);
                    first.fill(3); // alpha comes from here
                    from_rgb(scene_picture(size, matrix), first.get(), stored.get());
                    from_rgb(to_rgb(stored.get()), stored.get(), again.get());
                    const int difference = largest_difference(stored, again, layout.format, what);
                    ck_assert_msg(difference <= 1, "%s: a sample moved by %d", what.c_str(), difference);
                }
}

// Nothing is clipped on the way to RGB, so that even codes no RGB picture has survive, whatever the chroma layout.
AIANIME_TEST(round_trip_keeps_codes_outside_the_range) {
    for (const Layout &layout : layouts())
        for (const cv::Size size : {cv::Size(33, 18), cv::Size(5, 7)}) {
            TestFrame stored(layout.format, size.width, size.height, 6, 1), again(layout.format, size.width, size.height);
            stored.fill(11);
            from_rgb(to_rgb(stored.get()), stored.get(), again.get());
            const int difference = largest_difference(stored, again, layout.format, layout.name);
            ck_assert_msg(difference <= 1, "%s: a sample moved by %d", layout.name, difference);
        }
}

AIANIME_TEST(copy_is_exact) {
    for (const Layout &layout : layouts()) {
        TestFrame source(layout.format, 19, 11, 2, 0, true), out(layout.format, 19, 11);
        source.fill(5);
        copy_frame(source.get(), out.get());
        ck_assert_int_eq(largest_difference(source, out, layout.format, layout.name), 0);
    }
}

AIANIME_TEST(bytes_between_rows_stay) {
    TestFrame source(planar_format(AIANIME_YUV, 8, 1, 1), 6, 4), out(planar_format(AIANIME_YUV, 8, 1, 1), 6, 4);
    source.fill(1);
    from_rgb(to_rgb(source.get()), source.get(), out.get());
    for (int y = 0; y < 4; y++)
        for (int x = 6; x < 11; x++)
            ck_assert_uint_eq(out.get().data[0][y * out.get().linesize[0] + x], 0xa5);
}

AIANIME_TEST(unspecified_matrix_goes_by_size) {
    const struct { int width, height, matrix; } cases[] = {{1280, 16, 1}, {1279, 16, 6}, {16, 577, 1}, {16, 576, 6}};
    for (const auto &c : cases) {
        TestFrame untagged(planar_format(AIANIME_YUV, 8), c.width, c.height, 2, 0);
        untagged.fill(2);
        const cv::Mat guessed = to_rgb(untagged.get());
        untagged.get().matrix = c.matrix;
        untagged.get().range = 1;
        ck_assert_double_eq(cv::norm(guessed, to_rgb(untagged.get()), cv::NORM_INF), 0);
    }
}

AIANIME_TEST(untagged_rgb_and_gray_are_full_range) {
    for (const aianime_color_model model : {AIANIME_RGB, AIANIME_GRAY}) {
        TestFrame frame(planar_format(model, 8), 1, 1);
        for (int i = 0; i < frame.get().format.components; i++)
            frame.set_sample(i, 0, 0, 255);
        ck_assert_double_eq_tol(cv::norm(to_rgb(frame.get()), cv::Mat(1, 1, CV_32FC3, cv::Scalar::all(1)), cv::NORM_INF), 0, 1e-6);
        frame.get().range = 1;
        ck_assert_float_eq_tol(to_rgb(frame.get()).at<cv::Vec3f>(0, 0)[0], 239.0f / 219.0f, 1e-5f);
    }
}

AIANIME_TEST(gray_takes_the_luma_of_a_colour_picture) {
    TestFrame small(planar_format(AIANIME_GRAY, 8), 8, 8), out(planar_format(AIANIME_GRAY, 8), 8, 8);
    small.fill(1);
    from_rgb(cv::Mat(8, 8, CV_32FC3, cv::Scalar(1, 0.5, 0)), small.get(), out.get());
    ck_assert_uint_eq(out.sample(0, 3, 3), static_cast<unsigned>(std::lround(255 * (0.299 + 0.5 * 0.587))));
    TestFrame large(planar_format(AIANIME_GRAY, 10), 1280, 2, 2, 1), large_out(planar_format(AIANIME_GRAY, 10), 1280, 2, 2, 1);
    from_rgb(cv::Mat(2, 1280, CV_32FC3, cv::Scalar(1, 0.5, 0)), large.get(), large_out.get());
    ck_assert_uint_eq(large_out.sample(0, 3, 1), static_cast<unsigned>(std::lround(64 + 876 * (0.2126 + 0.5 * 0.7152))));
}

AIANIME_TEST(identity_matrix_means_green_blue_red) {
    TestFrame frame(planar_format(AIANIME_YUV, 8), 1, 1, 0, 2);
    frame.set_sample(0, 0, 0, 255);
    frame.set_sample(1, 0, 0, 51);
    frame.set_sample(2, 0, 0, 0);
    const cv::Vec3f rgb = to_rgb(frame.get()).at<cv::Vec3f>(0, 0);
    ck_assert_float_eq_tol(rgb[0], 0, 1e-6);
    ck_assert_float_eq_tol(rgb[1], 1, 1e-6);
    ck_assert_float_eq_tol(rgb[2], 0.2f, 1e-6);
}

// Stripes of one column have no place in chroma of half the width: they must average, not turn into one of the two colours.
AIANIME_TEST(fine_colour_is_averaged_not_picked) {
    cv::Mat stripes(16, 16, CV_32FC3);
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 16; x++)
            stripes.at<cv::Vec3f>(y, x) = (x + y) % 2 == 0 ? cv::Vec3f(0.8f, 0.4f, 0.2f) : cv::Vec3f(0.2f, 0.4f, 0.8f);
    TestFrame source(planar_format(AIANIME_YUV, 8, 1, 1), 16, 16, 6, 1), out(planar_format(AIANIME_YUV, 8, 1, 1), 16, 16, 6, 1);
    TestFrame flat(planar_format(AIANIME_YUV, 8, 1, 1), 16, 16, 6, 1);
    from_rgb(stripes, source.get(), out.get());
    from_rgb(cv::Mat(16, 16, CV_32FC3, cv::Scalar(0.5, 0.4, 0.5)), source.get(), flat.get());
    for (int component : {1, 2})
        for (int y = 2; y < 6; y++)
            for (int x = 2; x < 6; x++)
                ck_assert_int_le(
                    std::abs(static_cast<int>(out.sample(component, x, y)) - static_cast<int>(flat.sample(component, x, y))), 1);
}

AIANIME_TEST(clips_and_survives_what_is_not_a_number) {
    TestFrame source(planar_format(AIANIME_RGB, 10), 3, 1), out(planar_format(AIANIME_RGB, 10), 3, 1);
    cv::Mat rgb(1, 3, CV_32FC3, cv::Scalar::all(0));
    rgb.at<cv::Vec3f>(0, 0) = {2, -1, 0.5f};
    rgb.at<cv::Vec3f>(0, 1) = cv::Vec3f::all(std::nanf(""));
    rgb.at<cv::Vec3f>(0, 2) = {1e30f, -1e30f, 1};
    from_rgb(rgb, source.get(), out.get());
    const unsigned expected[3][3] = {{1023, 0, 512}, {0, 0, 0}, {1023, 0, 1023}};
    for (int x = 0; x < 3; x++)
        for (int i = 0; i < 3; i++)
            ck_assert_uint_eq(out.sample(i, x, 0), expected[x][i]);
}

AIANIME_TEST(refuses_what_it_cannot_convert) {
    const auto broken = [](const std::function<void(aianime_frame &)> &change, const char *text) {
        TestFrame frame(planar_format(AIANIME_YUV, 8, 1, 1), 8, 8, 1, 1);
        check_frame(frame.get());
        change(frame.get());
        expect_error([&] { check_frame(frame.get()); }, AIANIME_INVALID, text);
    };
    broken([](aianime_frame &f) { f.data[1] = nullptr; }, "null");
    broken([](aianime_frame &f) { f.width = 0; }, "size 0x8");
    broken([](aianime_frame &f) { f.height = -3; }, "size 8x-3");
    broken([](aianime_frame &f) { f.format.components = 5; }, "5 components");
    broken([](aianime_frame &f) { f.format.components = 2; }, "2 components");
    broken([](aianime_frame &f) { f.format.has_alpha = 1; }, "3 components");
    broken([](aianime_frame &f) { f.format.component[0].depth = 7; }, "7 bits");
    broken([](aianime_frame &f) { f.format.component[2].depth = 17; }, "17 bits");
    broken([](aianime_frame &f) { f.format.component[0].step = 0; }, "layout");
    broken([](aianime_frame &f) { f.format.component[0].plane = 4; }, "layout");
    broken([](aianime_frame &f) { f.format.component[0].offset = -1; }, "layout");
    broken([](aianime_frame &f) { f.format.component[0].shift = 9; }, "layout");
    broken([](aianime_frame &f) { f.format.log2_chroma_w = 3; }, "subsampling");
    broken([](aianime_frame &f) { f.format.model = static_cast<aianime_color_model>(3); }, "colour model 3");
    broken([](aianime_frame &f) { f.linesize[0] = 7; }, "linesize 7");
    broken([](aianime_frame &f) { f.linesize[2] = -3; }, "linesize 3");
    broken([](aianime_frame &f) { f.width = INT32_MAX; }, "longer than linesize");
    broken([](aianime_frame &f) { f.matrix = 0; }, "code 0");
    for (const int matrix : {-1, 3, 10, 11, 12, 13, 14, 99})
        broken([=](aianime_frame &f) { f.matrix = matrix; }, ("code " + std::to_string(matrix)).c_str());
    broken([](aianime_frame &f) { f.range = 3; }, "range 3");
    broken([](aianime_frame &f) { f.transfer = 16; }, "PQ");
    broken([](aianime_frame &f) { f.transfer = 18; }, "zscale");
}

AIANIME_TEST(refuses_planes_of_another_layout) {
    TestFrame source(planar_format(AIANIME_YUV, 8, 1, 1), 8, 8), wider(planar_format(AIANIME_YUV, 8, 1, 1), 10, 8);
    TestFrame deeper(planar_format(AIANIME_YUV, 10, 1, 1), 8, 8), full(planar_format(AIANIME_YUV, 8), 8, 8);
    source.fill(1);
    for (TestFrame *out : {&wider, &deeper, &full}) {
        expect_error([&] { from_rgb(to_rgb(source.get()), source.get(), out->get()); }, AIANIME_INVALID, "another format or size");
        expect_error([&] { copy_frame(source.get(), out->get()); }, AIANIME_INVALID, "another format or size");
    }
}

int main() {
    return run_suite("color", {pixels_match_the_reference, subsampled_pictures_match_the_reference, round_trip_keeps_every_sample,
                               round_trip_keeps_codes_outside_the_range, copy_is_exact, bytes_between_rows_stay,
                               unspecified_matrix_goes_by_size, untagged_rgb_and_gray_are_full_range,
                               gray_takes_the_luma_of_a_colour_picture, identity_matrix_means_green_blue_red,
                               fine_colour_is_averaged_not_picked, clips_and_survives_what_is_not_a_number,
                               refuses_what_it_cannot_convert, refuses_planes_of_another_layout});
}
