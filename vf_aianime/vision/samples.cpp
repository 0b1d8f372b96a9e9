// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/samples.h"

#include "vision/rows.h"

#include <algorithm>
#include <cstring>

namespace aianime::vision {
namespace {

// One component's samples in memory.
struct Samples {
    uint8_t *first;
    ptrdiff_t linesize;
    cv::Size size;
    int step, shift, depth;

    bool wide() const { return shift + depth > 8; }
    uint8_t *row(int y) const { return first + y * linesize; }
};

Samples samples(const aianime_frame &frame, int component) {
    const aianime_component &c = frame.format.component[component];
    return {frame.data[c.plane] + c.offset, frame.linesize[c.plane], component_size(frame, component), c.step, c.shift, c.depth};
}

template <typename Sample>
Sample load(const uint8_t *from) {
    Sample value;
    std::memcpy(&value, from, sizeof(value)); // packed 10-bit layouts are not aligned
    return value;
}

template <typename Sample>
void add(uint8_t *to, unsigned bits) {
    const Sample value = static_cast<Sample>(load<Sample>(to) | bits);
    std::memcpy(to, &value, sizeof(value));
}

template <typename Sample>
void read_row(const Samples &s, int y, float *out) {
    const unsigned mask = (1u << s.depth) - 1;
    const uint8_t *in = s.row(y);
    for (int x = 0; x < s.size.width; x++, in += s.step)
        out[x] = static_cast<float>((load<Sample>(in) >> s.shift) & mask);
}

template <typename Sample>
void write_row(const Samples &s, int y, const float *codes) {
    const float top = static_cast<float>((1u << s.depth) - 1);
    uint8_t *out = s.row(y);
    for (int x = 0; x < s.size.width; x++, out += s.step) {
        const float value = codes[x] + 0.5f;
        const float clipped = value > 0 ? std::min(value, top) : 0; // false for NaN
        add<Sample>(out, static_cast<unsigned>(clipped) << s.shift);
    }
}

template <typename Sample>
void copy_row(const Samples &from, const Samples &to, int y) {
    const unsigned mask = ((1u << from.depth) - 1) << from.shift;
    const uint8_t *in = from.row(y);
    uint8_t *out = to.row(y);
    for (int x = 0; x < from.size.width; x++, in += from.step, out += to.step)
        add<Sample>(out, load<Sample>(in) & mask);
}

} // namespace

cv::Size component_size(const aianime_frame &frame, int component) {
    const bool chroma = frame.format.model == AIANIME_YUV && (component == 1 || component == 2);
    const int w = chroma ? frame.format.log2_chroma_w : 0, h = chroma ? frame.format.log2_chroma_h : 0;
    return {((frame.width - 1) >> w) + 1, ((frame.height - 1) >> h) + 1};
}

int64_t component_row_bytes(const aianime_frame &frame, int component) {
    const aianime_component &c = frame.format.component[component];
    const int64_t samples = component_size(frame, component).width;
    return c.offset + (samples - 1) * c.step + (c.shift + c.depth > 8 ? 2 : 1);
}

cv::Mat read_component(const aianime_frame &frame, int component) {
    const Samples s = samples(frame, component);
    cv::Mat codes(s.size, CV_32FC1);
    const auto read = s.wide() ? read_row<uint16_t> : read_row<uint8_t>;
    for_rows(s.size.height, [&](int y) { read(s, y, codes.ptr<float>(y)); });
    return codes;
}

void clear_samples(aianime_frame &frame) {
    for (int i = 0; i < frame.format.components; i++) {
        const int plane = frame.format.component[i].plane;
        const auto bytes = static_cast<size_t>(component_row_bytes(frame, i));
        for (int y = 0; y < component_size(frame, i).height; y++)
            std::memset(frame.data[plane] + y * frame.linesize[plane], 0, bytes);
    }
}

void write_component(const cv::Mat &codes, aianime_frame &frame, int component) {
    const Samples s = samples(frame, component);
    const auto write = s.wide() ? write_row<uint16_t> : write_row<uint8_t>;
    for_rows(s.size.height, [&](int y) { write(s, y, codes.ptr<float>(y)); });
}

void copy_component(const aianime_frame &source, aianime_frame &frame, int component) {
    const Samples from = samples(source, component), to = samples(frame, component);
    const auto copy = from.wide() ? copy_row<uint16_t> : copy_row<uint8_t>;
    for_rows(from.size.height, [&](int y) { copy(from, to, y); });
}

} // namespace aianime::vision
