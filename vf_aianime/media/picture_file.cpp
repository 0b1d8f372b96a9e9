// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/picture_file.h"

#include <opencv2/imgcodecs.hpp>

#include <filesystem>

#include "io/error.h"

namespace aianime::media {

namespace fs = std::filesystem;

cv::Mat read_picture(const std::string &path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        throw Error(AIANIME_NOT_FOUND, path + ": no such picture");
    cv::Mat picture = cv::imread(path, cv::IMREAD_UNCHANGED);
    // Only this way of reading turns pictures upright, and only the other keeps alpha.
    if (!picture.empty() && picture.channels() != 4)
        picture = cv::imread(path, cv::IMREAD_ANYCOLOR | cv::IMREAD_ANYDEPTH);
    if (picture.empty())
        throw Error(AIANIME_BAD_DATA, path + ": not a picture that can be read");
    if (picture.depth() != CV_8U && picture.depth() != CV_16U)
        throw Error(AIANIME_BAD_DATA, path + ": samples must be 8 or 16 bit integers");
    return picture;
}

void write_picture(const std::string &path, const cv::Mat &picture) {
    if (!cv::haveImageWriter(path))
        throw Error(AIANIME_INVALID, path + ": no picture format has this extension; use .png, .jpg or .webp");
    if (!cv::imwrite(path, picture))
        throw Error(AIANIME_IO, path + ": cannot be written");
}

aianime_frame frame_of(cv::Mat &picture) {
    aianime_frame frame{};
    frame.struct_size = sizeof(frame);
    const int channels = picture.channels(), bytes = static_cast<int>(picture.elemSize1());
    frame.format.model = channels == 1 ? AIANIME_GRAY : AIANIME_RGB;
    frame.format.components = channels;
    frame.format.has_alpha = channels == 4;
    for (int i = 0; i < channels; ++i) {
        const int stored = i < 3 && channels > 1 ? 2 - i : i; // OpenCV keeps blue first
        frame.format.component[i] = {0, channels * bytes, stored * bytes, 0, 8 * bytes};
    }
    frame.width = picture.cols;
    frame.height = picture.rows;
    frame.data[0] = picture.data;
    frame.linesize[0] = static_cast<ptrdiff_t>(picture.step[0]);
    frame.matrix = 2;
    frame.range = 2;
    return frame;
}

} // namespace aianime::media
