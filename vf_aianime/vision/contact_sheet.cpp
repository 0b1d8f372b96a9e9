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

// Every cell gets the height of the tallest source at the cell's width.
int cell_height(const std::vector<ContactRow> &rows, int cell_width) {
    double height = 1;
    for (const ContactRow &row : rows)
        height = std::max(height, static_cast<double>(row.source.rows) * cell_width / row.source.cols);
    return static_cast<int>(std::lround(height));
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

cv::Mat contact_sheet(const std::vector<ContactRow> &rows, int columns, int cell_width) {
    if (rows.empty() || columns < 1 || cell_width < 1)
        throw Error(AIANIME_INVALID, "a contact sheet needs at least one pair of pictures, one column and cells of one pixel");
    for (const ContactRow &row : rows)
        if (row.source.type() != CV_8UC3 || row.result.type() != CV_8UC3 || row.source.empty() || row.result.empty())
            throw Error(AIANIME_INVALID, "a contact sheet takes pairs of 8-bit colour pictures");
    const int count = static_cast<int>(rows.size());
    const int across = std::min(columns, count), down = (count + across - 1) / across;
    const int height = cell_height(rows, cell_width), pitch_x = cell_width + margin, pitch_y = 2 * height + label_height + margin;
    cv::Mat sheet(margin + down * pitch_y, margin + across * pitch_x, CV_8UC3, paper);
    for (int i = 0; i < count; i++) {
        const ContactRow &row = rows[i];
        const cv::Point corner(margin + i % across * pitch_x, margin + i / across * pitch_y);
        place(row.source, row.source.size(), sheet(cv::Rect(corner.x, corner.y, cell_width, height)));
        place(row.result, row.source.size(), sheet(cv::Rect(corner.x, corner.y + height, cell_width, height)));
        write_label(row.label, sheet(cv::Rect(corner.x, corner.y + 2 * height, cell_width, label_height)));
    }
    return sheet;
}

} // namespace aianime::vision
