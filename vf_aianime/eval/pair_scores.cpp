// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/pair_scores.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "eval/scores.h"
#include "train/measures.h"
#include "vision/flow.h"

namespace aianime::eval {

namespace {

constexpr double levels = 255;
constexpr int window_side = 11;     // of the structural similarity
constexpr double fine_sigma = 2;    // pixels; what a blur by it takes away is fine structure
constexpr double near_sigma = 4;    // pixels, over which structure is strong or weak
constexpr double weak = 1 / levels; // root mean square, below which it counts less the weaker it is
constexpr float least_motion = 1;   // pixels, below which both explanations are the same
constexpr double least_fine = 0.25; // 8-bit levels, root mean square
constexpr double least_own = 0.01;  // share of energy that one explanation must add to the other

cv::Mat gray(const cv::Mat &picture) {
    cv::Mat plane;
    cv::cvtColor(picture, plane, cv::COLOR_RGB2GRAY);
    return plane;
}

cv::Mat fine(const cv::Mat &plane) {
    cv::Mat coarse;
    cv::GaussianBlur(plane, coarse, {}, fine_sigma, fine_sigma, cv::BORDER_REFLECT);
    return plane - coarse;
}

// CV_8UC1, 255 where `seen` and the flow is long enough.
cv::Mat moving_places(const Motion &motion) {
    cv::Mat parts[2], length;
    cv::split(motion.flow, parts);
    cv::magnitude(parts[0], parts[1], length);
    return (motion.seen > 0.5) & (length >= least_motion);
}

// By which faint grain counts as much as strong edges, where the mask is set.
cv::Mat even_weights(const cv::Mat &structure, const cv::Mat &mask) {
    cv::Mat energy, weights;
    cv::GaussianBlur(structure.mul(structure), energy, {}, near_sigma, near_sigma, cv::BORDER_REFLECT);
    cv::Mat(1 / (energy + weak * weak)).copyTo(weights, mask);
    return weights; // 0 elsewhere
}

// Share of a's energy that a multiple of b explains; opposites explain nothing. From means of products.
double explained(double aa, double ab, double bb) { return ab > 0 && aa > 0 && bb > 0 ? ab * ab / (aa * bb) : 0; }

// The same of multiples of p and q together.
double explained_by_both(double aa, double ap, double aq, double pp, double pq, double qq) {
    const double determinant = pp * qq - pq * pq;
    if (determinant <= 1e-9 * pp * qq)
        return std::max(explained(aa, ap, pp), explained(aa, aq, qq));
    return (ap * ap * qq - 2 * ap * aq * pq + aq * aq * pp) / (determinant * aa);
}

} // namespace

double pair_error(const cv::Mat &here, const cv::Mat &before, const Motion &to_before) {
    if (!shows_enough(to_before.seen))
        return no_score;
    cv::Mat difference, mean;
    cv::absdiff(here, vision::warp(before, to_before.flow), difference);
    cv::transform(difference, mean, cv::Matx13f(1 / 3.0f, 1 / 3.0f, 1 / 3.0f));
    return levels * weighted_mean(mean, to_before.seen);
}

double pair_similarity(const cv::Mat &here, const cv::Mat &before, const Motion &to_before) {
    if (std::min(here.cols, here.rows) < window_side || !shows_enough(to_before.seen))
        return no_score;
    return train::ssim(here, vision::warp(before, to_before.flow), to_before.seen);
}

double flicker_between(const cv::Mat &before, const cv::Mat &here, const cv::Mat &after, const Motion &to_before,
                       const Motion &to_after) {
    const cv::Mat seen = to_before.seen.mul(to_after.seen);
    if (!shows_enough(seen))
        return no_score;
    const cv::Mat neighbours =
        (vision::warp(gray(before), to_before.flow) + vision::warp(gray(after), to_after.flow)) / 2; // both at this time
    const cv::Mat rest = gray(here) - neighbours;
    return levels * std::sqrt(weighted_mean(rest.mul(rest), seen));
}

Texture texture_between(const cv::Mat &here, const cv::Mat &before, const Motion &to_before) {
    const Texture unknown{no_score, no_score, no_score};
    const cv::Mat mask = moving_places(to_before);
    if (cv::countNonZero(mask) < std::max(64.0, 0.01 * static_cast<double>(mask.total())))
        return unknown;
    const cv::Mat a = fine(gray(here)), p = fine(vision::warp(gray(before), to_before.flow)), q = fine(gray(before));
    if (levels * std::sqrt(cv::mean(a.mul(a), mask)[0]) < least_fine)
        return unknown;
    const cv::Mat weights = even_weights(a, mask);
    const auto dot = [&](const cv::Mat &x, const cv::Mat &y) { return x.mul(y).dot(weights); };
    const double aa = dot(a, a), ap = dot(a, p), aq = dot(a, q), pp = dot(p, p), pq = dot(p, q), qq = dot(q, q);
    Texture texture{explained(aa, ap, pp), explained(aa, aq, qq), no_score};
    const double both = std::min(1.0, explained_by_both(aa, ap, aq, pp, pq, qq));
    const double only_flow = std::max(0.0, both - texture.screen), only_screen = std::max(0.0, both - texture.flow);
    if (only_flow + only_screen >= least_own)
        texture.follows = only_flow / (only_flow + only_screen);
    return texture;
}

} // namespace aianime::eval
