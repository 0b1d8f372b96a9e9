// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/color.h"

#include "io/error.h"
#include "vision/chroma.h"
#include "vision/color_matrix.h"
#include "vision/rows.h"
#include "vision/samples.h"

#include <array>
#include <cstdlib>
#include <string>

namespace aianime::vision {
namespace {

constexpr int transfer_pq = 16;
constexpr int transfer_hlg = 18;

using Planes = std::array<cv::Mat, 3>;

[[noreturn]] void refuse(const std::string &text) { throw Error(AIANIME_INVALID, "frame: " + text); }

void check_format(const aianime_format &format) {
    if (format.model != AIANIME_YUV && format.model != AIANIME_RGB && format.model != AIANIME_GRAY)
        refuse("unknown colour model " + std::to_string(static_cast<int>(format.model)));
    const int expected = (format.model == AIANIME_GRAY ? 1 : 3) + (format.has_alpha ? 1 : 0);
    if (format.components != expected)
        refuse(std::to_string(format.components) + " components where the format has " + std::to_string(expected));
    const int w = format.log2_chroma_w, h = format.log2_chroma_h;
    if (w < 0 || w > 2 || h < 0 || h > 2 || (format.model != AIANIME_YUV && (w != 0 || h != 0)))
        refuse("chroma subsampling " + std::to_string(w) + ", " + std::to_string(h) + " is not supported");
}

void check_component(const aianime_frame &frame, int index) {
    const aianime_component &c = frame.format.component[index];
    const std::string name = "component " + std::to_string(index);
    if (c.depth < 8 || c.depth > 16)
        refuse(name + " has " + std::to_string(c.depth) + " bits; 8 to 16 are supported");
    if (c.plane < 0 || c.plane > 3 || c.offset < 0 || c.shift < 0 || c.shift + c.depth > 16 ||
        c.step < (c.shift + c.depth > 8 ? 2 : 1))
        refuse(name + " has an impossible layout");
    if (frame.data[c.plane] == nullptr)
        refuse(name + " lies in plane " + std::to_string(c.plane) + ", which is null");
    const int64_t linesize = std::abs(static_cast<int64_t>(frame.linesize[c.plane]));
    if (component_row_bytes(frame, index) > linesize)
        refuse("a row of " + name + " is longer than linesize " + std::to_string(linesize));
}

void check_layout(const aianime_frame &frame) {
    if (frame.width < 1 || frame.height < 1)
        refuse("size " + std::to_string(frame.width) + "x" + std::to_string(frame.height));
    check_format(frame.format);
    for (int i = 0; i < frame.format.components; i++)
        check_component(frame, i);
}

bool same_component(const aianime_component &a, const aianime_component &b) {
    return a.plane == b.plane && a.step == b.step && a.offset == b.offset && a.shift == b.shift && a.depth == b.depth;
}

// The planes to write must be laid out as the source's.
void check_output(const aianime_frame &source, const aianime_frame &out) {
    check_layout(out);
    const aianime_format &a = source.format, &b = out.format;
    bool same = source.width == out.width && source.height == out.height && a.model == b.model && a.components == b.components &&
                a.log2_chroma_w == b.log2_chroma_w && a.log2_chroma_h == b.log2_chroma_h;
    for (int i = 0; same && i < a.components; i++)
        same = same_component(a.component[i], b.component[i]);
    if (!same)
        refuse("the planes given for the result have another format or size than the source frame");
}

int color_components(const aianime_format &format) { return format.model == AIANIME_GRAY ? 1 : 3; }

// Code values at full resolution; the missing ones of gray are the first again, where the transform has zeros.
Planes read_planes(const aianime_frame &frame) {
    Planes planes;
    const cv::Size full(frame.width, frame.height);
    for (int i = 0; i < color_components(frame.format); i++) {
        planes[i] = read_component(frame, i);
        if (i > 0)
            planes[i] = upsample_chroma(planes[i], full, frame.format.log2_chroma_w, frame.format.log2_chroma_h);
    }
    for (cv::Mat &plane : planes)
        if (plane.empty())
            plane = planes[0];
    return planes;
}

Planes rgb_to_codes(const cv::Mat &rgb, const CodeTransform &transform, int count) {
    Planes planes;
    for (int i = 0; i < count; i++) {
        planes[i].create(rgb.size(), CV_32FC1);
        const float r = transform.from_rgb(i, 0), g = transform.from_rgb(i, 1), b = transform.from_rgb(i, 2);
        const float offset = transform.from_rgb_offset[i];
        for_rows(rgb.rows, [&](int y) {
            const float *in = rgb.ptr<float>(y);
            float *out = planes[i].ptr<float>(y);
            for (int x = 0; x < rgb.cols; x++, in += 3)
                out[x] = r * in[0] + g * in[1] + b * in[2] + offset;
        });
    }
    return planes;
}

} // namespace

void check_frame(const aianime_frame &frame) {
    check_layout(frame);
    if (frame.transfer == transfer_pq || frame.transfer == transfer_hlg)
        refuse(std::string(frame.transfer == transfer_pq ? "PQ" : "HLG") +
               " (HDR) pictures are not supported; put zscale=transfer=linear:npl=100,tonemap=hable,"
               "zscale=primaries=bt709:transfer=bt709:matrix=bt709,format=yuv420p in front");
    code_transform(frame);
}

cv::Mat to_rgb(const aianime_frame &frame) {
    check_frame(frame);
    const CodeTransform transform = code_transform(frame);
    const Planes planes = read_planes(frame);
    const cv::Matx33f m = transform.to_rgb;
    const cv::Vec3f v = transform.to_rgb_offset;
    cv::Mat rgb(frame.height, frame.width, CV_32FC3);
    for_rows(frame.height, [&](int y) {
        const float *a = planes[0].ptr<float>(y), *b = planes[1].ptr<float>(y), *c = planes[2].ptr<float>(y);
        float *out = rgb.ptr<float>(y);
        for (int x = 0; x < frame.width; x++, out += 3) {
            out[0] = m(0, 0) * a[x] + m(0, 1) * b[x] + m(0, 2) * c[x] + v[0];
            out[1] = m(1, 0) * a[x] + m(1, 1) * b[x] + m(1, 2) * c[x] + v[1];
            out[2] = m(2, 0) * a[x] + m(2, 1) * b[x] + m(2, 2) * c[x] + v[2];
        }
    });
    return rgb;
}

void from_rgb(const cv::Mat &rgb, const aianime_frame &source, aianime_frame &out) {
    check_frame(source);
    check_output(source, out);
    if (rgb.type() != CV_32FC3 || rgb.cols != source.width || rgb.rows != source.height)
        throw Error(AIANIME_INTERNAL, "from_rgb: the picture does not have the frame's size");
    const aianime_format &format = source.format;
    const int count = color_components(format);
    const Planes planes = rgb_to_codes(rgb, code_transform(source), count);
    clear_samples(out);
    for (int i = 0; i < count; i++) {
        const bool chroma = i > 0;
        write_component(chroma ? downsample_chroma(planes[i], format.log2_chroma_w, format.log2_chroma_h) : planes[i], out, i);
    }
    if (format.has_alpha)
        copy_component(source, out, format.components - 1);
}

void copy_frame(const aianime_frame &source, aianime_frame &out) {
    check_layout(source);
    check_output(source, out);
    clear_samples(out);
    for (int i = 0; i < source.format.components; i++)
        copy_component(source, out, i);
}

} // namespace aianime::vision
