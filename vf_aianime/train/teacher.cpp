// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/teacher.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "train/cel_faces.h"
#include "train/cel_lines.h"
#include "train/cel_nature.h"
#include "train/cel_regions.h"
#include "train/cel_smooth.h"

namespace aianime::train {
namespace {

// Strokes grow with the picture, but slower: a large picture shows more.
float stroke_scale(cv::Size size) {
    const auto side = static_cast<float>(std::clamp(std::min(size.width, size.height), 192, 1080));
    return std::sqrt(side / 384);
}

cv::Mat bytes(const cv::Mat &unit) {
    cv::Mat out;
    unit.convertTo(out, CV_8U, 255);
    return out;
}

} // namespace

CelBase cel_base(const cv::Mat &rgb, const std::vector<FaceMark> &faces) {
    if (rgb.empty() || rgb.type() != CV_32FC3)
        throw Error(AIANIME_INTERNAL, "teacher: something that is no picture of three float channels");
    const float scale = stroke_scale(rgb.size());
    cv::Mat clean = cv::min(cv::max(rgb, 0.f), 1.f), lab;
    clean = brightened(clean, brightness_gain(luma_of(clean)));
    cv::cvtColor(clean, lab, cv::COLOR_RGB2Lab);

    // Eyes are small and people look at them first: within skin finer things stay.
    const cv::Mat detail = cv::max(face_mask(rgb.size(), faces), 0.8f * skin_mask(lab, scale));
    const cv::Mat source = lab;
    lab = flatten(source, scale, detail);
    const Regions regions = find_regions(lab, faces, scale);
    const cv::Mat beyond_faces = 1 - cv::max(regions.face, regions.skin);
    const cv::Mat sky = sky_mask(source, scale).mul(beyond_faces), foliage = foliage_mask(source, scale).mul(beyond_faces);
    cv::Mat flat;
    cv::cvtColor(with_faces(with_nature(lab, sky, foliage, scale), source, faces, regions.skin), flat, cv::COLOR_Lab2RGB);

    cv::Mat calm;
    cv::bilateralFilter(clean, calm, 5, 0.08, 1.5 * scale, cv::BORDER_REFLECT_101);
    const cv::Mat luma = luma_of(calm);
    const cv::Mat fine = cv::max(regions.face, 0.7f * regions.skin);

    CelBase base;
    base.flat = bytes(flat);
    // One light for an eye: no others beside it, and no line over it.
    const cv::Mat eye_light = eye_lights(luma, faces);
    const cv::Mat lights = cv::max(highlights(luma, scale).mul(1 - eye_mask(rgb.size(), faces)), eye_light);
    const cv::Mat lines = with_lashes(ink_lines(luma, scale, fine), faces).mul(1 - 0.7f * foliage);
    base.lines = bytes(lines.mul(1 - eye_light));
    const cv::Mat smooth = cv::max(sky, 0.6f * foliage);
    cv::merge(std::vector<cv::Mat>{bytes(regions.backdrop), bytes(regions.cloth), bytes(lights), bytes(smooth)}, base.marks);
    return base;
}

} // namespace aianime::train
