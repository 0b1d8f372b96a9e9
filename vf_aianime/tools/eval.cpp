// SPDX-License-Identifier: LGPL-2.1-or-later
// Scores how coherent a video is that was made of another one.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <opencv2/imgproc.hpp>

#include "eval/baseline.h"
#include "eval/judges.h"
#include "eval/plot.h"
#include "eval/report.h"
#include "io/atomic_file.h"
#include "io/error.h"
#include "io/paths.h"
#include "io/text.h"
#include "media/video_frames.h"
#include "media/video_reader.h"
#include "pipeline/faces.h"
#include "pipeline/frame_clock.h"
#include "pipeline/template.h"
#include "tools/flags.h"
#include "tools/verbs.h"
#include "vision/shots.h"

namespace aianime::tools {

namespace {

const char *const help = R"(usage: aianime eval IN OUT [-o REPORT.json] [--plot PLOT.png] [options]

Scores how coherent the video OUT is, which was made of IN: whether things keep their look from frame to frame as they move in the
source. Always beside the source itself and the same template's frames made alone, with independent and with shared noise; what each
score means is in docs/eval.md. Store OUT without loss (-c:v ffv1), or the encoder is scored too.

  -o, --output FILE   all scores as JSON
  --plot FILE.png     every score over time
  --rate WHICH        generated: the frames that the networks make, by the template's rate; source: all frames [generated]
  --fps N             generated frames a second instead of the template's, 0 for all
  --width N           pictures are scaled to this width first, 0 for none [0]
  --clip PATH         a CLIP vision tower, file or folder with config.json, for the consistency of content
  --faces N           identity is looked at in every Nth frame, 0 for none [4]

What the result is compared with is rendered:
  -t, --template T    template, by name or file [pop]
  --baseline FRAMES   generated frames of the beginning, 0 for none [24]
  --models, --device, --prompt, --negative, --seed, --steps, --size, --strength, --guidance, --threads
                      as the result was made (see `aianime image --help`)
or read:
  --self-frame FILE   attention self with noise frame: as long as IN, or its beginning
  --self-shared FILE  attention self with noise shared

Borders at which seams are looked for:
  --segment N, --window N, --overlap N
                      generated frames, as the result was made [the template's]
  --borders N,N,...   numbers of the frames that begin something, from 0, instead
)";

const std::map<std::string, std::string> known_flags = {
    {"-o", "output"},
    {"--output", "output"},
    {"--plot", "plot"},
    {"--rate", "rate"},
    {"--fps", "fps"},
    {"--width", "width"},
    {"--clip", "clip"},
    {"--faces", "faces"},
    {"-t", "template"},
    {"--template", "template"},
    {"--baseline", "baseline"},
    {"--models", "models"},
    {"--device", "device"},
    {"--prompt", "prompt"},
    {"--negative", "negative"},
    {"--seed", "seed"},
    {"--steps", "steps"},
    {"--size", "size"},
    {"--strength", "strength"},
    {"--guidance", "guidance"},
    {"--threads", "threads"},
    {"--self-frame", "self-frame"},
    {"--segment", "segment"},
    {"--window", "window"},
    {"--overlap", "overlap"},
    {"--borders", "borders"},
    {"--self-shared", "self-shared"},
};

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

cv::Mat to_float(const cv::Mat &codes) {
    cv::Mat picture;
    if (!codes.empty())
        codes.convertTo(picture, CV_32FC3, 1 / 255.0);
    return picture;
}

std::string size_text(cv::Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

// What would be noticed only after the work, now.
void check_writable(const std::string &path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!path.empty() && !folder.empty() && !io::is_folder(folder))
        throw Error(AIANIME_NOT_FOUND, io::printable(path) + ": there is no such folder");
}

// One run of the verb.
class Run {
public:
    explicit Run(const Flags &flags)
        : flags_(flags), ffmpeg_(media::find_ffmpeg()), look_(flags.has("template") ? flags.text("template") : "pop"),
          style_(pipeline::load_template(look_)), width_(static_cast<int>(integer_or(flags, "width", 0, 0, 16384))) {
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
        make_baselines();
        score();
        mark_seams();
        return evaluation_;
    }

private:
    struct Column {
        std::string key, title;
        std::unique_ptr<media::VideoReader> video; // one of the two
        std::vector<cv::Mat> pictures;             // of the frames that are scored
        size_t next = 0;
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
        media::VideoReader video(ffmpeg_, evaluation_.source, width_);
        vision::ShotDetector detector;
        pipeline::FrameClock clock(clip_.time_base, {0, 0}, style_.generate_fps);
        const bool all = evaluation_.rate == "source";
        const auto wanted = static_cast<size_t>(integer_or(flags_, "baseline", 24, 0, most_frames));
        size_t generated = 0;
        int shot = -1;
        for (size_t i = 0; i < clip_.count(); i++) {
            const cv::Mat picture = video.next();
            if (picture.empty())
                throw Error(AIANIME_BAD_DATA, io::printable(evaluation_.source) + ": it cannot be decoded the same way twice");
            const bool cut = detector.starts_shot(to_float(picture));
            shot += cut ? 1 : 0;
            const pipeline::FrameClock::Tick tick = clock.next(clip_.pts[i], cut);
            generated += tick.generate ? 1 : 0;
            evaluation_.size = picture.size();
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
        texts_.reserve(4);
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

    // From the source as it is stored; the results are scaled afterwards, as the result's frames are.
    std::vector<cv::Mat> render(eval::Baseline baseline) {
        eval::BaselineOptions options;
        options.look = look_;
        options.all_generated = evaluation_.rate == "generated";
        options.settings = render_settings();
        options.warn = [](const std::string &line) { std::fprintf(stderr, "aianime: %s\n", line.c_str()); };
        media::VideoReader video(ffmpeg_, evaluation_.source, 0);
        std::vector<cv::Mat> sources;
        std::vector<int64_t> pts;
        for (size_t i = 0; i <= beginning_.back(); i++) {
            const cv::Mat picture = video.next();
            if (!std::binary_search(beginning_.begin(), beginning_.end(), i))
                continue;
            sources.push_back(picture);
            pts.push_back(clip_.pts[i]);
        }
        std::vector<cv::Mat> made = eval::render_baseline(sources, pts, clip_.time_base, baseline, options);
        for (cv::Mat &picture : made)
            if (picture.size() != evaluation_.size)
                cv::resize(picture, picture, evaluation_.size, 0, 0, cv::INTER_AREA);
        return made;
    }

    void make_baselines() {
        const auto open = [&](const std::string &file) { return std::make_unique<media::VideoReader>(ffmpeg_, file, width_); };
        columns_.push_back({"source", "source", open(evaluation_.source), {}, 0, 0});
        const auto add = [&](const char *key, const char *title, const char *flag, eval::Baseline baseline) {
            const std::string file = flags_.text(flag);
            if (!file.empty()) {
                check_count("the baseline", file, true);
                columns_.push_back({key, title, open(file), {}, 0, 0});
            } else if (!beginning_.empty())
                columns_.push_back({key, title, nullptr, render(baseline), 0, 0});
        };
        add("self_frame", "self/frame", "self-frame", eval::Baseline::self_frame);
        add("self_shared", "self/shared", "self-shared", eval::Baseline::self_shared);
        columns_.push_back({"result", "result", open(evaluation_.result), {}, 0, 0});
    }

    // The frame with this number, of those that are scored or not; empty behind the end.
    cv::Mat take(Column &column, bool scored) {
        cv::Mat codes;
        if (column.video)
            codes = column.video->next();
        else if (scored && column.next < column.pictures.size())
            codes = column.pictures[column.next++];
        if (!codes.empty() && codes.size() != evaluation_.size)
            throw Error(AIANIME_BAD_DATA, "the frames of " + column.title + " are " + size_text(codes.size()) + ", the source's " +
                                              size_text(evaluation_.size) + "; they must have one size");
        if (codes.empty() && column.key == "result")
            throw Error(AIANIME_BAD_DATA, io::printable(evaluation_.result) + ": it ends while it is read");
        column.scored += scored && !codes.empty() ? 1 : 0;
        return scored ? to_float(codes) : cv::Mat();
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
    media::VideoFrames clip_;
    std::vector<eval::FrameInfo> frames_; // that are scored
    std::vector<size_t> beginning_;       // numbers of those that baselines are rendered for
    std::vector<Column> columns_;
    std::vector<std::string> texts_; // that the settings point at
    eval::Evaluation evaluation_;
};

int run(const Arguments &arguments) {
    const Flags flags("eval", arguments, known_flags);
    if (flags.words().size() != 2)
        throw Error(AIANIME_INVALID, "eval: two videos are needed, the source and the result; `aianime eval --help`");
    const std::string output = flags.text("output"), plot = flags.text("plot");
    check_writable(output);
    check_writable(plot);
    Run evaluation(flags);
    const eval::Evaluation &found = evaluation.run();
    std::printf("%s", eval::report_table(found).c_str());
    if (!plot.empty())
        eval::draw_scores(plot, io::printable(std::filesystem::path(found.result).filename().string()) + " by time",
                          found.measured);
    if (!output.empty()) {
        const std::string text = eval::report_json(found);
        io::AtomicFile file(output);
        file.write(text.data(), text.size());
        file.commit();
    }
    return AIANIME_OK;
}

} // namespace

const Verb eval_verb = {"eval", "scores how coherent a result is, beside its source and frames made alone", help, run};

} // namespace aianime::tools
