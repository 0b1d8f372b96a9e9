// SPDX-License-Identifier: LGPL-2.1-or-later
// Recall and precision of the cut detection on clips made from real ones: shots CLIPS PICTURES FFMPEG. tests/bench/shots.sh builds
// and runs it; docs/coherence.md, "Shots", tells what is made.
#include "vision/shots.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Clip = std::vector<cv::Mat>; // CV_8UC3, RGB

const cv::Size size(256, 192);
constexpr int longest = 2000, part = 16;

struct Span {
    int first, last; // a shot starts here, counted in frames
};

struct Score {
    int trials = 0, expected = 0, found = 0, wrong = 0;
};

struct Shot {
    std::string name;
    Clip frames;
};

std::map<std::string, Score> scores;
std::vector<std::string> order;

std::vector<int> starts(const Clip &clip) {
    aianime::vision::ShotDetector detector;
    std::vector<int> found;
    for (size_t i = 0; i < clip.size(); i++) {
        cv::Mat picture;
        clip[i].convertTo(picture, CV_32FC3, 1 / 255.0);
        if (detector.starts_shot(picture) && i > 0)
            found.push_back(static_cast<int>(i));
    }
    return found;
}

void trial(const std::string &kind, const std::string &name, const Clip &clip, const std::vector<Span> &expected) {
    if (scores.find(kind) == scores.end())
        order.push_back(kind);
    Score &score = scores[kind];
    score.trials++;
    std::vector<int> rest = starts(clip);
    std::string text;
    for (const Span &span : expected) {
        const auto hit = std::find_if(rest.begin(), rest.end(), [&](int at) { return at >= span.first && at <= span.last; });
        score.expected++;
        if (hit == rest.end()) {
            text += " misses " + std::to_string(span.first);
            continue;
        }
        score.found++;
        rest.erase(hit);
    }
    score.wrong += static_cast<int>(rest.size());
    for (const int at : rest)
        text += " wrong " + std::to_string(at);
    if (!text.empty())
        std::printf("%s, %s:%s\n", kind.c_str(), name.c_str(), text.c_str());
}

Clip read_clip(const std::string &path, const std::string &ffmpeg) {
    const std::string command = "'" + ffmpeg + "' -v error -nostdin -i '" + path + "' -an -vf scale=256:192:flags=area -frames:v " +
                                std::to_string(longest) + " -pix_fmt rgb24 -f rawvideo - 2>/dev/null";
    Clip clip;
    FILE *pipe = popen(command.c_str(), "r");
    cv::Mat frame(size, CV_8UC3);
    while (pipe && std::fread(frame.data, frame.total() * 3, 1, pipe) == 1)
        clip.push_back(frame.clone());
    if (pipe)
        pclose(pipe);
    return clip;
}

// CLIPS/cuts.txt tells where the clips themselves are cut: a name and frame numbers a line.
std::map<std::string, std::vector<int>> known_cuts(const std::string &folder) {
    std::map<std::string, std::vector<int>> cuts;
    std::ifstream file(folder + "/cuts.txt");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        for (int at; words >> at;)
            cuts[name].push_back(at);
    }
    return cuts;
}

std::vector<fs::path> files_of(const std::string &folder) {
    std::vector<fs::path> files;
    for (const auto &entry : fs::directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().extension() != ".txt")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

// Measures the clips as they are; returns the shots in them of `part` frames at least, two of a clip.
std::vector<Shot> shots_of(const std::string &folder, const std::string &ffmpeg) {
    std::vector<Shot> shots;
    auto cuts = known_cuts(folder);
    for (const fs::path &file : files_of(folder)) {
        const Clip clip = read_clip(file.string(), ffmpeg);
        const std::string name = file.filename().string();
        std::vector<Span> expected;
        std::vector<int> borders = {0};
        for (const int at : cuts[name]) {
            expected.push_back({at, at});
            borders.push_back(at);
        }
        borders.push_back(static_cast<int>(clip.size()));
        trial("as it is", name, clip, expected);
        for (size_t i = 0; i + 1 < borders.size() && i < 2; i++) {
            const int from = borders[i] + (borders[i + 1] - borders[i]) / 3;
            if (borders[i + 1] - from >= 3 * part)
                shots.push_back({name + "@" + std::to_string(from), Clip(clip.begin() + from, clip.begin() + from + 3 * part)});
        }
    }
    return shots;
}

Clip begin(const Clip &clip, size_t count = part) { return Clip(clip.begin(), clip.begin() + static_cast<long>(count)); }

Clip joined(const Clip &a, const Clip &b) {
    Clip all = a;
    all.insert(all.end(), b.begin(), b.end());
    return all;
}

Clip changed(const Clip &clip, const std::function<void(cv::Mat &, int)> &change) {
    Clip out;
    for (size_t i = 0; i < clip.size(); i++) {
        out.push_back(clip[i].clone());
        change(out.back(), static_cast<int>(i));
    }
    return out;
}

void mix(cv::Mat &picture, double share, double level) { picture.convertTo(picture, -1, 1 - share, share * level); }

Clip noisy(const Clip &clip, double deviation) {
    cv::RNG random(7);
    return changed(clip, [&](cv::Mat &picture, int) {
        cv::Mat noise(picture.size(), CV_16SC3), sum;
        random.fill(noise, cv::RNG::NORMAL, 0, deviation);
        cv::add(picture, noise, sum, cv::noArray(), CV_8UC3);
        picture = sum;
    });
}

Clip dark(const Clip &clip) {
    return changed(clip, [](cv::Mat &picture, int) { picture.convertTo(picture, -1, 0.12); });
}

Clip faded(const Clip &clip, double level) {
    const double half = clip.size() / 2.0;
    return changed(clip,
                   [&](cv::Mat &picture, int i) { mix(picture, std::min(1.0, 1.1 * (1 - std::abs(i - half) / half)), level); });
}

void alone(const Shot &shot) {
    for (const int length : {1, 3})
        for (const double share : {0.3, 0.6, 0.9, 1.0})
            trial("flash", shot.name + " " + std::to_string(length) + " of " + std::to_string(share),
                  changed(begin(shot.frames),
                          [&](cv::Mat &p, int i) {
                              if (i >= 8 && i < 8 + length)
                                  mix(p, share, 255);
                          }),
                  {});
    for (const double level : {0.0, 255.0})
        trial(level > 0 ? "fade to white and back" : "fade to black and back", shot.name, faded(shot.frames, level), {});
    for (const double deviation : {15.0, 40.0})
        trial("noise", shot.name + " " + std::to_string(deviation), noisy(begin(shot.frames), deviation), {});
    trial("dark", shot.name, dark(shot.frames), {});
}

void dissolves(const Shot &a, const Shot &b) {
    for (const int length : {8, 16, 25}) {
        Clip clip = joined(begin(a.frames, part + length), Clip(b.frames.begin() + length, b.frames.begin() + length + part));
        for (int i = 0; i < length; i++)
            cv::addWeighted(a.frames[part + i], 1 - (i + 1.0) / (length + 1), b.frames[i], (i + 1.0) / (length + 1), 0,
                            clip[part + i]);
        trial("dissolve of " + std::to_string(length), a.name + " to " + b.name, clip, {{part, part + length}});
    }
}

void pair(const Shot &a, const Shot &b, int number) {
    const Clip cut = joined(begin(a.frames), begin(b.frames));
    const std::string name = a.name + " to " + b.name;
    trial("cut", name, cut, {{part, part}});
    if (number % 5 == 0)
        dissolves(a, b);
    if (number % 5 == 1)
        for (const double level : {0.0, 255.0})
            trial(level > 0 ? "fade through white" : "fade through black", name, faded(cut, level), {{part, 2 * part}});
    if (number % 5 == 2)
        trial("cut, noise", name, noisy(cut, 25), {{part, part}});
    if (number % 5 == 3)
        trial("cut, dark", name, dark(cut), {{part, part}});
    if (number % 5 == 4)
        trial("cut with a flash before", name,
              changed(cut,
                      [](cv::Mat &p, int i) {
                          if (i == part - 1)
                              mix(p, 1, 255);
                      }),
              {{part, part}});
}

// To and fro between 0 and `range`.
double swing(double way, double range) {
    const double at = std::fmod(way, 2 * range);
    return at < range ? at : 2 * range - at;
}

// A camera moves over the picture, `speed` of its view a frame; with half a frame's motion blur, or sharp.
Clip pan(const cv::Mat &picture, double speed, cv::Point2d direction, bool blur) {
    const cv::Size2d view(picture.cols / 2.5, picture.rows / 2.5), room(picture.cols - view.width, picture.rows - view.height);
    Clip clip;
    const int steps = blur ? 8 : 1;
    for (int i = 0; i < 2 * part; i++) {
        cv::Mat sum = cv::Mat::zeros(size, CV_32FC3);
        for (int step = 0; step < steps; step++) {
            const double way = speed * (i + 0.5 * step / steps) + 0.13;
            const double x = direction.x > 0 ? swing(way * view.width * direction.x, room.width) : room.width / 2;
            const double y = direction.y > 0 ? swing(way * view.height * direction.y, room.height) : room.height / 2;
            cv::Mat seen;
            cv::resize(picture(cv::Rect(cv::Point(cvFloor(x), cvFloor(y)), cv::Size(view))), seen, size, 0, 0, cv::INTER_AREA);
            cv::accumulate(seen, sum);
        }
        cv::Mat frame;
        sum.convertTo(frame, CV_8U, 1.0 / steps);
        clip.push_back(frame);
    }
    return clip;
}

Clip zoom(const cv::Mat &picture, double speed, bool in) {
    Clip clip;
    for (int i = 0; i < part; i++) {
        const double scale = std::max(0.15, std::pow(1 - speed, i));
        const cv::Size view(static_cast<int>(picture.cols * scale), static_cast<int>(picture.rows * scale));
        cv::Mat frame;
        cv::resize(picture(cv::Rect({(picture.cols - view.width) / 2, (picture.rows - view.height) / 2}, view)), frame, size, 0, 0,
                   cv::INTER_AREA);
        clip.push_back(frame);
    }
    if (!in)
        std::reverse(clip.begin(), clip.end());
    return clip;
}

void moving(const std::string &name, const cv::Mat &picture) {
    for (const double speed : {0.03, 0.1, 0.15, 0.2, 0.3}) {
        const std::string kind = "pan, " + std::to_string(std::lround(100 * speed)) + " % a frame";
        for (const bool blur : {false, true}) {
            trial(kind, name + " x " + (blur ? "blurred" : "sharp"), pan(picture, speed, {1, 0}, blur), {});
            trial(kind, name + " y " + (blur ? "blurred" : "sharp"), pan(picture, speed, {0, 1}, blur), {});
        }
        trial(kind, name + " both", pan(picture, speed, {0.8, 0.6}, false), {});
    }
    for (const double speed : {0.03, 0.08, 0.15})
        for (const bool in : {true, false})
            trial("zoom", name + (in ? " in " : " out ") + std::to_string(speed), zoom(picture, speed, in), {});
}

void print_scores() {
    Score all;
    std::printf("\n| kind | trials | cuts | recall | wrong starts |\n|---|---|---|---|---|\n");
    for (const std::string &kind : order) {
        const Score &s = scores[kind];
        const std::string recall = s.expected ? cv::format("%.3f", double(s.found) / s.expected) : "";
        std::printf("| %s | %d | %d | %s | %d |\n", kind.c_str(), s.trials, s.expected, recall.c_str(), s.wrong);
        all.trials += s.trials, all.expected += s.expected, all.found += s.found, all.wrong += s.wrong;
    }
    std::printf("| all | %d | %d | %.3f | %d |\n\nprecision %.3f\n", all.trials, all.expected,
                double(all.found) / std::max(1, all.expected), all.wrong, double(all.found) / std::max(1, all.found + all.wrong));
}

} // namespace

int main(int count, char **words) {
    if (count != 4)
        return std::fprintf(stderr, "usage: shots CLIPS PICTURES FFMPEG\n"), 2;
    const std::vector<Shot> shots = shots_of(words[1], words[3]);
    int number = 0;
    for (const Shot &a : shots) {
        alone(a);
        for (const Shot &b : shots)
            if (&a != &b)
                pair(a, b, number++);
    }
    for (const fs::path &file : files_of(words[2])) {
        cv::Mat picture = cv::imread(file.string(), cv::IMREAD_COLOR);
        if (picture.empty())
            continue;
        cv::cvtColor(picture, picture, cv::COLOR_BGR2RGB);
        cv::resize(picture, picture, cv::Size(640, 480), 0, 0, cv::INTER_AREA);
        moving(file.stem().string(), picture);
    }
    print_scores();
}
