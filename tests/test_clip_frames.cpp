// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdlib>
#include <filesystem>

#include "io/error.h"
#include "media/process.h"
#include "media/video_frames.h"
#include "support.h"
#include "train/clip_frames.h"

using namespace aianime;

namespace {

// Two seconds of a pattern, then two of a fractal: a cut in between.
bool write_clip(const std::string &path) {
    std::string ffmpeg;
    try {
        ffmpeg = media::find_ffmpeg();
    } catch (const Error &) {
        print_skip("no ffmpeg to make a clip with");
        return false;
    }
    media::output_of({ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30:duration=2", "-f", "lavfi", "-i",
                      "mandelbrot=size=160x90:rate=30:start_scale=0.3,trim=duration=2", "-filter_complex", "concat", "-c:v",
                      "mpeg4", "-q:v", "2", path});
    ck_assert(std::filesystem::exists(path));
    return true;
}

} // namespace

AIANIME_TEST(frames_between_cuts) {
    const TempFolder folder;
    if (!write_clip(folder.path("a.mp4")))
        return;
    write_file(folder.path("broken.mp4"), "this is no clip");
    write_file(folder.path("notes.txt"), "nor is this");
    std::vector<std::string> lines;
    train::Report report;
    report.line = [&lines](const std::string &line) { lines.push_back(line); };
    const std::vector<train::Clip> clips = train::read_clips(folder.path(), 10, 72, report);
    ck_assert_int_eq(static_cast<int>(clips.size()), 2);
    ck_assert_int_eq(static_cast<int>(clips[0].frames.size()), 20);
    ck_assert_int_eq(static_cast<int>(clips[1].frames.size()), 20);
    ck_assert(clips[0].frames[0].size() == cv::Size(128, 72) && clips[0].frames[0].type() == CV_8UC3);
    // The pattern has a red bar on the left: R, G, B.
    const cv::Vec3b bar = clips[0].frames[3].at<cv::Vec3b>(60, 10);
    ck_assert_msg(bar[0] > 200 && bar[1] < 60 && bar[2] < 60, "%d %d %d", bar[0], bar[1], bar[2]);
    ck_assert(lines.size() == 1 && lines[0].find("broken.mp4") != std::string::npos);
    // A rate above the clip's gives all frames.
    ck_assert_int_eq(static_cast<int>(train::read_clips(folder.path(), 100, 36, report)[0].frames.size()), 60);
}

AIANIME_TEST(no_clips) {
    const TempFolder folder;
    ck_assert(train::read_clips(folder.path(), 10, 72, {}).empty());
    ck_assert(train::read_clips(folder.path("nowhere"), 10, 72, {}).empty());
    ck_assert(train::read_clips("", 10, 72, {}).empty());
}

int main() {
    // The tree's own ffmpeg, where it has been built.
    const char *build = std::getenv("BUILD"), *path = std::getenv("PATH");
    setenv("PATH", (std::string(build ? build : "build") + "/bin:" + (path ? path : "")).c_str(), 1);
    return run_suite("clip_frames", {frames_between_cuts, no_clips});
}
