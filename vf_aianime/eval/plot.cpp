// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/plot.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "vision/plot_axis.h"
#include "vision/png.h"

namespace aianime::eval {

namespace {

using vision::Axis;

constexpr int width = 1200, left = 84, right = 24, top = 64, bottom = 40; // margins
constexpr int panel = 150, gap = 34;
const cv::Scalar paper(252, 252, 252), grid(228, 228, 228), ink(70, 70, 70), cut(205, 190, 225);
const cv::Scalar colors[] = {{120, 120, 120}, {214, 96, 77}, {240, 165, 40}, {33, 102, 172}};

const cv::Scalar &color_of(size_t column) { return colors[std::min(column, std::size(colors) - 1)]; }

void write_text(cv::Mat &sheet, const std::string &text, cv::Point at, double scale = 0.42, const cv::Scalar &color = ink) {
    cv::putText(sheet, text, at, cv::FONT_HERSHEY_SIMPLEX, scale, color, 1, cv::LINE_AA);
}

int text_width(const std::string &text, double scale = 0.42) {
    int baseline = 0;
    return cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, 1, &baseline).width;
}

// From the least to the greatest value of all videos, with some room; false where there is none.
bool axis_of(const Measured &measured, Score score, Axis &axis) {
    double least = INFINITY, most = -INFINITY;
    for (const ColumnScores &column : measured.columns)
        for (const FrameScores &frame : column.frames)
            if (std::isfinite(frame[score])) {
                least = std::min(least, frame[score]);
                most = std::max(most, frame[score]);
            }
    if (least > most)
        return false;
    const double room = std::max({(most - least) * 0.05, std::abs(most) * 1e-3, 1e-3});
    axis.first = least - room;
    axis.last = most + room;
    return true;
}

void draw_axes(cv::Mat &sheet, const Measured &measured, const Axis &across, const Axis &up) {
    for (const double value : vision::ticks(up, 4)) {
        const int y = static_cast<int>(std::lround(up.place(value)));
        cv::line(sheet, {across.from, y}, {across.to, y}, grid);
        const std::string text = vision::tick_text(std::abs(value) < 1e-12 ? 0 : value);
        write_text(sheet, text, {left - 8 - text_width(text), y + 5});
    }
    for (size_t i = 1; i < measured.frames.size(); i++)
        if (measured.frames[i].shot != measured.frames[i - 1].shot) {
            const int x = static_cast<int>(std::lround(across.place(measured.frames[i].time)));
            cv::line(sheet, {x, up.from}, {x, up.to}, cut, 2);
        }
    cv::rectangle(sheet, cv::Rect(cv::Point(across.from, up.to), cv::Point(across.to + 1, up.from + 1)), ink);
}

// Lines join what follows each other in a shot; a frame without a score ends a line, but for scores that few frames have.
void draw_line(cv::Mat &sheet, const Measured &measured, size_t column, Score score, const Axis &across, const Axis &up) {
    const auto place = [&](size_t i, double fine) {
        return cv::Point(static_cast<int>(std::lround(fine * across.place(measured.frames[i].time))),
                         static_cast<int>(std::lround(fine * up.place(measured.columns[column].frames[i][score]))));
    };
    size_t last = 0;
    bool any = false;
    for (size_t i = 0; i < measured.frames.size(); i++) {
        if (!std::isfinite(measured.columns[column].frames[i][score]))
            continue;
        const bool joined = any && measured.frames[last].shot == measured.frames[i].shot && (i == last + 1 || score == identity);
        if (joined)
            cv::line(sheet, place(last, 16), place(i, 16), color_of(column), 1, cv::LINE_AA, 4);
        else
            cv::circle(sheet, place(i, 1), 2, color_of(column), cv::FILLED, cv::LINE_AA);
        last = i;
        any = true;
    }
}

void draw_heading(cv::Mat &sheet, const std::string &title, const Measured &measured) {
    write_text(sheet, title, {left, 26}, 0.55);
    int x = left;
    for (size_t i = 0; i < measured.columns.size(); i++) {
        cv::line(sheet, {x, 46}, {x + 24, 46}, color_of(i), 2);
        write_text(sheet, measured.columns[i].title, {x + 32, 50});
        x += 32 + text_width(measured.columns[i].title) + 28;
    }
}

} // namespace

void draw_scores(const std::string &path, const std::string &title, const Measured &measured) {
    std::vector<std::pair<Score, Axis>> panels;
    for (size_t score = 0; score < score_count; score++) {
        Axis axis{};
        if (axis_of(measured, static_cast<Score>(score), axis))
            panels.emplace_back(static_cast<Score>(score), axis);
    }
    const int height = top + bottom + static_cast<int>(panels.size()) * (panel + gap);
    cv::Mat sheet(height, width, CV_8UC3, paper);
    draw_heading(sheet, title, measured);
    const double first = measured.frames.front().time, last = measured.frames.back().time;
    const Axis across{first, std::max(last, first + 1e-3), left, width - right};
    for (size_t i = 0; i < panels.size(); i++) {
        auto &[score, up] = panels[i];
        up.to = top + gap / 2 + static_cast<int>(i) * (panel + gap) + 8;
        up.from = up.to + panel;
        draw_axes(sheet, measured, across, up);
        std::string name = score_info(score).title;
        write_text(sheet, name.substr(name.find_first_not_of(' ')), {left, up.to - 6});
        for (size_t column = 0; column < measured.columns.size(); column++)
            draw_line(sheet, measured, column, score, across, up);
    }
    for (const double value : vision::ticks(across, 10)) {
        const std::string text = vision::tick_text(value);
        const int x = static_cast<int>(std::lround(across.place(value)));
        write_text(sheet, text, {x - text_width(text) / 2, height - bottom + 6});
    }
    write_text(sheet, "seconds", {width - right - 60, height - 10});
    vision::save_png(path, sheet);
}

} // namespace aianime::eval
