// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/segment.h"

#include <map>

#include "vision/fusion.h"

namespace aianime::pipeline {

std::vector<cv::Mat> make_segment(Generator &generator, const Settings &settings, const std::vector<SourcePicture> &frames,
                                  const std::vector<SourcePicture> &anchors, Watch &watch) {
    std::vector<cv::Mat> pictures = generator.run(frames, anchors);
    if (!settings.fusion)
        return pictures;
    std::vector<cv::Mat> sources;
    for (const SourcePicture &frame : frames)
        sources.push_back(frame.picture);
    const OpticalFlow &flow = generator.flow();
    std::map<size_t, OpticalFlow::View> views;
    const auto view = [&](size_t frame) {
        const auto found = views.find(frame);
        return found != views.end() ? found->second : views.emplace(frame, flow.look(sources[frame])).first->second;
    };
    const auto motions = [&](size_t from, size_t to) {
        watch.step("fuse");
        views.erase(views.begin(), views.lower_bound(from)); // frames before it are done
        return flow.between(view(from), view(to));
    };
    const bool begins = frames.front().identity == anchors.front().identity;
    return vision::fuse_along_motion(sources, pictures, motions, static_cast<size_t>(settings.fusion), begins ? 1 : 0);
}

cv::Mat cross_faded(const cv::Mat &earlier, const cv::Mat &later, size_t i, size_t shared) {
    if (earlier.empty() || later.empty())
        return earlier.empty() ? later : earlier;
    const double weight = static_cast<double>(i + 1) / static_cast<double>(shared + 1);
    cv::Mat faded;
    cv::addWeighted(earlier, 1 - weight, later, weight, 0, faded);
    return faded;
}

} // namespace aianime::pipeline
