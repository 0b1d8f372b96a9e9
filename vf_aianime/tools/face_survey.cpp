// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/face_survey.h"

#include "media/video_frames.h"
#include "media/video_reader.h"
#include "pipeline/frame_clock.h"
#include "vision/shots.h"

namespace aianime::tools {

namespace {

constexpr size_t pictures_a_search = 4; // in the others faces are followed

cv::Mat bytes(const cv::Mat &picture) {
    cv::Mat out;
    picture.convertTo(out, CV_8U, 255);
    return out;
}

// One shot after the other.
class Survey {
public:
    Survey(const pipeline::FaceFinder &finder, std::optional<double> least_score, const PictureSeen &seen)
        : finder_(finder), least_score_(least_score), seen_(seen) {}

    void begin(size_t frame, double time) {
        end();
        shots_.push_back({frame, 0, time, time, 0, {}});
        tracks_ = pipeline::FaceTracks();
    }
    void pass(double time) {
        shots_.back().frames++;
        shots_.back().end = time;
    }
    void look(double time, const cv::Mat &picture) {
        const std::vector<pipeline::Face> faces = finder_.find(picture, least_score_);
        const std::vector<int> numbers = tracks_.add(time, pipeline::luma_for_tracks(picture), picture.size(), faces);
        shots_.back().pictures++;
        if (!seen_)
            return;
        std::vector<SeenFace> all;
        for (size_t i = 0; i < faces.size(); i++)
            all.push_back({faces[i], numbers[i]});
        seen_(time, bytes(picture), all);
    }
    void follow(double time, const cv::Mat &picture) {
        tracks_.follow(time, pipeline::luma_for_tracks(picture), picture.size(),
                       [&](std::vector<pipeline::Face> faces) { return finder_.follow(picture, std::move(faces)); });
    }
    void end() {
        if (shots_.empty())
            return;
        tracks_.finish();
        shots_.back().tracks = tracks_.tracks();
    }
    std::vector<SurveyedShot> take() { return std::move(shots_); }

private:
    const pipeline::FaceFinder &finder_;
    const std::optional<double> least_score_;
    const PictureSeen &seen_;
    pipeline::FaceTracks tracks_;
    std::vector<SurveyedShot> shots_;
};

} // namespace

std::vector<SurveyedShot> survey_faces(const std::string &video, const pipeline::FaceFinder &finder, double rate,
                                       std::optional<double> least_score, const PictureSeen &seen) {
    const std::string ffmpeg = media::find_ffmpeg();
    const media::VideoFrames clip = media::decoded_frames(ffmpeg, video);
    media::VideoReader reader(ffmpeg, video, media::layout_of(ffmpeg, video));
    pipeline::FrameClock clock(clip.time_base, {0, 0}, rate * pictures_a_search);
    size_t since_search = 0;
    vision::ShotDetector detector;
    Survey survey(finder, least_score, seen);
    for (size_t frame = 0; frame < clip.count(); frame++) {
        const media::VideoFrame decoded = reader.next();
        if (decoded.empty())
            break;
        const cv::Mat picture = decoded.rgb();
        const bool starts = detector.starts_shot(picture);
        const pipeline::FrameClock::Tick tick = clock.next(clip.pts[frame], starts);
        if (starts)
            survey.begin(frame, tick.time);
        survey.pass(tick.time);
        since_search = starts ? 0 : since_search + (tick.generate ? 1 : 0);
        if (tick.generate && (rate == 0 || since_search % pictures_a_search == 0))
            survey.look(tick.time, picture);
        else if (tick.generate)
            survey.follow(tick.time, picture);
    }
    survey.end();
    return survey.take();
}

} // namespace aianime::tools
