// SPDX-License-Identifier: LGPL-2.1-or-later
// The canonical picture of a shot and the way of each frame to it, for motion that is known.
#include "support.h"
#include "vision_pictures.h"

#include "vision/affine.h"
#include "vision/atlas.h"
#include "vision/fill.h"

using namespace aianime::vision;

namespace {

const cv::Size size(192, 128), margin(96, 64);

cv::Mat mapped_back(const AtlasCanvas &canvas, const AtlasPlace &place) {
    cv::Mat out;
    cv::remap(canvas.picture(), out, place.place, cv::noArray(), cv::INTER_CUBIC, cv::BORDER_REPLICATE);
    return out;
}

// A camera that moves over a wide picture: the view's left top.
cv::Mat view(const cv::Mat &wide, cv::Point2d at) {
    cv::Mat out;
    cv::warpAffine(wide, out, cv::Matx23d(1, 0, at.x, 0, 1, at.y), size, cv::INTER_CUBIC | cv::WARP_INVERSE_MAP);
    return out;
}

double share(const cv::Mat &mask) { return cv::countNonZero(mask) / static_cast<double>(mask.total()); }

} // namespace

AIANIME_TEST(affine_fit_ignores_what_moves_otherwise) {
    const cv::Matx23d map(1.02, 0.01, 7, -0.02, 0.98, -3);
    cv::Mat places = affine_places(map, size), weight = cv::Mat::ones(size, CV_32FC1);
    places(cv::Rect(20, 20, 60, 60)) += cv::Scalar(15, 4); // a seventh of the picture
    weight(cv::Rect(150, 0, 40, 128)).setTo(0);
    places(cv::Rect(150, 0, 40, 128)).setTo(1e4);
    const cv::Matx23d found = fit_affine(places, weight, {});
    ck_assert_double_lt(cv::norm(affine_places(found, size), affine_places(map, size), cv::NORM_INF), 0.5);
    weight.setTo(0);
    ck_assert(fit_affine(places, weight, map) == map);
}

AIANIME_TEST(unseen_parts_are_filled_from_around) {
    cv::Mat picture(40, 60, CV_32FC3, cv::Scalar(0.2, 0.4, 0.6)), seen(40, 60, CV_8UC1, cv::Scalar(255));
    picture(cv::Rect(20, 10, 30, 30)).setTo(9);
    seen(cv::Rect(20, 10, 30, 30)).setTo(0);
    const cv::Mat filled = fill_unseen(picture, seen);
    ck_assert_double_lt(cv::norm(filled - cv::Scalar(0.2, 0.4, 0.6), cv::NORM_INF), 1e-4);
    ck_assert_double_lt(cv::norm(fill_unseen(picture, cv::Mat::zeros(40, 60, CV_8UC1)) - cv::Scalar::all(0.5), cv::NORM_INF), 1e-6);
}

// The canvas becomes the panorama, and each frame comes back from it.
AIANIME_TEST(a_pan_gives_its_panorama) {
    cv::Mat wide = scene_picture({360, 240}, 4);
    cv::GaussianBlur(wide, wide, {}, 0.7); // a camera sees no harder edges
    const cv::Point2d begin(84, 56), step(3, 2);
    AtlasCanvas canvas(view(wide, begin), margin);
    std::vector<AtlasPlace> places;
    std::vector<cv::Mat> frames;
    for (int i = 1; i <= 16; i++) {
        frames.push_back(view(wide, begin + i * step));
        places.push_back(canvas.add(frames.back()));
    }
    for (size_t i = 0; i < frames.size(); i++) {
        const double found = psnr(mapped_back(canvas, places[i]), frames[i]), valid = cv::mean(places[i].valid)[0];
        ck_assert_msg(found > 35 && valid > 0.99, "frame %zu: %.1f dB, %.3f valid", i + 1, found, valid);
    }
    // The canvas shows the wide picture, moved by its margin.
    const cv::Point corner = cv::Point(84, 56) - cv::Point(margin);
    const cv::Rect both = cv::Rect({}, canvas.picture().size()) & cv::Rect(-corner, wide.size());
    cv::Mat apart = cv::abs(canvas.picture()(both) - wide(both + corner));
    apart.setTo(0, canvas.covered()(both) == 0);
    const double seen = cv::countNonZero(canvas.covered());
    ck_assert_double_gt(seen, size.area() + 16 * (3 * size.height + 2 * size.width) * 0.9);
    ck_assert_double_gt(10 * std::log10(seen * 3 / cv::norm(apart, cv::NORM_L2SQR)), 32);
}

// Errors do not add up: the camera goes to and fro, and ends where it began.
AIANIME_TEST(a_long_shot_does_not_drift) {
    const cv::Mat wide = scene_picture({360, 240}, 9);
    const auto at = [](int i) { return cv::Point2d(84 + 14 * std::sin(i * 0.21), 56 + 9 * std::sin(i * 0.13)); };
    AtlasCanvas canvas(view(wide, at(0)), margin);
    double worst = 99, off = 0;
    for (int i = 1; i <= 60; i++) {
        const cv::Mat frame = view(wide, at(i));
        const AtlasPlace found = canvas.add(frame);
        worst = std::min(worst, psnr(mapped_back(canvas, found), frame));
        const cv::Point2d moved = at(i) - at(0);
        const cv::Mat wanted = affine_places(cv::Matx23d(1, 0, margin.width + moved.x, 0, 1, margin.height + moved.y), size);
        off = std::max(off, cv::norm(cv::mean(found.place - wanted)));
    }
    ck_assert_msg(worst > 29 && off < 0.5, "%.1f dB, %.2f pixels off as a whole", worst, off);
}

// A square in front of a still backdrop: what it uncovers is not on the canvas.
AIANIME_TEST(uncovered_places_are_not_valid) {
    const cv::Mat backdrop = scene_picture(size, 12), cover = scene_picture({48, 48}, 33);
    const auto frame = [&](int x) {
        cv::Mat out = backdrop.clone();
        cover.copyTo(out(cv::Rect(x, 40, 48, 48)));
        return out;
    };
    AtlasCanvas canvas(frame(40), margin);
    AtlasPlace last;
    for (int i = 1; i <= 15; i++)
        last = canvas.add(frame(40 + 4 * i)); // in the end beside where it began
    cv::Mat outside = last.valid.clone();
    const cv::Rect began(40, 40, 48, 48), now(100, 40, 48, 48), middle(110, 50, 28, 28);
    const double uncovered = cv::mean(last.valid(began))[0], square = cv::mean(last.valid(middle))[0];
    outside(began).setTo(1);
    outside(now).setTo(1);
    ck_assert_msg(uncovered < 0.3 && square > 0.9 && cv::mean(outside)[0] > 0.97, "uncovered %.2f, square %.2f, backdrop %.2f",
                  uncovered, square, cv::mean(outside)[0]);
    // The square is found where it was, the backdrop where it is.
    ck_assert_double_lt(cv::norm(cv::mean(last.place(middle)) - cv::Scalar(96 + 63.5, 64 + 63.5)), 1.5);
    ck_assert_double_lt(cv::norm(cv::mean(last.place(cv::Rect(0, 100, 192, 20))) - cv::Scalar(96 + 95.5, 64 + 109.5)), 1);
}

AIANIME_TEST(what_is_settled_stays) {
    const cv::Mat wide = scene_picture({360, 240}, 5);
    AtlasCanvas canvas(view(wide, {84, 56}), margin);
    canvas.add(view(wide, {90, 56}));
    canvas.settle();
    const cv::Mat before = canvas.picture().clone(), seen = canvas.covered().clone();
    const AtlasCanvas copy = canvas.clone();
    canvas.add(view(wide, {96, 59}));
    cv::Mat change = cv::abs(canvas.picture() - before);
    change.setTo(0, ~seen);
    ck_assert_double_eq(cv::norm(change, cv::NORM_INF), 0);
    ck_assert_int_gt(cv::countNonZero(canvas.covered()), cv::countNonZero(seen));
    ck_assert_double_eq(cv::norm(copy.picture(), before, cv::NORM_INF), 0); // a copy is one's own
}

AIANIME_TEST(frames_that_have_nothing_to_do_with_it) {
    cv::RNG random(3);
    cv::Mat noise(size, CV_32FC3), black = cv::Mat::zeros(size, CV_32FC3);
    random.fill(noise, cv::RNG::UNIFORM, 0, 1);
    AtlasCanvas canvas(scene_picture(size, 1), margin);
    for (const cv::Mat &frame : {noise, scene_picture(size, 2), black, black}) {
        const AtlasPlace found = canvas.add(frame);
        ck_assert(cv::checkRange(found.place) && cv::checkRange(found.valid));
        ck_assert_double_lt(share(found.valid > 0.5), 0.4);
        ck_assert_double_lt(share(canvas.covered()), 0.26); // nothing of it gets onto the canvas
    }
    // Another scene that moves off is not followed either.
    const cv::Mat wide = scene_picture({360, 128}, 21);
    for (int i = 0; i < 8; i++)
        canvas.add(wide(cv::Rect({8 * i, 0}, size)).clone());
    ck_assert_double_lt(share(canvas.covered()), 0.26);
    AtlasCanvas dark(black, margin);
    ck_assert_double_gt(share(dark.add(black).valid > 0.5), 0.99);
    AtlasCanvas tiny(scene_picture({8, 8}, 1), {8, 8});
    ck_assert(tiny.add(scene_picture({8, 8}, 1)).valid.size() == cv::Size(8, 8));
}

int main() {
    return run_suite("atlas", {affine_fit_ignores_what_moves_otherwise, unseen_parts_are_filled_from_around,
                               a_pan_gives_its_panorama, a_long_shot_does_not_drift, uncovered_places_are_not_valid,
                               what_is_settled_stays, frames_that_have_nothing_to_do_with_it});
}
