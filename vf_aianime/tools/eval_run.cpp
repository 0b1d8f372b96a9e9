// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/eval_run.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>

#include "eval/baseline.h"
#include "eval/judges.h"
#include "io/error.h"
#include "io/text.h"
#include "media/video_frames.h"
#include "media/video_reader.h"
#include "pipeline/faces.h"
#include "pipeline/frame_clock.h"
#include "pipeline/template.h"
#include "vision/shots.h"

namespace aianime::tools {

namespace {

constexpr int64_t most_frames = 1 << 20;

int64_t integer_or(const Flags &flags, const char *name, int64_t otherwise, int64_t min, int64_t max) {
    return flags.has(name) ? flags.integer(name, min, max) : otherwise;
}

// "3,7,12"
std::vector<size_t> numbers_of(const std::string &text) {
    std::vector<size_t> numbers;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        if (word.empty() || word.size() > 9 || word.find_first_not_of("0123456789") != std::string::npos)
            throw Error(AIANIME_INVALID, "--borders: " + io::quoted(text) + " is not a list of frame numbers, such as 28,56");
        numbers.push_back(std::stoul(word));
        begin = end + 1;
    }
    return numbers;
}

std::string size_text(cv::Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

// One run of the verb.
class Run {
public:
    explicit Run(const Flags &flags)
        : flags_(flags), ffmpeg_(media::find_ffmpeg()), look_(flags.has("template") ? flags.text("template") : "pop"),
          style_(pipeline::load_template(look_)), width_(static_cast<int>(integer_or(flags, "width", 0, 0, 16384))),
          layout_(media::layout_of(ffmpeg_, flags.words()[1])) {
        evaluation_.source = flags.words()[0];
        evaluation_.result = flags.words()[1];
        evaluation_.look = look_;
        evaluation_.rate = flags.has("rate") ? flags.text("rate") : "generated";
        if (evaluation_.rate != "generated" && evaluation_.rate != "source")
            throw Error(AIANIME_INVALID, "--rate: " + io::quoted(evaluation_.rate) + " is neither generated nor source");
        if (flags.has("fps"))
            style_.generate_fps = flags.number("fps", 0, 1000);
        read_sizes();
        clip_ = media::decoded_frames(ffmpeg_, evaluation_.source);
        evaluation_.clip_frames = clip_.count();
        check_count("the result", evaluation_.result, false);
    }

    const eval::Evaluation &run() {
        choose_frames();
        open_columns();
        score();
        mark_seams();
        return evaluation_;
    }

private:
    struct Column {
        std::string key, title;
        std::unique_ptr<media::VideoReader> video; // one of the two
        std::vector<media::VideoFrame> frames;     // those that are scored
        size_t scored = 0;
    };

    void read_sizes() {
        style_.segment = static_cast<int>(integer_or(flags_, "segment", style_.segment, 1, most_frames));
        style_.window = static_cast<int>(integer_or(flags_, "window", style_.window, 1, most_frames));
        style_.overlap =
            static_cast<int>(integer_or(flags_, "overlap", std::min(style_.overlap, style_.window - 1), 0, most_frames));
        if (style_.overlap >= style_.window)
            throw Error(AIANIME_OUT_OF_RANGE, "--overlap: " + std::to_string(style_.overlap) +
                                                  " is not below the window, which is " + std::to_string(style_.window));
        if (flags_.has("borders"))
            borders_ = numbers_of(flags_.text("borders"));
    }

    void check_count(const std::string &what, const std::string &file, bool may_end) const {
        const size_t count = media::decoded_frames(ffmpeg_, file).count();
        if (count > clip_.count() || (count < clip_.count() && !may_end))
            throw Error(AIANIME_BAD_DATA, io::printable(file) + ": " + what + " has " + std::to_string(count) +
                                              " frames, the source has " + std::to_string(clip_.count()) +
                                              "; frames are compared one by one");
    }

    // As the filter would: shots, and the frames that the networks make. Those the baselines need are kept.
    void choose_frames() {
        media::VideoReader video(ffmpeg_, evaluation_.source, layout_);
        vision::ShotDetector detector;
        pipeline::FrameClock clock(clip_.time_base, {0, 0}, style_.generate_fps);
        const bool all = evaluation_.rate == "source";
        const auto wanted = static_cast<size_t>(integer_or(flags_, "baseline", 24, 0, most_frames));
        evaluation_.size =
            width_ == 0 ? video.size() : cv::Size(width_, std::max(1, width_ * video.size().height / video.size().width));
        source_size_ = video.size();
        size_t generated = 0;
        int shot = -1;
        for (size_t i = 0; i < clip_.count(); i++) {
            const media::VideoFrame frame = video.next();
            if (frame.empty())
                throw Error(AIANIME_BAD_DATA, io::printable(evaluation_.source) + ": it cannot be decoded the same way twice");
            const bool cut = detector.starts_shot(scaled(frame));
            shot += cut ? 1 : 0;
            const pipeline::FrameClock::Tick tick = clock.next(clip_.pts[i], cut);
            generated += tick.generate ? 1 : 0;
            if (!tick.generate && !all)
                continue;
            frames_.push_back({i, tick.time, shot, tick.generate});
            if (generated < wanted || (generated == wanted && tick.generate)) // what follows the last one would have no neighbour
                beginning_.push_back(i);
        }
    }

    aianime_settings render_settings() {
        aianime_settings settings{};
        const auto text = [&](const char *name) { return (texts_.push_back(flags_.text(name)), texts_.back().c_str()); };
        settings.models_path = text("models");
        settings.device = text("device");
        settings.prompt = text("prompt");
        settings.negative = text("negative");
        const auto given = [&](const char *name, uint32_t bit) {
            settings.given |= flags_.has(name) ? bit : 0;
            return flags_.has(name);
        };
        if (given("seed", AIANIME_SET_SEED))
            settings.seed = static_cast<uint64_t>(flags_.integer("seed", 0, INT64_MAX));
        if (given("steps", AIANIME_SET_STEPS))
            settings.steps = static_cast<int>(flags_.integer("steps", 1, 1000));
        if (given("size", AIANIME_SET_SIZE))
            settings.size = static_cast<int>(flags_.integer("size", 0, 4096));
        if (given("strength", AIANIME_SET_STRENGTH))
            settings.strength = flags_.number("strength", 0, 1);
        if (given("guidance", AIANIME_SET_GUIDANCE))
            settings.guidance = flags_.number("guidance", 0, 50);
        if (evaluation_.rate == "source" && given("fps", AIANIME_SET_FPS))
            settings.fps = style_.generate_fps;
        settings.threads = static_cast<int>(integer_or(flags_, "threads", 0, 0, 1024));
        return settings;
    }

    std::vector<media::VideoFrame> render(eval::Baseline baseline) {
        eval::BaselineOptions options;
        options.look = look_;
        options.all_generated = evaluation_.rate == "generated";
        options.settings = render_settings();
        options.warn = [](const std::string &line) { std::fprintf(stderr, "aianime: %s\n", line.c_str()); };
        media::VideoReader video(ffmpeg_, evaluation_.source, layout_);
        std::vector<media::VideoFrame> sources;
        std::vector<int64_t> pts;
        for (size_t i = 0; i <= beginning_.back(); i++) {
            const media::VideoFrame frame = video.next();
            if (!std::binary_search(beginning_.begin(), beginning_.end(), i))
                continue;
            sources.push_back(frame);
            pts.push_back(clip_.pts[i]);
        }
        return eval::render_baseline(sources, pts, clip_.time_base, baseline, options);
    }

    void open_columns() {
        const auto open = [&](const std::string &file) {
            auto video = std::make_unique<media::VideoReader>(ffmpeg_, file, layout_);
            if (video->size() != source_size_)
                throw Error(AIANIME_BAD_DATA, io::printable(file) + ": its frames are " + size_text(video->size()) +
                                                  ", the source's " + size_text(source_size_));
            return video;
        };
        columns_.push_back({"source", "source", open(evaluation_.source), {}, 0});
        std::unique_ptr<media::VideoReader> result = open(evaluation_.result); // before time is spent on baselines
        const auto add = [&](const char *key, const char *title, const char *flag, eval::Baseline baseline) {
            const std::string file = flags_.text(flag);
            if (!file.empty()) {
                check_count("the baseline", file, true);
                columns_.push_back({key, title, open(file), {}, 0});
            } else if (!beginning_.empty())
                columns_.push_back({key, title, nullptr, render(baseline), 0});
        };
        add("self_frame", "self/frame", "self-frame", eval::Baseline::self_frame);
        add("self_shared", "self/shared", "self-shared", eval::Baseline::self_shared);
        columns_.push_back({"result", "result", std::move(result), {}, 0});
    }

    // As it is scored.
    cv::Mat scaled(const media::VideoFrame &frame) const {
        cv::Mat picture = frame.rgb();
        if (picture.size() != evaluation_.size)
            cv::resize(picture, picture, evaluation_.size, 0, 0, cv::INTER_AREA);
        return picture;
    }

    // A column's next picture; empty behind its end and where it is not scored.
    cv::Mat take(Column &column, bool scored) {
        media::VideoFrame frame;
        if (column.video)
            frame = column.video->next();
        else if (scored && column.scored < column.frames.size())
            frame = column.frames[column.scored];
        if (frame.empty() && column.key == "result")
            throw Error(AIANIME_BAD_DATA, io::printable(evaluation_.result) + ": it ends while it is read");
        if (frame.empty() || !scored)
            return {};
        column.scored++;
        return scaled(frame);
    }

    eval::Judges judges() const {
        eval::Judges judges;
        if (flags_.has("clip"))
            judges.embed = eval::clip_judge(flags_.text("clip"));
        const auto every = static_cast<size_t>(integer_or(flags_, "faces", 4, 0, most_frames));
        if (every > 0)
            judges.identity = eval::face_judge(pipeline::face_folder(), every);
        return judges;
    }

    void score() {
        std::vector<std::pair<std::string, std::string>> names;
        for (const Column &column : columns_)
            names.emplace_back(column.key, column.title);
        eval::Evaluator evaluator(names, judges());
        size_t next = 0;
        for (size_t i = 0; i < clip_.count(); i++) {
            const bool scored = next < frames_.size() && frames_[next].number == i;
            std::vector<cv::Mat> pictures;
            for (Column &column : columns_)
                pictures.push_back(take(column, scored));
            if (scored)
                evaluator.add(frames_[next++], pictures);
        }
        evaluation_.measured = evaluator.measured();
        evaluation_.compared = frames_.size();
        for (const Column &column : columns_)
            evaluation_.compared = std::min(evaluation_.compared, column.scored);
    }

    void mark_seams() {
        if (!borders_.empty()) {
            evaluation_.seams = {{"borders", eval::across_borders(frames_, borders_)}};
            return;
        }
        const int64_t overlap = std::min(style_.overlap, style_.segment - 1);
        evaluation_.seams = {{"segments", eval::across_segments(frames_, style_.segment, overlap)},
                             {"windows", eval::across_windows(frames_, style_.segment, style_.window, overlap)}};
    }

    const Flags &flags_;
    const std::string ffmpeg_, look_;
    pipeline::Template style_;
    const int width_;
    std::vector<size_t> borders_;
    const media::Layout layout_; // of the result: all frames go the same way
    cv::Size source_size_;
    media::VideoFrames clip_;
    std::vector<eval::FrameInfo> frames_; // that are scored
    std::vector<size_t> beginning_;       // numbers of those that baselines are rendered for
    std::vector<Column> columns_;
    std::deque<std::string> texts_; // that the settings point at
    eval::Evaluation evaluation_;
};

} // namespace

eval::Evaluation evaluate_videos(const Flags &flags) { return Run(flags).run(); }

} // namespace aianime::tools
