// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/palette.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace aianime::vision {

namespace {

constexpr size_t clusters = 8;
constexpr int rounds = 16;
constexpr int side = 64; // the picture's, for clustering

double distance(const cv::Vec3f &a, const cv::Vec3f &b) { return cv::norm(a - b, cv::NORM_L2SQR); }

size_t nearest(const std::vector<cv::Vec3f> &centers, const cv::Vec3f &color) {
    size_t best = 0;
    for (size_t i = 1; i < centers.size(); ++i)
        if (distance(centers[i], color) < distance(centers[best], color))
            best = i;
    return best;
}

// Each next one is the color that is farthest from all before it.
std::vector<cv::Vec3f> farthest_first(const std::vector<cv::Vec3f> &colors) {
    cv::Vec3d sum;
    for (const cv::Vec3f &color : colors)
        sum += color;
    std::vector<cv::Vec3f> centers = {cv::Vec3f(sum / static_cast<double>(colors.size()))};
    std::vector<double> away(colors.size(), 1e30);
    while (centers.size() < clusters) {
        for (size_t i = 0; i < colors.size(); ++i)
            away[i] = std::min(away[i], distance(colors[i], centers.back()));
        centers.push_back(colors[static_cast<size_t>(std::max_element(away.begin(), away.end()) - away.begin())]);
    }
    return centers;
}

struct Cluster {
    cv::Vec3d sum;
    double count = 0;
};

std::vector<Cluster> clustered(const std::vector<cv::Vec3f> &colors) {
    std::vector<cv::Vec3f> centers = farthest_first(colors);
    std::vector<Cluster> result;
    for (int round = 0; round < rounds; ++round) {
        result.assign(clusters, {});
        for (const cv::Vec3f &color : colors) {
            Cluster &cluster = result[nearest(centers, color)];
            cluster.sum += color;
            cluster.count += 1;
        }
        for (size_t i = 0; i < clusters; ++i)
            if (result[i].count > 0)
                centers[i] = cv::Vec3f(result[i].sum / result[i].count);
    }
    return result;
}

// Hue angles in the a*b* plane, degrees: where each name ends.
struct Hue {
    double end;
    const char *name;
};
constexpr Hue hues[] = {{20, "pink"},  {48, "red"},   {76, "orange"},  {105, "yellow"}, {165, "green"},
                        {225, "teal"}, {298, "blue"}, {330, "purple"}, {360, "pink"}};

} // namespace

std::string color_name(const cv::Vec3f &lab) {
    const double lightness = lab[0], chroma = std::hypot(lab[1], lab[2]);
    double hue = std::atan2(lab[2], lab[1]) * 180 / CV_PI;
    if (hue < 0)
        hue += 360;
    if (lightness < 12 || (lightness < 22 && chroma < 10))
        return "black";
    if (chroma < 10 || (lightness > 88 && chroma < 12))
        return lightness > 82 ? "white" : "gray";
    const std::string name = std::find_if(std::begin(hues), std::end(hues), [&](const Hue &h) { return hue <= h.end; })->name;
    if (name == "orange" && (lightness < 58 || chroma < 32))
        return lightness > 75 ? "beige" : "brown";
    if (name == "yellow" && chroma < 32)
        return lightness > 70 ? "beige" : "brown";
    if (name == "red" && (lightness > 62 || chroma < 24))
        return lightness > 62 ? "pink" : "brown";
    if (name == "pink" && hue < 90 && lightness < 50)
        return chroma < 24 ? "brown" : "red";
    return name;
}

std::vector<NamedColor> colors_of(const cv::Mat &lab) {
    cv::Mat small;
    cv::resize(lab, small, {side, side}, 0, 0, cv::INTER_AREA);
    const std::vector<cv::Vec3f> colors(small.begin<cv::Vec3f>(), small.end<cv::Vec3f>());
    std::map<std::string, Cluster> by_name;
    for (const Cluster &cluster : clustered(colors)) {
        if (cluster.count == 0)
            continue;
        Cluster &named = by_name[color_name(cv::Vec3f(cluster.sum / cluster.count))];
        named.sum += cluster.sum;
        named.count += cluster.count;
    }
    std::vector<NamedColor> result;
    for (const auto &[name, cluster] : by_name)
        result.push_back({name, cluster.count / static_cast<double>(colors.size()), cv::Vec3f(cluster.sum / cluster.count)});
    std::stable_sort(result.begin(), result.end(), [](const NamedColor &a, const NamedColor &b) { return a.share > b.share; });
    return result;
}

} // namespace aianime::vision
