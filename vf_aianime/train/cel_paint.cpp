// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/teacher.h"

#include <cmath>

#include "io/error.h"
#include "train/cel_math.h"
#include "train/cel_styles.h"

namespace aianime::train {
namespace {

// Finer than the 256 values of the base, so that no step of 8 bits shows.
constexpr int table_size = 1024;
using Table = std::vector<cv::Vec3f>;

cv::Vec3f ramp_color(const Ramp &ramp, float tone) {
    const float at = std::clamp(tone, 0.f, 1.f) * 3;
    const int i = std::min(static_cast<int>(at), 2);
    const float f = at - static_cast<float>(i);
    return (1 - f) * ramp[static_cast<size_t>(i)] + f * ramp[static_cast<size_t>(i) + 1];
}

// Flat steps with soft rises between them; no rise is steeper than `edge`, so that small differences stay small.
float stepped(float tone, float steps, float edge) {
    const float at = std::clamp(tone, 0.f, 1.f) * (steps - 1);
    const float whole = std::floor(at);
    const float rise = std::tanh(2 * edge * (at - whole - 0.5f)) / std::tanh(edge);
    return (whole + 0.5f + 0.5f * rise) / (steps - 1);
}

// One colour at every lightness of a style.
Table hue_table(const CelInk &ink, float hue, const std::vector<float> &tones) {
    cv::Mat lab(1, table_size, CV_32FC3), rgb;
    const float angle = hue * static_cast<float>(CV_PI / 180);
    for (int i = 0; i < table_size; i++) {
        const float lightness = ink.free_low + (ink.free_high - ink.free_low) * tones[static_cast<size_t>(i)];
        lab.at<cv::Vec3f>(i) = cv::Vec3f(lightness, ink.free_chroma * std::cos(angle), ink.free_chroma * std::sin(angle));
    }
    cv::cvtColor(lab, rgb, cv::COLOR_Lab2RGB);
    return Table(rgb.begin<cv::Vec3f>(), rgb.end<cv::Vec3f>());
}

// All that depends on the luma alone.
struct Tables {
    Table gray, skin, backdrop, cloth;
    Table smooth_gray, smooth_backdrop, smooth_cloth; // the same without steps
    std::vector<float> chroma;
};

Tables tables_of(const CelInk &ink, const FreeColors &free) {
    Tables out;
    std::vector<float> tones(table_size), smooth(table_size);
    for (int i = 0; i < table_size; i++) {
        const float tone = std::pow(static_cast<float>(i) / (table_size - 1), ink.gamma);
        const float step = stepped(tone, ink.steps, ink.edge);
        tones[static_cast<size_t>(i)] = step;
        smooth[static_cast<size_t>(i)] = tone;
        out.gray.push_back(ramp_color(ink.gray, step));
        out.smooth_gray.push_back(ramp_color(ink.gray, tone));
        out.skin.push_back(ramp_color(ink.skin, step));
        // The darkest and the brightest tones carry less colour.
        out.chroma.push_back(ink.chroma * soft_step(tone, -0.15f, 0.35f) * (1 - 0.4f * soft_step(tone, 0.8f, 1)));
    }
    if (free.backdrop >= 0) {
        out.backdrop = hue_table(ink, free.backdrop, tones);
        out.smooth_backdrop = hue_table(ink, free.backdrop, smooth);
    }
    if (free.cloth >= 0) {
        out.cloth = hue_table(ink, free.cloth, tones);
        out.smooth_cloth = hue_table(ink, free.cloth, smooth);
    }
    return out;
}

cv::Vec3f between(const Table &steps, const Table &smooth, size_t i, float share) {
    return share > 0 ? steps[i] + share * (smooth[i] - steps[i]) : steps[i];
}

class Brush {
public:
    Brush(const CelInk &ink, const FreeColors &free) : ink_(ink), tables_(tables_of(ink, free)) {}

    cv::Vec3f paint(const cv::Vec3b &flat, uchar line, const cv::Vec4b &marks) const {
        const cv::Vec3f rgb(flat[0] / 255.f, flat[1] / 255.f, flat[2] / 255.f);
        const float luma = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
        const auto i = static_cast<size_t>(luma * (table_size - 1) + 0.5f);
        const float backdrop = marks[0] / 255.f, cloth = marks[1] / 255.f, smooth = marks[3] / 255.f;

        cv::Vec3f color = ink_.turn * (rgb - cv::Vec3f::all(luma)) * tables_.chroma[i];
        const float size = std::sqrt(color.dot(color));
        color *= 1 / (1 + 0.5f * size * size);
        cv::Vec3f out = between(tables_.gray, tables_.smooth_gray, i, smooth) + color;
        // The white of eyes and gray or green irises lie within the skin's mask, but keep their colour.
        const float skin = ink_.skin_share * std::max(0.f, 1 - backdrop - cloth) * soft_step(rgb[0] - rgb[2], 0, 0.1f);
        out += skin * (tables_.skin[i] - out);
        if (!tables_.backdrop.empty())
            out += backdrop * (between(tables_.backdrop, tables_.smooth_backdrop, i, smooth) - out);
        if (!tables_.cloth.empty())
            out += cloth * (between(tables_.cloth, tables_.smooth_cloth, i, smooth) - out);

        out += marks[2] / 255.f * 0.8f * (tables_.gray.back() - out);
        out += line / 255.f * ink_.ink_share * (ink_.ink - out);
        for (int c = 0; c < 3; c++)
            out[c] = std::clamp(out[c], 0.f, 1.f);
        return out;
    }

private:
    const CelInk &ink_;
    Tables tables_;
};

bool fits(const CelBase &base) {
    return base.flat.type() == CV_8UC3 && base.lines.type() == CV_8UC1 && base.marks.type() == CV_8UC4 &&
           base.lines.size() == base.flat.size() && base.marks.size() == base.flat.size();
}

} // namespace

cv::Mat cel_picture(const CelBase &base, const CelStyle &style, const FreeColors &free) {
    if (!fits(base))
        throw Error(AIANIME_INTERNAL, "teacher: the three layers of a picture's base differ in size or type");
    const Brush brush(cel_inks().at(static_cast<size_t>(style.index)), free);
    cv::Mat out(base.flat.size(), CV_32FC3);
    for (int y = 0; y < out.rows; y++) {
        const cv::Vec3b *flat = base.flat.ptr<cv::Vec3b>(y);
        const cv::Vec4b *marks = base.marks.ptr<cv::Vec4b>(y);
        const uchar *lines = base.lines.ptr<uchar>(y);
        cv::Vec3f *to = out.ptr<cv::Vec3f>(y);
        for (int x = 0; x < out.cols; x++)
            to[x] = brush.paint(flat[x], lines[x], marks[x]);
    }
    return out;
}

} // namespace aianime::train
