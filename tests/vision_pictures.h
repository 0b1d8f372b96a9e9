// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures and frames for the tests of vision/.
#pragma once

#include <opencv2/imgproc.hpp>

#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "vision/color.h"

// Smooth random colours in [low, high]: noise of a few pixels' size, enlarged. CV_32FC3.
inline cv::Mat smooth_picture(cv::Size size, int seed, double low = 0, double high = 1, int detail = 12) {
    cv::RNG random(static_cast<uint64_t>(seed) + 1);
    cv::Mat coarse(size.height / detail + 2, size.width / detail + 2, CV_32FC3), picture;
    random.fill(coarse, cv::RNG::UNIFORM, low, high);
    cv::resize(coarse, picture, size, 0, 0, cv::INTER_LINEAR);
    return picture;
}

// A textured scene: smooth colours, discs and lines with hard edges. CV_32FC3.
inline cv::Mat scene_picture(cv::Size size, int seed) {
    cv::Mat picture = smooth_picture(size, seed, 0.1, 0.9, 24);
    cv::RNG random(static_cast<uint64_t>(seed) * 77 + 5);
    const int shapes = 24, reach = std::max(size.width, size.height);
    for (int i = 0; i < shapes; i++) {
        const cv::Scalar color(random.uniform(0.0, 1.0), random.uniform(0.0, 1.0), random.uniform(0.0, 1.0));
        const cv::Point at(random.uniform(0, size.width), random.uniform(0, size.height));
        if (i % 2 == 0)
            cv::circle(picture, at, random.uniform(reach / 40 + 1, reach / 8 + 2), color, cv::FILLED, cv::LINE_AA);
        else
            cv::line(picture, at, cv::Point(random.uniform(0, size.width), random.uniform(0, size.height)), color, 3, cv::LINE_AA);
    }
    return picture;
}

inline double psnr(const cv::Mat &a, const cv::Mat &b) {
    const double error = cv::norm(a, b, cv::NORM_L2SQR) / (static_cast<double>(a.total()) * a.channels());
    return error > 0 ? 10 * std::log10(1 / error) : 99;
}

// A frame with planes of its own. `padding` bytes follow each row; `upside_down` stores the last row first.
class TestFrame {
public:
    TestFrame(const aianime_format &format, int width, int height, int matrix = 2, int range = 0, bool upside_down = false,
              int padding = 5) {
        frame_.struct_size = sizeof(frame_);
        frame_.format = format;
        frame_.width = width;
        frame_.height = height;
        frame_.matrix = matrix;
        frame_.range = range;
        for (int plane = 0; plane < 4; plane++)
            allocate(plane, upside_down, padding);
    }
    TestFrame(const TestFrame &) = delete;
    TestFrame &operator=(const TestFrame &) = delete;

    aianime_frame &get() { return frame_; }
    int depth() const { return frame_.format.component[0].depth; }

    cv::Size size_of(int component) const {
        const bool chroma = frame_.format.model == AIANIME_YUV && (component == 1 || component == 2);
        const int w = chroma ? frame_.format.log2_chroma_w : 0, h = chroma ? frame_.format.log2_chroma_h : 0;
        return {(frame_.width + (1 << w) - 1) >> w, (frame_.height + (1 << h) - 1) >> h};
    }

    unsigned sample(int component, int x, int y) const {
        const aianime_component &c = frame_.format.component[component];
        return (stored(c, x, y) >> c.shift) & ((1u << c.depth) - 1);
    }

    void set_sample(int component, int x, int y, unsigned value) {
        const aianime_component &c = frame_.format.component[component];
        const unsigned mask = ((1u << c.depth) - 1) << c.shift;
        const auto bits = static_cast<uint16_t>((stored(c, x, y) & ~mask) | (value << c.shift));
        std::memcpy(address(c, x, y), &bits, bytes(c)); // little-endian machines only, as all we build for
    }

    void fill(int seed) {
        cv::RNG random(static_cast<uint64_t>(seed) + 99);
        for (int i = 0; i < frame_.format.components; i++)
            for (int y = 0; y < size_of(i).height; y++)
                for (int x = 0; x < size_of(i).width; x++)
                    set_sample(i, x, y, random.next() & ((1u << frame_.format.component[i].depth) - 1));
    }

private:
    static size_t bytes(const aianime_component &c) { return c.shift + c.depth > 8 ? 2 : 1; }
    uint8_t *address(const aianime_component &c, int x, int y) const {
        return frame_.data[c.plane] + y * frame_.linesize[c.plane] + x * c.step + c.offset;
    }
    unsigned stored(const aianime_component &c, int x, int y) const {
        uint16_t bits = 0;
        std::memcpy(&bits, address(c, x, y), bytes(c));
        return bits;
    }
    void allocate(int plane, bool upside_down, int padding) {
        int row = 0, rows = 0;
        for (int i = 0; i < frame_.format.components; i++) {
            const aianime_component &c = frame_.format.component[i];
            if (c.plane != plane)
                continue;
            row = std::max(row, size_of(i).width * c.step + (c.step > 2 ? 0 : c.offset));
            rows = std::max(rows, size_of(i).height);
        }
        if (row == 0)
            return;
        row += padding;
        memory_[plane].assign(static_cast<size_t>(row) * rows, 0xa5);
        frame_.data[plane] = memory_[plane].data() + (upside_down ? static_cast<ptrdiff_t>(row) * (rows - 1) : 0);
        frame_.linesize[plane] = upside_down ? -row : row;
    }

    aianime_frame frame_ = {};
    std::array<std::vector<uint8_t>, 4> memory_;
};

// Planar layouts: every component in a plane of its own.
inline aianime_format planar_format(aianime_color_model model, int depth, int log2_w = 0, int log2_h = 0, bool alpha = false) {
    aianime_format format = {};
    format.model = model;
    format.components = (model == AIANIME_GRAY ? 1 : 3) + (alpha ? 1 : 0);
    format.has_alpha = alpha;
    format.log2_chroma_w = log2_w;
    format.log2_chroma_h = log2_h;
    for (int i = 0; i < format.components; i++)
        format.component[i] = {i, depth > 8 ? 2 : 1, 0, 0, depth};
    return format;
}
