// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/atlas.h"

#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

#include <algorithm>
#include <cmath>

#include "vision/affine.h"
#include "vision/fill.h"
#include "vision/flow.h"
#include "vision/rows.h"

namespace aianime::vision {

namespace {

constexpr int smallest_side = 16; // of pictures that the search for motion takes

constexpr double same_color = 0.07, other_color = 0.14; // differences of a channel, after blurring

cv::Mat sampled(const cv::Mat &picture, const cv::Mat &place, int interpolation, int border) {
    cv::Mat out;
    cv::remap(picture, out, place, cv::noArray(), interpolation, border);
    return out;
}

// As flow(), down to single pixels: places are composed over many frames, and half pixels add up.
cv::Mat fine_flow(const cv::Mat &from, const cv::Mat &to) {
    if (std::min(from.cols, from.rows) < smallest_side)
        return cv::Mat::zeros(from.size(), CV_32FC2);
    const cv::Ptr<cv::DISOpticalFlow> search = cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_FAST);
    search->setFinestScale(0);
    search->setGradientDescentIterations(8);
    search->setVariationalRefinementIterations(0);
    cv::Mat out;
    search->calc(from, to, out);
    return out;
}

// Without the places of single pixels at the border of a thing that the search gave to the wrong side.
void smooth_borders(cv::Mat &place) {
    cv::Mat parts[2];
    cv::split(place, parts);
    for (cv::Mat &one : parts)
        cv::medianBlur(one.clone(), one, 5);
    cv::merge(parts, 2, place);
}

cv::Mat to_float(const cv::Mat &mask) {
    cv::Mat out;
    mask.convertTo(out, CV_32F, 1.0 / 255);
    return out;
}

// The largest difference of a channel, `offset` taken away before, not of single pixels but of what lies about them.
cv::Mat difference(const cv::Mat &a, const cv::Mat &b, const cv::Scalar &offset = {}) {
    cv::Mat blurred, parts[3];
    cv::GaussianBlur(a - b, blurred, {5, 5}, 0);
    cv::split(cv::abs(blurred - offset), parts);
    return cv::max(parts[0], cv::max(parts[1], parts[2]));
}

} // namespace

AtlasCanvas::AtlasCanvas(const cv::Mat &first, cv::Size margin)
    : first_(cv::Point(margin), first.size()), luma_(luma(first)), motion_(1, 0, margin.width, 0, 1, margin.height) {
    const cv::Size size = first.size() + margin + margin;
    picture_ = cv::Mat::zeros(size, CV_32FC3);
    covered_ = cv::Mat::zeros(size, CV_8UC1);
    sum_ = cv::Mat::zeros(size, CV_32FC3);
    weight_ = cv::Mat::zeros(size, CV_32FC1);
    first.copyTo(picture_(first_));
    covered_(first_).setTo(255);
    settled_ = covered_.clone();
    place_ = affine_places(motion_, first.size());
    known_ = cv::Mat::ones(first.size(), CV_32FC1);
}

AtlasCanvas AtlasCanvas::clone() const {
    AtlasCanvas copy = *this;
    for (cv::Mat *shared : {&copy.picture_, &copy.covered_, &copy.settled_, &copy.sum_, &copy.weight_})
        *shared = shared->clone();
    return copy;
}

AtlasPlace AtlasCanvas::chained(const cv::Mat &luma) const {
    const cv::Mat there = fine_flow(luma, luma_), back = fine_flow(luma_, luma);
    const cv::Mat from = affine_places(cv::Matx23d(1, 0, 0, 0, 1, 0), luma.size()) + there;
    const cv::Mat known = sampled(known_, from, cv::INTER_LINEAR, cv::BORDER_CONSTANT).mul(consistency(there, back));
    return {sampled(place_, from, cv::INTER_LINEAR, cv::BORDER_REPLICATE), to_float(known > 0.5)};
}

cv::Mat AtlasCanvas::shown_at(const cv::Mat &place) const {
    return sampled(picture_, place, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
}

void AtlasCanvas::complete(const cv::Mat &frame, cv::Mat &place, const cv::Mat &known) {
    motion_ = fit_affine(place, known, motion_);
    const cv::Mat whole = affine_places(motion_, frame.size());
    const cv::Mat around = whole + spread(place - whole, known, std::max(4.0, frame.cols / 24.0));
    // What moved off the backdrop leaves pixels next to it that stay where the backdrop is.
    const cv::Mat backdrop = difference(frame, shown_at(whole)) < difference(frame, shown_at(around));
    const cv::Mat unknown = known < 0.5;
    around.copyTo(place, unknown);
    whole.copyTo(place, unknown & backdrop);
}

// Only what neighbouring pixels agree on is taken for an error, and most of it: what is left to chance would make the picture
// tremble.
void AtlasCanvas::correct(const cv::Mat &frame, const cv::Mat &luma_here, cv::Mat &place) const {
    const cv::Mat covered = sampled(covered_, place, cv::INTER_LINEAR, cv::BORDER_CONSTANT) == 255;
    cv::Mat shown = frame.clone();
    shown_at(place).copyTo(shown, covered);
    const cv::Mat luma_there = luma(shown), there = fine_flow(luma_here, luma_there), back = fine_flow(luma_there, luma_here);
    const cv::Mat agree = to_float(covered & (consistency(there, back) > 0.5) & (difference(frame, shown) < other_color));
    const cv::Mat from = affine_places(cv::Matx23d(1, 0, 0, 0, 1, 0), frame.size()) + there;
    const cv::Mat error = sampled(place, from, cv::INTER_LINEAR, cv::BORDER_REPLICATE) - place;
    place += 0.7 * spread(error, agree, std::max(2.0, frame.cols / 64.0));
}

// Nothing settled is changed, and no thing is mixed with another that passes in front of it.
bool AtlasCanvas::takes(const cv::Vec3f &pixel, cv::Point at) const {
    if (settled_.at<uchar>(at))
        return false;
    return !covered_.at<uchar>(at) || cv::norm(pixel - picture_.at<cv::Vec3f>(at), cv::NORM_INF) < other_color;
}

void AtlasCanvas::extend(const cv::Mat &frame, const cv::Mat &place) {
    const cv::Rect inside(0, 0, picture_.cols - 1, picture_.rows - 1);
    for (int y = 0; y < frame.rows; y++)
        for (int x = 0; x < frame.cols; x++) {
            const cv::Point2f to = place.at<cv::Point2f>(y, x);
            const cv::Point low(cvFloor(to.x), cvFloor(to.y));
            if (!inside.contains(low) || !takes(frame.at<cv::Vec3f>(y, x), {cvRound(to.x), cvRound(to.y)}))
                continue;
            const float right = to.x - static_cast<float>(low.x), down = to.y - static_cast<float>(low.y);
            for (int corner = 0; corner < 4; corner++) {
                const bool r = corner & 1, d = corner & 2;
                const float share = (r ? right : 1 - right) * (d ? down : 1 - down);
                const cv::Point at(low.x + r, low.y + d);
                sum_.at<cv::Vec3f>(at) += share * frame.at<cv::Vec3f>(y, x);
                weight_.at<float>(at) += share;
            }
        }
    // Frames of a camera that goes away leave gaps of a pixel.
    cv::Mat sum, weight, three;
    cv::GaussianBlur(sum_, sum, {3, 3}, 0);
    cv::GaussianBlur(weight_, weight, {3, 3}, 0);
    const cv::Mat gaps = weight_ < 0.25;
    sum_.copyTo(sum, ~gaps);
    weight_.copyTo(weight, ~gaps);
    const cv::Mat seen = (weight > 0.25) & ~settled_;
    cv::merge(std::vector<cv::Mat>(3, weight + 1e-6), three);
    cv::Mat(sum / three).copyTo(picture_, seen);
    covered_ |= seen;
}

// A change of light over the whole picture does not count.
cv::Mat AtlasCanvas::agreement(const cv::Mat &frame, const cv::Mat &place) const {
    const cv::Mat shown = shown_at(place);
    const cv::Mat covered = sampled(covered_, place, cv::INTER_LINEAR, cv::BORDER_CONSTANT) == 255;
    const cv::Mat apart = difference(frame, shown);
    const cv::Mat alike = covered & (apart < 2 * other_color);
    const cv::Scalar light = cv::mean(frame - shown, alike);
    cv::Mat valid = (other_color - difference(frame, shown, light)) / (other_color - same_color);
    valid = cv::min(cv::max(valid, 0.0), 1.0);
    valid.setTo(0, ~covered);
    return valid;
}

AtlasPlace AtlasCanvas::add(const cv::Mat &frame) {
    const cv::Mat luma_here = luma(frame);
    AtlasPlace found = chained(luma_here);
    const cv::Mat known = found.valid;
    complete(frame, found.place, known);
    correct(frame, luma_here, found.place);
    smooth_borders(found.place);
    found.valid = agreement(frame, found.place);
    const cv::Mat covered = sampled(covered_, found.place, cv::INTER_NEAREST, cv::BORDER_CONSTANT);
    const int seen = cv::countNonZero(covered);
    // A frame that is not the same scene any more says nothing of what lies about it.
    if (seen > 0 && cv::mean(found.valid, covered)[0] > 0.5) {
        extend(frame, found.place);
        found.valid = agreement(frame, found.place);
    }
    luma_ = luma_here;
    place_ = found.place.clone();
    known_ = cv::Mat(cv::max(known, to_float(found.valid > 0.5))); // a copy of this canvas shares the old one
    return found;
}

} // namespace aianime::vision
