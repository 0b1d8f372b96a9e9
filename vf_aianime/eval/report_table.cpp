// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>

#include "eval/report.h"

namespace aianime::eval {

namespace {

constexpr int name_width = 30, cell_width = 13;

std::string cell(double value, int digits) {
    char text[64] = "-";
    if (has_score(value))
        std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string padded(const std::string &text) {
    return std::string(text.size() < cell_width ? cell_width - text.size() : 1, ' ') + text;
}

std::string row(std::string name, const std::vector<std::string> &cells) {
    name.resize(name_width, ' ');
    for (const std::string &text : cells)
        name += padded(text);
    return name + "\n";
}

// What stands in a column of the table: a video over some of its frames.
struct Shown {
    std::string title;
    Summary summary;
};

std::vector<Shown> shown_columns(const Evaluation &evaluation) {
    const Measured &measured = evaluation.measured;
    std::vector<Shown> list;
    for (size_t i = 0; i < measured.columns.size(); i++)
        list.push_back({measured.columns[i].title, summarize(measured, i, evaluation.compared, evaluation.seams)});
    if (evaluation.compared < measured.frames.size())
        for (size_t i = 0; i < measured.columns.size(); i++)
            if (measured.columns[i].key == "source" || measured.columns[i].key == "result")
                list.push_back(
                    {measured.columns[i].title + ", all", summarize(measured, i, measured.frames.size(), evaluation.seams)});
    return list;
}

template <typename Value>
std::string score_row(const std::string &name, const std::vector<Shown> &columns, int digits, Value value) {
    std::vector<std::string> cells;
    bool any = false;
    for (const Shown &column : columns) {
        cells.push_back(cell(value(column.summary), digits));
        any = any || has_score(value(column.summary));
    }
    return any ? row(name, cells) : "";
}

std::string heading(const Evaluation &evaluation) {
    const Measured &measured = evaluation.measured;
    const int shots = measured.frames.back().shot + 1;
    char text[256];
    std::snprintf(text, sizeof text, "%zu of %zu frames at %dx%d, %d %s; columns compared over the first %zu of them\n",
                  measured.frames.size(), evaluation.clip_frames, evaluation.size.width, evaluation.size.height, shots,
                  shots == 1 ? "shot" : "shots", evaluation.compared);
    return text;
}

std::string comparison_rows(const Evaluation &evaluation) {
    std::string text;
    for (const Comparison &other : comparisons(evaluation)) {
        const ColumnScores *column = find_column(evaluation.measured, other.key);
        if (column && has_score(other.warp_error))
            text +=
                row("result against " + column->title,
                    {"warp " + cell(other.warp_error, 2) + "x", "flicker " + cell(other.flicker, 2) + "x",
                     other.key == "source" ? "" : "style " + cell(other.style, 2) + "x",
                     has_score(other.identity) ? "identity " + std::string(other.identity < 0 ? "" : "+") + cell(other.identity, 4)
                                               : ""});
    }
    return text;
}

} // namespace

std::string report_table(const Evaluation &evaluation) {
    const std::vector<Shown> columns = shown_columns(evaluation);
    std::vector<std::string> titles;
    for (const Shown &column : columns)
        titles.push_back(column.title);
    std::string text = heading(evaluation) + row("", titles);
    for (size_t score = 0; score < score_count; score++) {
        const ScoreInfo &info = score_info(static_cast<Score>(score));
        text += score_row(info.title, columns, info.digits, [score](const Summary &summary) { return summary.means[score]; });
    }
    text += score_row("colour drift, dE a minute", columns, 2, [](const Summary &summary) { return summary.drift; });
    text += score_row("  less the source's", columns, 2, [](const Summary &summary) { return summary.drift_net; });
    for (size_t i = 0; i < evaluation.seams.size(); i++)
        text += score_row("seam ratio, " + evaluation.seams[i].kind, columns, 3,
                          [i](const Summary &summary) { return summary.seams[i]; });
    return text + comparison_rows(evaluation);
}

} // namespace aianime::eval
