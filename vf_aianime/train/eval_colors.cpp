// SPDX-License-Identifier: LGPL-2.1-or-later
// Colours of the regions that a source does not determine: those that a prompt names, and those that it leaves open.
#include <algorithm>

#include "io/error.h"
#include "io/paths.h"
#include "nn/aten.h"
#include "train/face_marks.h"
#include "train/lab.h"
#include "train/pack_eval_parts.h"

namespace aianime::train {

namespace {

constexpr double least_share = 0.08; // of a picture, that a region must have to be looked at

cv::Mat region(const CelBase &base, bool backdrop) {
    cv::Mat mark;
    cv::extractChannel(base.marks, mark, backdrop ? 0 : 1);
    return mark >= 160;
}

double share(const cv::Mat &mask) { return static_cast<double>(cv::countNonZero(mask)) / static_cast<double>(mask.total()); }

FreeColors free_colors(bool backdrop, float hue) {
    FreeColors colors;
    (backdrop ? colors.backdrop : colors.cloth) = hue;
    return colors;
}

// Up to `count` of the frames whose region is large enough, evenly spread.
std::vector<const TaughtFrame *> frames_with(const std::vector<TaughtFrame> &frames, bool backdrop, size_t count) {
    std::vector<const TaughtFrame *> all, some;
    for (const TaughtFrame &frame : frames)
        if (share(region(frame.base, backdrop)) >= least_share)
            all.push_back(&frame);
    count = std::min(count, all.size());
    for (size_t i = 0; i < count; i++)
        some.push_back(all[(2 * i + 1) * all.size() / (2 * count)]);
    return some;
}

// A region's mean colour in each of the teacher's pictures, by hue word.
std::vector<cv::Vec3d> taught_colors(const TaughtFrame &frame, const CelStyle &style, bool backdrop) {
    std::vector<cv::Vec3d> colors;
    const cv::Mat mask = region(frame.base, backdrop);
    for (const HueWord &word : hue_words())
        colors.push_back(mean_lab(to_lab(cel_picture(frame.base, style, free_colors(backdrop, word.hue))), mask));
    return colors;
}

size_t nearest(const std::vector<cv::Vec3d> &colors, const cv::Vec3d &color) {
    const auto nearer = [&](const cv::Vec3d &a, const cv::Vec3d &b) { return delta_e76(a, color) < delta_e76(b, color); };
    return static_cast<size_t>(std::min_element(colors.begin(), colors.end(), nearer) - colors.begin());
}

// A clip's frames with the regions that all of them have.
struct FreeClip {
    const EvalClip *clip;
    std::vector<CelBase> bases;
    bool backdrop = true, clothes = true;
};

std::vector<FreeClip> free_clips(const std::vector<EvalClip> &clips) {
    const pipeline::FaceFinder faces(pipeline::face_folder(), at::kCPU);
    std::vector<FreeClip> result;
    for (const EvalClip &clip : clips) {
        FreeClip free{&clip, {}};
        for (const cv::Mat &frame : clip.frames) {
            free.bases.push_back(cel_base(frame, faces));
            free.backdrop &= share(region(free.bases.back(), true)) >= least_share;
            free.clothes &= share(region(free.bases.back(), false)) >= least_share;
        }
        if (clip.frames.size() > 1 && (free.backdrop || free.clothes))
            result.push_back(std::move(free));
    }
    return result;
}

void add_spread(SpreadScore &score, const FreeClip &free, const std::vector<cv::Mat> &pictures) {
    for (const bool backdrop : {true, false}) {
        if (!(backdrop ? free.backdrop : free.clothes))
            continue;
        std::vector<cv::Vec3d> colors;
        for (size_t i = 0; i < pictures.size(); i++)
            colors.push_back(mean_lab(to_lab(pictures[i]), region(free.bases[i], backdrop)));
        score.spread += color_spread(colors);
        score.regions++;
    }
}

std::vector<cv::Mat> taught(const FreeClip &free, const CelStyle &style) {
    std::vector<cv::Mat> pictures;
    for (const CelBase &base : free.bases)
        pictures.push_back(cel_picture(base, style, {hue_words().front().hue, hue_words().back().hue}));
    return pictures;
}

} // namespace

ColorScore named_colors(const PackRenderer &renderer, const std::vector<TaughtFrame> &frames, bool backdrop,
                        const EvalOptions &options, const Report &report) {
    const CelStyle &style = cel_styles()[options.styles.front()];
    const std::vector<const TaughtFrame *> chosen = frames_with(frames, backdrop, options.color_frames);
    ColorScore score;
    if (chosen.empty())
        return score;
    std::vector<cv::Mat> sources;
    std::vector<std::vector<cv::Vec3d>> expected;
    for (const TaughtFrame *frame : chosen) {
        sources.push_back(frame->frame->picture);
        expected.push_back(taught_colors(*frame, style, backdrop));
    }
    for (size_t word = 0; word < hue_words().size(); word++) {
        const std::string prompt = style.prompt + ", " + hue_words()[word].word + (backdrop ? " backdrop" : " clothes");
        const std::vector<cv::Mat> made = render_all(renderer, sources, render_options(options, prompt), report);
        for (size_t i = 0; i < made.size(); i++) {
            const cv::Vec3d color = mean_lab(to_lab(made[i]), region(chosen[i]->base, backdrop));
            score.asked++;
            score.obeyed += nearest(expected[i], color) == word;
            score.difference += delta_e2000(color, expected[i][word]);
        }
    }
    score.difference /= static_cast<double>(score.asked);
    report.say(std::string(backdrop ? "backdrop" : "clothes") + ": " + std::to_string(score.obeyed) + " of " +
               std::to_string(score.asked) + " have the colour that was named");
    return score;
}

std::vector<SpreadScore> color_spreads(const PackRenderer &renderer, const std::vector<EvalClip> &clips, const EvalOptions &options,
                                       const Report &report) {
    const std::vector<FreeClip> frees = free_clips(clips);
    if (frees.empty())
        return {};
    const CelStyle &style = cel_styles()[options.styles.front()];
    std::vector<SpreadScore> scores = {{"teacher"}, {"self"}, {"anchors"}};
    if (io::is_folder(renderer.pack() + "/cfa"))
        scores.push_back({"flow"});
    for (SpreadScore &score : scores) {
        RenderOptions rendering = render_options(options, style.prompt + ", new colors");
        rendering.attention = score.attention;
        for (const FreeClip &free : frees) {
            if (report.stopped())
                throw Error(AIANIME_CANCELLED, "stopped");
            const bool own = score.attention == "teacher";
            add_spread(score, free, own ? taught(free, style) : renderer.clip(free.clip->frames, rendering).pictures);
        }
        score.spread /= static_cast<double>(score.regions);
    }
    report.say("free regions: " + std::to_string(scores[0].regions) + " of " + std::to_string(frees.size()) + " clips");
    return scores;
}

} // namespace aianime::train
