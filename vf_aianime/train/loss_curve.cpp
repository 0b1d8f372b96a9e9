// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/loss_curve.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/file.h"
#include "io/text.h"
#include "vision/plot_axis.h"
#include "vision/png.h"

namespace aianime::train {

namespace {

using vision::Axis;

constexpr const char *header = "step,loss,rate\n";
constexpr size_t most_csv_bytes = size_t{1} << 30;

constexpr int width = 960, height = 540;
constexpr int left = 84, right = 24, top = 44, bottom = 48; // margins
const cv::Scalar paper(252, 252, 252), grid(225, 225, 225), ink(70, 70, 70), dot(190, 175, 160), curve(200, 60, 40);
constexpr int line_places = 400; // where the running median is taken

// 9 digits are read back as a number that is written the same way, whatever the locale is.
std::string number_text(double number) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::general, 9);
    return std::string(text, end.ptr);
}

// Takes a number and the separator behind it off the front of a line.
template <typename Number>
bool take(const char *&from, const char *end, char separator, Number &number) {
    const auto read = std::from_chars(from, end, number);
    if (read.ec != std::errc() || (separator ? read.ptr == end || *read.ptr != separator : read.ptr != end))
        return false;
    from = read.ptr + 1;
    return true;
}

bool parse_line(const char *from, const char *end, LossPoint &point) {
    return take(from, end, ',', point.step) && take(from, end, ',', point.loss) && take(from, end, '\0', point.rate);
}

void write_text(cv::Mat &sheet, const std::string &text, cv::Point at, double scale = 0.45) {
    cv::putText(sheet, text, at, cv::FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv::LINE_AA);
}

cv::Size text_size(const std::string &text, double scale = 0.45) {
    int baseline = 0;
    return cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, 1, &baseline);
}

void draw_axes(cv::Mat &sheet, const Axis &across, const Axis &up) {
    for (const double value : vision::ticks(up, 6)) {
        const int y = static_cast<int>(std::lround(up.place(value)));
        cv::line(sheet, {across.from, y}, {across.to, y}, grid);
        const std::string text = vision::tick_text(value);
        write_text(sheet, text, {left - 8 - text_size(text).width, y + 5});
    }
    for (const double value : vision::ticks(across, 8)) {
        const int x = static_cast<int>(std::lround(across.place(value)));
        cv::line(sheet, {x, up.from}, {x, up.from + 5}, ink);
        const std::string text = vision::tick_text(value);
        write_text(sheet, text, {x - text_size(text).width / 2, up.from + 22});
    }
    write_text(sheet, "step", {across.to - 30, height - 8});
    cv::rectangle(sheet, cv::Rect(cv::Point(across.from, up.to), cv::Point(across.to + 1, up.from + 1)), ink);
}

double middle(std::vector<double> values) {
    const auto at = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

// The running median at up to line_places points, over a fortieth of the curve each.
std::vector<LossPoint> medians(const std::vector<LossPoint> &points) {
    const size_t count = points.size(), reach = std::max<size_t>(2, count / 80), places = std::min<size_t>(count, line_places);
    std::vector<LossPoint> line;
    for (size_t i = 0; i < places; i++) {
        const size_t at = places == 1 ? 0 : i * (count - 1) / (places - 1);
        std::vector<double> near;
        for (size_t k = at - std::min(at, reach); k < std::min(count, at + reach + 1); k++)
            near.push_back(points[k].loss);
        line.push_back({points[at].step, middle(near), 0});
    }
    return line;
}

// All but the hundredth part at either end, so that one wild step does not press the curve flat; the line is always whole.
Axis loss_axis(const std::vector<LossPoint> &points, const std::vector<LossPoint> &line) {
    std::vector<double> losses;
    for (const LossPoint &point : points)
        losses.push_back(point.loss);
    std::sort(losses.begin(), losses.end());
    const size_t tail = losses.size() / 100;
    Axis axis{losses[tail], losses[losses.size() - 1 - tail], height - bottom, top};
    for (const LossPoint &point : line) {
        axis.first = std::min(axis.first, point.loss);
        axis.last = std::max(axis.last, point.loss);
    }
    axis.log = axis.first > 0 && axis.last > 10 * axis.first;
    if (axis.last - axis.first <= 1e-9 * std::abs(axis.last) || axis.last == axis.first) {
        const double room = axis.last == 0 ? 1 : std::abs(axis.last) / 10;
        axis.first -= room;
        axis.last += room;
    }
    return axis;
}

void draw_curve(cv::Mat &sheet, const std::vector<LossPoint> &points) {
    const std::vector<LossPoint> line = medians(points);
    const Axis up = loss_axis(points, line);
    const double last = static_cast<double>(points.back().step), first = static_cast<double>(points.front().step);
    const Axis across{first, std::max(last, first + 1), left, width - right};
    draw_axes(sheet, across, up);
    // Sixteenths of a pixel for the line.
    const auto place = [&](const LossPoint &point, double fine) {
        return cv::Point(static_cast<int>(std::lround(fine * across.place(static_cast<double>(point.step)))),
                         static_cast<int>(std::lround(fine * up.place(point.loss))));
    };
    for (const LossPoint &point : points)
        cv::circle(sheet, place(point, 1), 1, dot, cv::FILLED);
    std::vector<cv::Point> corners;
    for (const LossPoint &point : line)
        corners.push_back(place(point, 16));
    cv::polylines(sheet, corners, false, curve, 2, cv::LINE_AA, 4);
}

} // namespace

std::vector<LossPoint> read_losses(const std::string &path, int64_t end) {
    if (!std::filesystem::exists(path))
        return {};
    const std::string text = io::read_file(path, most_csv_bytes);
    const auto refuse = [&](size_t line) {
        throw Error(AIANIME_BAD_DATA, io::printable(path) + ": line " + std::to_string(line) + " is not \"step,loss,rate\"");
    };
    if (text.rfind(header, 0) != 0)
        refuse(1);
    std::vector<LossPoint> points;
    size_t line = 2;
    for (size_t at = std::string(header).size(); at < text.size(); line++) {
        const size_t stop = text.find('\n', at);
        LossPoint point{};
        if (stop == std::string::npos || !parse_line(text.data() + at, text.data() + stop, point))
            refuse(line);
        if (point.step < end)
            points.push_back(point);
        at = stop + 1;
    }
    return points;
}

void write_losses(const std::string &path, const std::vector<LossPoint> &points) {
    std::string text = header;
    for (const LossPoint &point : points)
        text += std::to_string(point.step) + "," + number_text(point.loss) + "," + number_text(point.rate) + "\n";
    io::AtomicFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

void draw_losses(const std::string &path, const std::string &title, const std::vector<LossPoint> &points) {
    cv::Mat sheet(height, width, CV_8UC3, paper);
    std::vector<LossPoint> finite;
    std::copy_if(points.begin(), points.end(), std::back_inserter(finite),
                 [](const LossPoint &point) { return std::isfinite(point.loss); });
    std::string heading = title + ": no loss yet";
    if (!finite.empty()) {
        draw_curve(sheet, finite);
        heading = title + ": loss after " + std::to_string(finite.back().step + 1) + " steps, running median as a line";
    }
    write_text(sheet, heading, {left, 28}, 0.55);
    vision::save_png(path, sheet);
}

} // namespace aianime::train
