// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/shot_survey.h"

#include "media/video_frames.h"
#include "media/video_reader.h"
#include "pipeline/frame_clock.h"
#include "pipeline/understanding.h"
#include "vision/shots.h"
#include "vision/working_size.h"

namespace aianime::tools {

namespace {

using pipeline::Understanding;

// The shots of one clip, as pipeline::Session and pipeline::Shot go through them.
class Walk {
public:
    Walk(const pipeline::Settings &settings, const pipeline::ReportHead &head, const pipeline::Watch &watch,
         const std::function<int64_t(const std::string &)> &tokens)
        : segment_(settings.style.segment), understanding_(settings, head, watch, tokens) {
        survey_.head = head;
    }

    std::optional<bool> starts_shot(int64_t pts) const { return understanding_.starts_shot(pts); }

    void begin(int64_t pts) {
        end();
        shot_ = understanding_.open(static_cast<int>(survey_.shots.size()), pts);
        waiting_ = 0;
    }
    void look(const cv::Mat &picture, int64_t pts, double time) {
        if (waiting_ == 0)
            from_ = time;
        understanding_.look(*shot_, {vision::at_most(picture, pipeline::most_looked_at), pts, time});
        if (++waiting_ == segment_)
            tell();
    }
    ShotSurvey finish() {
        end();
        understanding_.warn_of_rest();
        return std::move(survey_);
    }

private:
    void tell() {
        understanding_.tell(*shot_, from_);
        waiting_ = 0;
    }
    void end() {
        if (!shot_)
            return;
        if (waiting_ > 0)
            tell();
        understanding_.close(*shot_);
        survey_.shots.push_back(shot_->facts());
        survey_.key_pictures.emplace_back();
        shot_->key_picture().convertTo(survey_.key_pictures.back(), CV_8U, 255);
        shot_ = nullptr;
    }

    const int segment_;
    Understanding understanding_;
    std::unique_ptr<Understanding::Shot> shot_;
    int waiting_ = 0; // frames that were looked at and are in no segment yet
    double from_ = 0;
    ShotSurvey survey_;
};

pipeline::ReportHead head_of(const pipeline::Settings &settings, aianime_rational time_base, cv::Size size) {
    return {settings.style.name, settings.pack.name, to_string(settings.caption), settings.style.seed, time_base,
            size.width,          size.height};
}

} // namespace

ShotSurvey survey_picture(const cv::Mat &rgb, const pipeline::Settings &settings, const pipeline::Watch &watch,
                          const std::function<int64_t(const std::string &)> &tokens) {
    Walk walk(settings, head_of(settings, {1, 25}, rgb.size()), watch, tokens);
    cv::Mat floats = rgb;
    if (rgb.depth() == CV_8U)
        rgb.convertTo(floats, CV_32F, 1.0 / 255);
    walk.begin(0);
    walk.look(floats, 0, 0);
    return walk.finish();
}

ShotSurvey survey_video(const std::string &video, const pipeline::Settings &settings, const pipeline::Watch &watch,
                        const std::function<int64_t(const std::string &)> &tokens) {
    const std::string ffmpeg = media::find_ffmpeg();
    const media::VideoFrames clip = media::decoded_frames(ffmpeg, video);
    media::VideoReader reader(ffmpeg, video, media::layout_of(ffmpeg, video));
    const vision::WorkingSize size = vision::working_size(reader.size(), settings.size, 8);
    Walk walk(settings, head_of(settings, clip.time_base, reader.size()), watch, tokens);
    pipeline::FrameClock clock(clip.time_base, {0, 0}, settings.style.generate_fps);
    vision::ShotDetector detector;
    for (size_t frame = 0; frame < clip.count(); frame++) {
        const media::VideoFrame decoded = reader.next();
        if (decoded.empty())
            break;
        const cv::Mat picture = decoded.rgb();
        const std::optional<bool> planned = walk.starts_shot(clip.pts[frame]);
        const bool cut = planned ? *planned : detector.starts_shot(vision::crop_working(vision::to_working(picture, size), size));
        const bool begins = cut || frame == 0;
        const pipeline::FrameClock::Tick tick = clock.next(clip.pts[frame], begins);
        if (begins)
            walk.begin(clip.pts[frame]);
        if (tick.generate)
            walk.look(picture, clip.pts[frame], tick.time);
    }
    return walk.finish();
}

} // namespace aianime::tools
