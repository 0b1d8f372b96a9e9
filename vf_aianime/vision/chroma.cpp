// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/chroma.h"

#include "vision/rows.h"

#include <algorithm>

namespace aianime::vision {
namespace {

int halved(int length, int times) { return ((length - 1) >> times) + 1; }

// Cosited: even columns are samples, odd ones the mean of two.
cv::Mat double_width(const cv::Mat &in, int width) {
    cv::Mat out(in.rows, width, CV_32FC1);
    for_rows(in.rows, [&](int y) {
        const float *from = in.ptr<float>(y);
        float *to = out.ptr<float>(y);
        const int pairs = std::min(in.cols - 1, width / 2);
        for (int x = 0; x < pairs; x++) {
            to[2 * x] = from[x];
            to[2 * x + 1] = 0.5f * (from[x] + from[x + 1]);
        }
        for (int x = 2 * pairs; x < width; x++)
            to[x] = from[in.cols - 1];
    });
    return out;
}

// Centred: each row is three quarters of the nearer sample and one of the other.
cv::Mat double_height(const cv::Mat &in, int height) {
    cv::Mat out(height, in.cols, CV_32FC1);
    for_rows(height, [&](int y) {
        const int near = y / 2, far = std::clamp(y % 2 == 0 ? near - 1 : near + 1, 0, in.rows - 1);
        const float *a = in.ptr<float>(near), *b = in.ptr<float>(far);
        float *to = out.ptr<float>(y);
        for (int x = 0; x < in.cols; x++)
            to[x] = 0.75f * a[x] + 0.25f * b[x];
    });
    return out;
}

// (-1, 2, 6, 2, -1) / 8, the low-pass of the 5/3 wavelet, is biorthogonal to double_width; repeating the border keeps that true.
cv::Mat halve_width(const cv::Mat &in) {
    cv::Mat out(in.rows, halved(in.cols, 1), CV_32FC1);
    const int last = in.cols - 1;
    for_rows(in.rows, [&](int y) {
        const float *from = in.ptr<float>(y);
        float *to = out.ptr<float>(y);
        const auto tap = [&](int x) { return from[std::clamp(x, 0, last)]; };
        for (int i = 0; i < out.cols; i++) {
            const int x = 2 * i;
            if (x >= 2 && x + 2 <= last)
                to[i] = 0.75f * from[x] + 0.25f * (from[x - 1] + from[x + 1]) - 0.125f * (from[x - 2] + from[x + 2]);
            else
                to[i] = 0.75f * tap(x) + 0.25f * (tap(x - 1) + tap(x + 1)) - 0.125f * (tap(x - 2) + tap(x + 2));
        }
    });
    return out;
}

// (-1, 3, 3, -1) / 4 is biorthogonal to double_height. An odd height ends on the first row of a pair; the row that would follow
// continues the last two in a line, which is what double_height would have put there.
cv::Mat halve_height(const cv::Mat &in) {
    cv::Mat out(halved(in.rows, 1), in.cols, CV_32FC1);
    cv::Mat beyond = in.row(in.rows - 1).clone();
    if (in.rows % 2 == 1 && in.rows > 1)
        beyond = 1.5 * in.row(in.rows - 1) - 0.5 * in.row(in.rows - 2);
    const auto row = [&](int y) { return y < in.rows ? in.ptr<float>(std::max(y, 0)) : beyond.ptr<float>(); };
    for_rows(out.rows, [&](int y) {
        const float *a = row(2 * y - 1), *b = row(2 * y), *c = row(2 * y + 1), *d = row(2 * y + 2);
        float *to = out.ptr<float>(y);
        for (int x = 0; x < in.cols; x++)
            to[x] = 0.75f * (b[x] + c[x]) - 0.25f * (a[x] + d[x]);
    });
    return out;
}

} // namespace

cv::Mat upsample_chroma(const cv::Mat &plane, cv::Size full, int log2_w, int log2_h) {
    cv::Mat out = plane;
    for (int i = log2_h - 1; i >= 0; i--)
        out = double_height(out, halved(full.height, i));
    for (int i = log2_w - 1; i >= 0; i--)
        out = double_width(out, halved(full.width, i));
    return out;
}

cv::Mat downsample_chroma(const cv::Mat &plane, int log2_w, int log2_h) {
    cv::Mat out = plane;
    for (int i = 0; i < log2_w; i++)
        out = halve_width(out);
    for (int i = 0; i < log2_h; i++)
        out = halve_height(out);
    return out;
}

} // namespace aianime::vision
