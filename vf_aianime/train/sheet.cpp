// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/sheet.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "io/atomic_file.h"
#include "io/error.h"
#include "vision/contact_sheet.h"

namespace aianime::train {

namespace {

cv::Mat for_print(const cv::Mat &picture) {
    if (picture.type() != CV_32FC3)
        throw Error(AIANIME_INVALID, "a sheet takes colour pictures in float");
    cv::Mat swapped, codes;
    cv::cvtColor(picture, swapped, cv::COLOR_RGB2BGR);
    swapped.convertTo(codes, CV_8UC3, 255);
    return codes;
}

} // namespace

void write_sheet(const std::string &path, const std::vector<SheetCell> &cells, int columns, int cell_width) {
    std::vector<vision::SheetStack> stacks;
    for (const SheetCell &cell : cells) {
        vision::SheetStack stack{{}, cell.label};
        for (const cv::Mat &picture : cell.pictures)
            stack.pictures.push_back(for_print(picture));
        stacks.push_back(stack);
    }
    std::vector<unsigned char> bytes;
    cv::imencode(".png", vision::stacked_sheet(stacks, columns, cell_width), bytes, {cv::IMWRITE_PNG_COMPRESSION, 9});
    io::AtomicFile file(path);
    file.write(bytes.data(), bytes.size());
    file.commit();
}

} // namespace aianime::train
