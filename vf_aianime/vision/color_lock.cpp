// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/color_lock.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <utility>

namespace aianime::vision {
namespace {

constexpr int small_side = 96; // colours of regions, not of lines
// Source colours are told apart by bins of L*a*b*, this wide; a colour counts for the eight that are nearest to it.
const cv::Vec3f bin_size(8, 10, 10), lowest(0, -110, -110);
constexpr int bins_l = 14, bins_ab = 23;
constexpr double least_share = 1e-3; // of the picture, for a bin to be believed in full
constexpr double robust = 3;         // dE beyond which a bin's shift counts less: other things of that colour came or went
constexpr int rounds = 5;            // of reweighting
constexpr double least_seen = 0.1;   // share of the frame whose colours are known, for the whole of the correction
constexpr double slope_prior = 100;  // (L*a*b*)^2: spread of the stylized colours from which a slope is believed by half
constexpr double most_shift = 12;    // dE

cv::Mat clamped(const cv::Mat &picture) {
    cv::Mat out = picture.clone();
    for (int y = 0; y < out.rows; y++)
        for (float *p = out.ptr<float>(y), *end = p + out.cols * 3; p < end; p++)
            *p = std::min(std::max(0.f, *p), 1.f); // 0 for what is no number
    return out;
}

cv::Mat to_lab(const cv::Mat &rgb) {
    cv::Mat lab;
    cv::cvtColor(rgb, lab, cv::COLOR_RGB2Lab);
    return lab;
}

cv::Mat small_lab(const cv::Mat &picture) {
    const double scale = small_side / static_cast<double>(std::min(picture.cols, picture.rows));
    cv::Mat out = picture;
    if (scale < 1)
        cv::resize(picture, out, {}, scale, scale, cv::INTER_AREA);
    return to_lab(clamped(out));
}

// The bin of a source colour's corner and how much of the colour belongs to it.
std::pair<size_t, double> bin_of(const cv::Vec3f &color, int corner) {
    size_t index = 0;
    double weight = 1;
    for (int channel = 0; channel < 3; channel++) {
        const int count = channel == 0 ? bins_l : bins_ab, up = corner >> channel & 1;
        const float at = (color[channel] - lowest[channel]) / bin_size[channel];
        const int low = std::clamp(static_cast<int>(at), 0, count - 2);
        const float part = std::clamp(at - static_cast<float>(low), 0.f, 1.f);
        weight *= up ? part : 1 - part;
        index = index * static_cast<size_t>(count) + static_cast<size_t>(low + up);
    }
    return {index, weight};
}

} // namespace

std::vector<ColorLock::Color> ColorLock::colors_of(const cv::Mat &source, const cv::Mat &stylized) {
    const cv::Mat from = small_lab(source), to = small_lab(stylized);
    std::vector<Color> colors(static_cast<size_t>(bins_l) * bins_ab * bins_ab);
    const double share = 1.0 / static_cast<double>(from.total());
    for (int y = 0; y < from.rows; y++)
        for (int x = 0; x < from.cols; x++)
            for (int corner = 0; corner < 8; corner++) {
                const auto [bin, weight] = bin_of(from.at<cv::Vec3f>(y, x), corner);
                colors[bin].source += weight * share * cv::Vec3d(from.at<cv::Vec3f>(y, x));
                colors[bin].stylized += weight * share * cv::Vec3d(to.at<cv::Vec3f>(y, x));
                colors[bin].share += weight * share;
            }
    for (Color &color : colors)
        if (color.share > 0) {
            color.source /= color.share;
            color.stylized /= color.share;
        }
    return colors;
}

// Ridge regression: where the colours are few, the slope is nought and the line the mean.
ColorLock::Line ColorLock::fit(const std::vector<Point> &points, const std::vector<double> &weights) {
    Line line;
    double sum = 1e-12;
    for (size_t i = 0; i < points.size(); i++) {
        line.center += weights[i] * points[i].x;
        line.offset += weights[i] * points[i].y;
        sum += weights[i];
    }
    line.center /= sum;
    line.offset /= sum;
    cv::Matx33d spread = cv::Matx33d::eye() * slope_prior * sum, along = cv::Matx33d::zeros();
    for (size_t i = 0; i < points.size(); i++) {
        const cv::Vec3d away = points[i].x - line.center, up = points[i].y - line.offset;
        spread += weights[i] * (away * away.t());
        along += weights[i] * (up * away.t());
    }
    line.slope = along * spread.inv(cv::DECOMP_CHOLESKY);
    return line;
}

// How far each colour is from what it was in the anchor, by what it looks like now. Inside a bin the source's colour may have
// changed: the stylized one then has as the anchor's style would have it.
std::vector<ColorLock::Point> ColorLock::shifts_of(const std::vector<Color> &frame) const {
    std::vector<Point> shifts;
    for (size_t i = 0; i < frame.size(); i++) {
        const Color &then = anchor_[i], &now = frame[i];
        const double shared = std::min(then.share, now.share);
        if (shared <= 0)
            continue;
        const cv::Vec3d expected = then.stylized + style_.slope * (now.source - then.source);
        shifts.push_back({now.stylized, expected - now.stylized, shared * std::min(1.0, shared / least_share)});
    }
    return shifts;
}

// Colours that other things of the same source colour came into, or went out of, count little.
ColorLock::Line ColorLock::correction(const std::vector<Point> &shifts) {
    double seen = 0;
    std::vector<double> weights;
    for (const Point &shift : shifts) {
        weights.push_back(shift.weight);
        seen += shift.weight;
    }
    Line found = fit(shifts, weights);
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < shifts.size(); i++) {
            const double off = cv::norm(shifts[i].y - found.at(shifts[i].x)) / robust;
            weights[i] = shifts[i].weight / (1 + off * off);
        }
        found = fit(shifts, weights);
    }
    const double trust = std::min(1.0, seen / least_seen);
    found.offset *= trust;
    found.slope *= trust;
    return found;
}

ColorLock::ColorLock(const cv::Mat &source, const cv::Mat &stylized) : anchor_(colors_of(source, stylized)) {
    std::vector<Point> points;
    std::vector<double> weights;
    for (const Color &color : anchor_)
        if (color.share > 0) {
            points.push_back({color.source, color.stylized, color.share});
            weights.push_back(color.share);
        }
    style_ = fit(points, weights);
}

cv::Mat ColorLock::apply(const cv::Mat &source, const cv::Mat &stylized, double strength) const {
    const Line back_from = correction(shifts_of(colors_of(source, stylized)));
    cv::Mat lab = to_lab(stylized), out;
    for (int y = 0; y < lab.rows; y++)
        for (int x = 0; x < lab.cols; x++) {
            cv::Vec3f &color = lab.at<cv::Vec3f>(y, x);
            const cv::Vec3d back = back_from.at(color);
            color += cv::Vec3f(strength * std::min(1.0, most_shift / std::max(1e-6, cv::norm(back))) * back);
        }
    cv::cvtColor(lab, out, cv::COLOR_Lab2RGB);
    return clamped(out);
}

} // namespace aianime::vision
