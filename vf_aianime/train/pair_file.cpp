// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pair_file.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "io/atomic_file.h"
#include "io/error.h"

namespace aianime::train {

void write_pair(const std::string &path, const Pair &pair) {
    // Four channels of marks and one of lines fill two thirds of the last two parts.
    const cv::Size size = pair.source.size();
    cv::Mat marks(size, CV_8UC3), rest = cv::Mat::zeros(size, CV_8UC3), all;
    std::vector<cv::Mat> to = {marks, rest};
    cv::mixChannels(std::vector<cv::Mat>{pair.base.marks, pair.base.lines}, to, {0, 0, 1, 1, 2, 2, 4, 3, 3, 4});
    cv::vconcat(std::vector<cv::Mat>{pair.source, pair.base.flat, marks, rest}, all);
    std::vector<unsigned char> bytes;
    cv::imencode(".png", all, bytes, {cv::IMWRITE_PNG_COMPRESSION, 1});
    io::AtomicFile file(path);
    file.write(bytes.data(), bytes.size());
    file.commit();
}

Pair read_pair(const std::string &path) {
    const cv::Mat all = cv::imread(path, cv::IMREAD_COLOR);
    if (all.empty() || all.rows % 4)
        throw Error(AIANIME_BAD_DATA, path + " is not one of the trainer's pairs; remove it and it is made anew");
    const int rows = all.rows / 4;
    const auto part = [&](int i) { return all.rowRange(i * rows, (i + 1) * rows).clone(); };
    Pair pair = {part(0), {part(1), cv::Mat(rows, all.cols, CV_8UC1), cv::Mat(rows, all.cols, CV_8UC4)}};
    std::vector<cv::Mat> to = {pair.base.marks, pair.base.lines};
    cv::mixChannels(std::vector<cv::Mat>{part(2), part(3)}, to, {0, 0, 1, 1, 2, 2, 3, 4, 4, 3});
    return pair;
}

} // namespace aianime::train
