// SPDX-License-Identifier: LGPL-2.1-or-later
// Recall and precision of the cut detection, on clips without cuts of their own that are joined, lit, moved and mixed in known ways.
//
//     bench_shots FFMPEG CLIP...
//
// Prints a line for each kind of change: cuts that are there, found, and found where none is; and where it errs.
#include <cstdio>
#include <filesystem>
#include <functional>

#include <opencv2/imgproc.hpp>

#include "media/video_reader.h"
#include "vision/shots.h"

using namespace aianime;

namespace {

using Pictures = std::vector<cv::Mat>;
constexpr int part = 24;        // frames of each clip in a trial
constexpr size_t longest = 240; // frames read of a clip

struct Clip {
    std::string name;
    Pictures pictures; // all of 192x144
};

// `first` to `last` are the frames where the one start (after frame 0) may be; last < 0: there is none.
struct Trial {
    Pictures pictures;
    int first = -1, last = -1;
};

struct Score {
    int cuts = 0, found = 0, wrong = 0, trials = 0;
};

Clip read_clip(const std::string &ffmpeg, const std::string &path) {
    Clip clip{std::filesystem::path(path).stem(), {}};
    media::VideoReader reader(ffmpeg, path, media::chroma_of(ffmpeg, path));
    for (media::VideoFrame frame = reader.next(); !frame.empty() && clip.pictures.size() < longest; frame = reader.next()) {
        cv::Mat small;
        cv::resize(frame.rgb(), small, {192, 144}, 0, 0, cv::INTER_AREA);
        clip.pictures.push_back(small);
    }
    return clip;
}

Pictures piece(const Clip &clip, int begin) {
    Pictures out;
    for (int i = 0; i < part; i++)
        out.push_back(clip.pictures[std::min(clip.pictures.size() - 1, static_cast<size_t>(begin + i))].clone());
    return out;
}

Trial joined(const Clip &a, const Clip &b) {
    Trial trial{piece(a, 40), part, part};
    const Pictures more = piece(b, 20);
    trial.pictures.insert(trial.pictures.end(), more.begin(), more.end());
    return trial;
}

void change(Trial &trial, const std::function<cv::Mat(const cv::Mat &, int)> &how) {
    for (size_t i = 0; i < trial.pictures.size(); i++)
        trial.pictures[i] = cv::min(cv::max(how(trial.pictures[i], static_cast<int>(i)), cv::Scalar::all(0)), cv::Scalar::all(1));
}

Trial flash(const Clip &a, const Clip &) {
    Trial trial{piece(a, 40)};
    change(trial, [](const cv::Mat &p, int i) { return i == 11 || i == 12 ? cv::Mat(p * 3.5 + cv::Scalar::all(0.15)) : p; });
    return trial;
}

Trial flash_at_cut(const Clip &a, const Clip &b) {
    Trial trial = joined(a, b);
    trial.pictures[part - 1].setTo(cv::Scalar::all(1));
    trial.first = part - 1;
    return trial;
}

Trial faded(const Clip &a, const Clip &b, double through) {
    Trial trial = joined(a, b);
    change(trial, [&](const cv::Mat &p, int i) {
        const double weight = std::min(1.0, std::abs(i - part) / 10.0);
        return cv::Mat(p * weight + cv::Scalar::all(through * (1 - weight)));
    });
    trial.last = part + 6;
    return trial;
}

Trial dissolve(const Clip &a, const Clip &b, int length) {
    const Pictures before = piece(a, 40), after = piece(b, 20);
    Trial trial{{}, part - length, part + 4};
    for (int i = 0; i < 2 * part - length; i++) {
        const double weight = std::clamp((i - (part - length) + 1) / (length + 1.0), 0.0, 1.0);
        const cv::Mat &x = before[std::min(i, part - 1)], &y = after[std::max(0, i - (part - length))];
        trial.pictures.push_back(x * (1 - weight) + y * weight);
    }
    return trial;
}

Trial noisy(const Clip &a, const Clip &b) {
    Trial trial = joined(a, b);
    cv::RNG random(5);
    change(trial, [&](const cv::Mat &p, int) {
        cv::Mat noise(p.size(), CV_32FC3);
        random.fill(noise, cv::RNG::NORMAL, 0, 0.15);
        return cv::Mat(p + noise);
    });
    return trial;
}

Trial dark(const Clip &a, const Clip &b) {
    Trial trial = joined(a, b);
    change(trial, [](const cv::Mat &p, int) {
        cv::Mat bytes, out;
        p.convertTo(bytes, CV_8U, 255 * 0.12);
        bytes.convertTo(out, CV_32F, 1 / 255.0);
        return out;
    });
    return trial;
}

// The camera swings over a wide view (two clips' pictures side by side), by up to `share` of the picture's width a frame, with
// half a frame's motion blur.
Trial pan(const Clip &a, const Clip &b, double share) {
    cv::Mat wide, flipped;
    cv::flip(a.pictures[40], flipped, 1);
    const cv::Mat parts[] = {a.pictures[40], flipped, b.pictures[20]};
    cv::hconcat(parts, 3, wide);
    cv::resize(wide, wide, {}, 2, 2);
    Trial trial;
    double x = 0;
    const cv::Size view(192, 144);
    for (int i = 0; i < part && x + view.width * (1 + share) < wide.cols; i++) {
        const double speed = share * view.width * std::min(1.0, i / 4.0);
        cv::Mat sum = cv::Mat::zeros(view, CV_32FC3);
        for (int step = 0; step < 8; step++)
            sum += wide(cv::Rect({static_cast<int>(x + speed * step / 16), 60}, view)) / 8;
        trial.pictures.push_back(sum);
        x += speed;
    }
    return trial;
}

Trial zoom(const Clip &a, const Clip &, bool in) {
    Trial trial{piece(a, 40)};
    change(trial, [&](const cv::Mat &p, int i) {
        const double scale = std::pow(1.12, -std::clamp((in ? i : part - 1 - i) - 6, 0, 10));
        const cv::Size size(static_cast<int>(192 * scale), static_cast<int>(144 * scale));
        cv::Mat out;
        cv::resize(p(cv::Rect({(192 - size.width) / 2, (144 - size.height) / 2}, size)), out, p.size());
        return out;
    });
    return trial;
}

Score judge(const Trial &trial, const std::string &what) {
    vision::ShotDetector detector;
    Score score{trial.last >= 0, 0, 0, 1};
    for (size_t i = 0; i < trial.pictures.size(); i++) {
        const int at = static_cast<int>(i);
        if (!detector.starts_shot(trial.pictures[i]) || i == 0)
            continue;
        const bool right = at >= trial.first && at <= trial.last && !score.found;
        (right ? score.found : score.wrong)++;
        if (!right)
            std::printf("    wrong: %s, frame %d\n", what.c_str(), at);
    }
    if (score.found < score.cuts)
        std::printf("    missed: %s\n", what.c_str());
    return score;
}

void print(const std::string &name, const Score &s) {
    std::printf("%-22s %3d trials %3d cuts: recall %.3f, %d wrong, precision %.3f\n", name.c_str(), s.trials, s.cuts,
                s.cuts ? double(s.found) / s.cuts : 1.0, s.wrong, s.found + s.wrong ? double(s.found) / (s.found + s.wrong) : 1.0);
}

void add(Score &sum, const Score &s) {
    sum = {sum.cuts + s.cuts, sum.found + s.found, sum.wrong + s.wrong, sum.trials + s.trials};
}

} // namespace

int main(int argc, char **argv) {
    std::vector<Clip> clips;
    for (int i = 2; i < argc; i++)
        clips.push_back(read_clip(argv[1], argv[i]));
    using Maker = std::function<Trial(const Clip &, const Clip &)>;
    const std::vector<std::pair<std::string, Maker>> kinds = {
        {"cut", joined},
        {"flash", flash},
        {"flash at a cut", flash_at_cut},
        {"fade through black", [](const Clip &a, const Clip &b) { return faded(a, b, 0); }},
        {"fade through white", [](const Clip &a, const Clip &b) { return faded(a, b, 1); }},
        {"dissolve of 8", [](const Clip &a, const Clip &b) { return dissolve(a, b, 8); }},
        {"dissolve of 16", [](const Clip &a, const Clip &b) { return dissolve(a, b, 16); }},
        {"noise", noisy},
        {"dark", dark},
        {"pan 0.15", [](const Clip &a, const Clip &b) { return pan(a, b, 0.15); }},
        {"pan 0.3", [](const Clip &a, const Clip &b) { return pan(a, b, 0.3); }},
        {"pan 0.45", [](const Clip &a, const Clip &b) { return pan(a, b, 0.45); }},
        {"zoom in", [](const Clip &a, const Clip &b) { return zoom(a, b, true); }},
        {"zoom out", [](const Clip &a, const Clip &b) { return zoom(a, b, false); }},
    };
    Score all;
    for (const auto &[name, make] : kinds) {
        Score sum;
        for (size_t a = 0; a < clips.size(); a++)
            for (size_t b = 0; b < clips.size(); b++)
                if (a != b)
                    add(sum, judge(make(clips[a], clips[b]), name + ", " + clips[a].name + " " + clips[b].name));
        print(name, sum);
        add(all, sum);
    }
    Score alone;
    for (const Clip &clip : clips)
        add(alone, judge({clip.pictures}, "whole, " + clip.name));
    print("whole clips", alone);
    add(all, alone);
    print("all", all);
}
