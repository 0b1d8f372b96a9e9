// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/contact_sheet.h"

#include "io/error.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace aianime::vision {
namespace {

constexpr int margin = 12;
constexpr int label_height = 24;
const cv::Scalar paper(244, 244, 244), ink(64, 64, 64);

// Every cell gets the height of the tallest first picture at the cell's width.
int cell_height(const std::vector<SheetStack> &stacks, int cell_width) {
    double height = 1;
    for (const SheetStack &stack : stacks)
        height = std::max(height, static_cast<double>(stack.pictures[0].rows) * cell_width / stack.pictures[0].cols);
    return static_cast<int>(std::lround(height));
}

void check_stacks(const std::vector<SheetStack> &stacks) {
    for (const SheetStack &stack : stacks) {
        if (stack.pictures.empty())
            throw Error(AIANIME_INVALID, "a contact sheet needs a picture in every cell");
        for (const cv::Mat &picture : stack.pictures)
            if (picture.type() != CV_8UC3 || picture.empty())
                throw Error(AIANIME_INVALID, "a contact sheet takes 8-bit colour pictures");
    }
}

// Fits the picture into the cell, its aspect being that of `shape`, centred.
void place(const cv::Mat &picture, cv::Size shape, cv::Mat cell) {
    const double scale = std::min(static_cast<double>(cell.cols) / shape.width, static_cast<double>(cell.rows) / shape.height);
    const cv::Size size(std::clamp(static_cast<int>(std::lround(shape.width * scale)), 1, cell.cols),
                        std::clamp(static_cast<int>(std::lround(shape.height * scale)), 1, cell.rows));
    const cv::Rect where((cell.cols - size.width) / 2, (cell.rows - size.height) / 2, size.width, size.height);
    cv::resize(picture, cell(where), size, 0, 0, size.width < picture.cols ? cv::INTER_AREA : cv::INTER_CUBIC);
}

// Shrinks a label that is wider than its cell.
void write_label(const std::string &text, cv::Mat strip) {
    int baseline = 0;
    double scale = 0.5;
    const cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, 1, &baseline);
    if (size.width > strip.cols)
        scale *= static_cast<double>(strip.cols) / size.width;
    cv::putText(strip, text, cv::Point(0, strip.rows - 8), cv::FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv::LINE_AA);
}

} // namespace

cv::Mat stacked_sheet(const std::vector<SheetStack> &stacks, int columns, int cell_width) {
    if (stacks.empty() || columns < 1 || cell_width < 1)
        throw Error(AIANIME_INVALID, "a contact sheet needs at least one picture, one column and cells of one pixel");
    check_stacks(stacks);
    const int count = static_cast<int>(stacks.size());
    int tallest = 0;
    for (const SheetStack &stack : stacks)
        tallest = std::max(tallest, static_cast<int>(stack.pictures.size()));
    const int across = std::min(columns, count), down = (count + across - 1) / across, height = cell_height(stacks, cell_width);
    const int pitch_x = cell_width + margin, pitch_y = tallest * height + label_height + margin;
    cv::Mat sheet(margin + down * pitch_y, margin + across * pitch_x, CV_8UC3, paper);
    for (int i = 0; i < count; i++) {
        const SheetStack &stack = stacks[i];
        const int left = margin + i % across * pitch_x, top = margin + i / across * pitch_y;
        int below = top;
        for (const cv::Mat &picture : stack.pictures) {
            place(picture, stack.pictures[0].size(), sheet(cv::Rect(left, below, cell_width, height)));
            below += height;
        }
        write_label(stack.label, sheet(cv::Rect(left, below, cell_width, label_height)));
    }
    return sheet;
}

cv::Mat contact_sheet(const std::vector<ContactRow> &rows, int columns, int cell_width) {
    std::vector<SheetStack> stacks;
    for (const ContactRow &row : rows)
        stacks.push_back({{row.source, row.result}, row.label});
    return stacked_sheet(stacks, columns, cell_width);
}

} // namespace aianime::vision
