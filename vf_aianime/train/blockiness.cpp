// SPDX-License-Identifier: LGPL-2.1-or-later
// Upsampling leaves patterns whose period is exactly its stride; nothing a camera or a pen makes has one. They show as single peaks
// of the spectrum at multiples of 1/2, 1/4 and 1/8 of the sampling rate.
#include <opencv2/imgproc.hpp>

#include <cmath>

#include "io/error.h"
#include "train/measures.h"

namespace aianime::train {

namespace {

constexpr int side = 64;

// Mean power spectrum of the luma, [side, side], of windows that overlap by half. A wave of root mean square r puts r * r into the
// window's peak, which is normalised so that its middle holds it all.
cv::Mat mean_spectrum(const cv::Mat &luma) {
    cv::Mat window;
    cv::createHanningWindow(window, cv::Size(side, side), CV_64F);
    const double gain = cv::sum(window)[0];
    cv::Mat power = cv::Mat::zeros(side, side, CV_64F);
    int count = 0;
    for (int y = 0; y + side <= luma.rows; y += side / 2)
        for (int x = 0; x + side <= luma.cols; x += side / 2, count++) {
            cv::Mat block, spectrum, parts[2];
            luma(cv::Rect(x, y, side, side)).convertTo(block, CV_64F);
            block = (block - cv::mean(block)[0]).mul(window);
            cv::dft(block, spectrum, cv::DFT_COMPLEX_OUTPUT);
            cv::split(spectrum / gain, parts);
            power += parts[0].mul(parts[0]) + parts[1].mul(parts[1]);
        }
    return power / count;
}

double at(const cv::Mat &power, int y, int x) { return power.at<double>((y + side) % side, (x + side) % side); }

// What the spectrum holds around a frequency, 3 and 4 bins away, where the window's peak has ended. The mean is that of logarithms,
// because spectra fall like powers of the frequency. Pictures are full of level and upright edges, whose power lies on the axes:
// there only the axis itself tells what is usual.
double surroundings(const cv::Mat &power, int y, int x) {
    double sum = 0;
    int count = 0;
    for (int dy = -4; dy <= 4; dy++)
        for (int dx = -4; dx <= 4; dx++) {
            const bool along = (x != 0 || dx == 0) && (y != 0 || dy == 0);
            if (!along || std::max(std::abs(dy), std::abs(dx)) < 3)
                continue;
            sum += std::log(at(power, y + dy, x + dx) + 1e-16);
            count++;
        }
    return std::exp(sum / count);
}

double standing_out(const cv::Mat &power, int period) {
    const int step = side / period;
    double excess = 0;
    for (int y = 0; y < side; y += step)
        for (int x = 0; x < side; x += step) {
            const bool longer = period > 2 && y % (2 * step) == 0 && x % (2 * step) == 0; // counted with the shorter period
            if ((x != 0 || y != 0) && !longer)
                excess += std::max(0.0, at(power, y, x) - 2 * surroundings(power, y, x));
        }
    return 255 * std::sqrt(excess);
}

} // namespace

Blockiness blockiness(const cv::Mat &picture) {
    if (picture.type() != CV_32FC3 || picture.rows < side || picture.cols < side)
        throw Error(AIANIME_INVALID, "a checkerboard is looked for in colour pictures in float, their sides 64 at least");
    cv::Mat luma;
    cv::cvtColor(picture, luma, cv::COLOR_RGB2GRAY);
    const cv::Mat power = mean_spectrum(luma);
    return {standing_out(power, 2), standing_out(power, 4), standing_out(power, 8)};
}

} // namespace aianime::train
