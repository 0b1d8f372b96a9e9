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

bool is_picture_name(const fs::path &path) {
    static const std::vector<std::string> known = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"};
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::find(known.begin(), known.end(), extension) != known.end();
}

std::string from_latin1(const std::string &text) {
    std::string out;
    for (const char c : text)
        io::append_utf8(out, static_cast<unsigned char>(c));
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
    if (io::invalid_utf8(text) != std::string::npos) {
        report.say(path.string() + ": not UTF-8, read as Latin-1");
        text = from_latin1(text);
    }
    // A line's end is no word.
    std::replace(text.begin(), text.end(), '\n', ' ');
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
    for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && is_picture_name(entry.path()))
            paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    return paths;
}

} // namespace

PictureFolder::PictureFolder(const std::string &folder, const Report &report) {
    const std::vector<std::string> paths = picture_paths(folder);
    for (const std::string &path : paths) {
        try {
            entries_.push_back({path, read_caption(path, report), media::read_picture(path).size()});
        } catch (const Error &error) {
            report.say(std::string(error.what()) + "; left out");
        }
    }
    if (entries_.empty())
        throw Error(AIANIME_BAD_DATA, folder + (paths.empty() ? ": no pictures in it (.jpg, .png, .webp, .bmp, .tif)"
                                                              : ": no picture in it can be read"));
}

cv::Mat PictureFolder::read(size_t i) const { return as_rgb(media::read_picture(entries_[i].path)); }

} // namespace aianime::train
