// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/caption_sheet.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <sstream>

#include "vision/contact_sheet.h"

namespace aianime::tools {

namespace {

constexpr double letters = 0.5; // size of cv::putText
constexpr int line_height = 20, margin = 8;

int width_of(const std::string &text) { return cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, letters, 1, nullptr).width; }

std::vector<std::string> wrapped(const std::string &text, int width) {
    std::vector<std::string> lines(1);
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
        if (width_of(longer) <= width || lines.back().empty())
            lines.back() = longer;
        else
            lines.push_back(word);
    }
    return lines;
}

void write_at(cv::Mat picture, const std::string &text, cv::Point where, const cv::Scalar &color) {
    cv::putText(picture, text, where, cv::FONT_HERSHEY_SIMPLEX, letters, color, 1, cv::LINE_AA);
}

cv::Mat with_faces(const cv::Mat &bgr, const pipeline::ShotFacts &facts) {
    cv::Mat drawn = bgr.clone();
    const auto width = static_cast<float>(bgr.cols), height = static_cast<float>(bgr.rows);
    for (const pipeline::PersonAt &person : pipeline::people_at(facts.people, facts.key_time)) {
        const cv::Rect box(
            cv::Rect2f(person.box.x * width, person.box.y * height, person.box.width * width, person.box.height * height));
        cv::rectangle(drawn, box, {80, 255, 80}, 2);
        write_at(drawn, "track " + std::to_string(person.track), box.tl() + cv::Point(4, 16), {80, 255, 80});
    }
    return drawn;
}

cv::Mat with_text(const cv::Mat &picture, const std::string &text) {
    const std::vector<std::string> lines = wrapped(text, picture.cols - 2 * margin);
    cv::Mat out(picture.rows + static_cast<int>(lines.size()) * line_height + margin, picture.cols, CV_8UC3, cv::Scalar::all(255));
    picture.copyTo(out(cv::Rect({}, picture.size())));
    for (size_t i = 0; i < lines.size(); i++)
        write_at(out, lines[i], {margin, picture.rows + static_cast<int>(i + 1) * line_height - 4}, {0, 0, 0});
    return out;
}

cv::Mat cell(const cv::Mat &rgb, const pipeline::ShotFacts &facts, int width) {
    cv::Mat bgr, scaled;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    cv::resize(bgr, scaled, {width, std::max(bgr.rows * width / bgr.cols, 1)}, 0, 0, cv::INTER_AREA);
    return with_text(with_faces(scaled, facts), facts.caption.empty() ? "(no caption)" : facts.caption);
}

} // namespace

cv::Mat caption_sheet(const std::vector<ShotSurvey> &surveys, int columns, int width) {
    std::vector<cv::Mat> cells;
    for (const ShotSurvey &survey : surveys)
        for (size_t i = 0; i < survey.shots.size(); i++)
            cells.push_back(cell(survey.key_pictures[i], *survey.shots[i], width));
    int height = 0;
    for (const cv::Mat &one : cells)
        height = std::max(height, one.rows);
    std::vector<vision::SheetStack> stacks;
    for (const cv::Mat &one : cells) {
        cv::Mat even;
        cv::copyMakeBorder(one, even, 0, height - one.rows, 0, 0, cv::BORDER_CONSTANT, cv::Scalar::all(255));
        stacks.push_back({{even}, ""});
    }
    return vision::stacked_sheet(stacks, std::min(columns, static_cast<int>(stacks.size())), width);
}

} // namespace aianime::tools
