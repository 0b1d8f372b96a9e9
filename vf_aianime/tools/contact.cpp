// SPDX-License-Identifier: LGPL-2.1-or-later
// A sheet of pairs of frames: a video and what was made of it, side by side.
#include "vision/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "io/error.h"
#include "media/picture_file.h"
#include "media/video_frames.h"
#include "tools/flags.h"
#include "tools/verbs.h"

namespace aianime::tools {

namespace {

const std::map<std::string, std::string> known_flags = {
    {"-o", "output"}, {"--output", "output"}, {"--columns", "columns"}, {"--count", "count"}, {"--width", "width"},
};

int64_t integer_or(const Flags &flags, const std::string &name, int64_t otherwise, int64_t min, int64_t max) {
    return flags.has(name) ? flags.integer(name, min, max) : otherwise;
}

// The middles of `count` equal parts of the clip.
std::vector<size_t> evenly_spaced(size_t frames, size_t count) {
    count = std::min(count, frames);
    std::vector<size_t> numbers;
    for (size_t i = 0; i < count; i++)
        numbers.push_back((2 * i + 1) * frames / (2 * count));
    return numbers;
}

// 3.204 -> "0:03.20"
std::string clock_text(double seconds) {
    const long long hundredths = std::llround(seconds * 100);
    char text[32];
    std::snprintf(text, sizeof(text), "%lld:%02lld.%02lld", hundredths / 6000, hundredths / 100 % 60, hundredths % 100);
    return text;
}

int run_contact(const Arguments &arguments) {
    const Flags flags("contact", arguments, known_flags);
    if (flags.words().size() != 2)
        throw Error(AIANIME_INVALID, "contact: two videos are needed, the source and the result");
    const std::string &source = flags.words()[0], &result = flags.words()[1], output = flags.text("output");
    if (output.empty())
        throw Error(AIANIME_INVALID, "contact: -o SHEET.png is needed");
    const auto columns = static_cast<int>(integer_or(flags, "columns", 4, 1, 64));
    const auto count = static_cast<size_t>(integer_or(flags, "count", 8, 1, 256));
    const auto width = static_cast<int>(integer_or(flags, "width", 320, 16, 2048));

    const std::string ffmpeg = media::find_ffmpeg();
    const std::vector<double> times = media::frame_times(ffmpeg, source);
    const size_t result_frames = media::frame_times(ffmpeg, result).size();
    if (result_frames != times.size())
        std::fprintf(stderr, "aianime: the source has %zu frames, the result %zu; the sheet shows what both have\n", times.size(),
                     result_frames);
    const std::vector<size_t> numbers = evenly_spaced(std::min(times.size(), result_frames), count);
    const std::vector<cv::Mat> before = media::frames_at(ffmpeg, source, numbers, width),
                               after = media::frames_at(ffmpeg, result, numbers, width);
    std::vector<vision::ContactRow> rows;
    for (size_t i = 0; i < std::min(before.size(), after.size()); i++)
        rows.push_back({before[i], after[i], clock_text(times[numbers[i]])});
    if (rows.empty())
        throw Error(AIANIME_BAD_DATA, "contact: no frame of the two videos could be decoded");
    media::write_picture(output, vision::contact_sheet(rows, columns, width));
    std::printf("%s: %zu pairs\n", output.c_str(), rows.size());
    return AIANIME_OK;
}

} // namespace

const Verb contact_verb = {
    "contact", "a sheet of frames of a video and of its result, one above the other",
    "usage: aianime contact SOURCE RESULT -o SHEET.png [flags]\n\n"
    "Frames are taken evenly over the clip, by number: the result has one for each of the source's. Both videos are read\n"
    "through the ffmpeg beside this command, or the one in PATH.\n\n"
    "  --count N     pairs, 1 to 256 [8]\n"
    "  --columns N   pairs in a row, 1 to 64 [4]\n"
    "  --width N     pixels of a picture's width, 16 to 2048 [320]\n",
    run_contact};

} // namespace aianime::tools
