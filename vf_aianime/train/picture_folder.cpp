// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/picture_folder.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "io/error.h"
#include "io/file.h"
#include "io/text.h"
#include "media/picture_file.h"

namespace aianime::train {

namespace fs = std::filesystem;

namespace {

constexpr size_t most_caption = 64 * 1024;
constexpr size_t most_picture = size_t{1} << 30;

bool is_picture_name(const fs::path &path) {
    static const std::vector<std::string> known = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"};
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::find(known.begin(), known.end(), extension) != known.end();
}

// What the JPEG decoder does not tell: it fills what is missing with gray. True where the stream of segments and coded bytes has no
// end (ITU-T T.81, annex B).
bool is_cut_jpeg(const std::string &bytes) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (bytes.compare(0, 3, "\xff\xd8\xff") != 0)
        return false;
    for (size_t at = 2; at + 1 < bytes.size();) {
        const unsigned char marker = byte(at) == 0xFF ? byte(at + 1) : 0xFF;
        if (marker == 0xD9)
            return false;
        if (marker == 0xFF)
            at++; // coded or filled
        else if (marker <= 1 || (marker >= 0xD0 && marker <= 0xD7))
            at += 2; // without a length
        else if (at + 3 < bytes.size())
            at += 2 + size_t{byte(at + 2)} * 256 + byte(at + 3);
        else
            break;
    }
    return true;
}

cv::Mat read_whole(const std::string &path) {
    if (is_cut_jpeg(io::read_file(path, most_picture)))
        throw Error(AIANIME_BAD_DATA, path + ": the file ends before the picture does");
    try {
        return media::read_picture(path);
    } catch (const cv::Exception &) { // larger than OpenCV reads
        throw Error(AIANIME_BAD_DATA, path + ": not a picture that can be read");
    }
}

std::string from_latin1(const std::string &text) {
    std::string out;
    for (const char c : text)
        io::append_utf8(out, static_cast<unsigned char>(c));
    return out;
}

// Without surrogates; the first two bytes tell the order.
std::string from_utf16(const std::string &text) {
    const size_t high = text[0] == '\xFE' ? 0 : 1;
    std::string out;
    for (size_t at = 2; at + 1 < text.size(); at += 2) {
        const uint32_t code = static_cast<unsigned char>(text[at + high]) * 256u + static_cast<unsigned char>(text[at + 1 - high]);
        io::append_utf8(out, code >= 0xD800 && code < 0xE000 ? '?' : code);
    }
    return out;
}

std::string trimmed(const std::string &text) {
    const char *const blank = " \t\r\n";
    const size_t begin = text.find_first_not_of(blank), end = text.find_last_not_of(blank);
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

std::string read_caption(const fs::path &picture, const Report &report) {
    fs::path path = picture;
    path.replace_extension(".txt");
    if (!fs::exists(path))
        return "";
    std::string text = io::read_file(path.string(), most_caption);
    if (text.rfind("\xEF\xBB\xBF", 0) == 0)
        text.erase(0, 3);
    if (text.rfind("\xFF\xFE", 0) == 0 || text.rfind("\xFE\xFF", 0) == 0) {
        report.say(path.string() + ": not UTF-8, read as UTF-16");
        text = from_utf16(text);
    } else if (io::invalid_utf8(text) != std::string::npos) {
        report.say(path.string() + ": not UTF-8, read as Latin-1");
        text = from_latin1(text);
    }
    // A line's end is no word, nor is any other control character.
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    return trimmed(text);
}

cv::Mat over_white(const cv::Mat &bgra) {
    std::vector<cv::Mat> planes;
    cv::split(bgra, planes);
    cv::Mat colors, alpha, out;
    cv::merge(std::vector<cv::Mat>{planes[2], planes[1], planes[0]}, colors);
    cv::cvtColor(planes[3], alpha, cv::COLOR_GRAY2RGB);
    alpha.convertTo(alpha, CV_32FC3, 1 / 255.0);
    colors.convertTo(out, CV_32FC3);
    out = out.mul(alpha) + (cv::Scalar::all(255) - alpha * 255);
    out.convertTo(out, CV_8UC3);
    return out;
}

cv::Mat as_rgb(cv::Mat picture) {
    if (picture.depth() == CV_16U)
        picture.convertTo(picture, CV_8U, 255.0 / 65535);
    if (picture.channels() == 4)
        return over_white(picture);
    cv::Mat rgb;
    cv::cvtColor(picture, rgb, picture.channels() == 1 ? cv::COLOR_GRAY2RGB : cv::COLOR_BGR2RGB);
    return rgb;
}

std::vector<std::string> picture_paths(const std::string &folder) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed))
        throw Error(AIANIME_NOT_FOUND, folder + ": no such folder of pictures");
    std::vector<std::string> paths;
    for (auto at = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, failed);
         !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        std::error_code odd; // say, a link to itself
        if (at->is_regular_file(odd) && is_picture_name(at->path()))
            paths.push_back(at->path().string());
    }
    if (failed)
        throw Error(AIANIME_IO, folder + ": cannot be read: " + failed.message());
    std::sort(paths.begin(), paths.end());
    return paths;
}

} // namespace

PictureFolder::PictureFolder(const std::string &folder, const Report &report) {
    const std::vector<std::string> paths = picture_paths(folder);
    for (const std::string &path : paths) {
        try {
            entries_.push_back({path, read_caption(path, report), read_whole(path).size()});
        } catch (const Error &error) {
            report.say(std::string(error.what()) + "; left out");
        }
    }
    if (entries_.empty())
        throw Error(AIANIME_BAD_DATA, folder + (paths.empty() ? ": no pictures in it (.jpg, .png, .webp, .bmp, .tif)"
                                                              : ": no picture in it can be read"));
}

cv::Mat PictureFolder::read(size_t i) const { return as_rgb(read_whole(entries_[i].path)); }

} // namespace aianime::train
