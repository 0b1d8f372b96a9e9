// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/pair_file.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "io/atomic_file.h"
#include "io/error.h"

namespace aianime::train {

void write_pair(const std::string &path, const Pair &pair) {
    cv::Mat lines, all;
    cv::cvtColor(pair.base.lines, lines, cv::COLOR_GRAY2BGR);
    cv::vconcat(std::vector<cv::Mat>{pair.source, pair.base.flat, pair.base.marks, lines}, all);
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
    Pair pair = {part(0), {part(1), {}, part(2)}};
    cv::extractChannel(part(3), pair.base.lines, 0);
    return pair;
}

} // namespace aianime::train
