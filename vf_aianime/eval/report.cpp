// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/report.h"

#include <json-c/json.h>

#include <charconv>
#include <cmath>
#include <memory>

namespace aianime::eval {

namespace {

using Object = std::unique_ptr<json_object, int (*)(json_object *)>;

// Six digits, whatever the locale is; JSON has no other numbers.
json_object *number(double value) {
    if (!std::isfinite(value))
        return nullptr;
    char text[32] = {};
    std::to_chars(text, text + sizeof text - 1, value, std::chars_format::general, 6);
    return json_object_new_double_s(value, text);
}

void add(json_object *object, const char *key, double value) { json_object_object_add(object, key, number(value)); }
void add(json_object *object, const char *key, size_t value) {
    json_object_object_add(object, key, json_object_new_int64(static_cast<int64_t>(value)));
}
void add(json_object *object, const char *key, const std::string &text) {
    json_object_object_add(object, key, json_object_new_string(text.c_str()));
}
json_object *object_in(json_object *parent, const std::string &key) {
    json_object *object = json_object_new_object();
    json_object_object_add(parent, key.c_str(), object);
    return object;
}

template <typename Value>
void add_list(json_object *object, const char *key, size_t count, Value value) {
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        json_object_array_add(list, value(i));
    json_object_object_add(object, key, list);
}

void add_summary(json_object *object, const Evaluation &evaluation, size_t column, size_t frames) {
    const Summary summary = summarize(evaluation.measured, column, frames, evaluation.seams);
    for (size_t score = 0; score < score_count; score++)
        add(object, score_info(static_cast<Score>(score)).key, summary.means[score]);
    add(object, "color_drift", summary.drift);
    add(object, "color_drift_net", summary.drift_net);
    json_object *seams = object_in(object, "seam_ratio");
    for (size_t i = 0; i < evaluation.seams.size(); i++)
        add(seams, evaluation.seams[i].kind.c_str(), summary.seams[i]);
}

void add_frames(json_object *root, const Measured &measured) {
    json_object *per_frame = object_in(root, "per_frame");
    const size_t count = measured.frames.size();
    add_list(per_frame, "frame", count,
             [&](size_t i) { return json_object_new_int64(static_cast<int64_t>(measured.frames[i].number)); });
    add_list(per_frame, "time", count, [&](size_t i) { return number(measured.frames[i].time); });
    add_list(per_frame, "shot", count, [&](size_t i) { return json_object_new_int(measured.frames[i].shot); });
    json_object *columns = object_in(per_frame, "columns");
    for (const ColumnScores &column : measured.columns) {
        json_object *scores = object_in(columns, column.key);
        for (size_t score = 0; score < score_count; score++)
            add_list(scores, score_info(static_cast<Score>(score)).key, count,
                     [&](size_t i) { return number(column.frames[i][score]); });
    }
}

} // namespace

const ColumnScores *find_column(const Measured &measured, const std::string &key) {
    for (const ColumnScores &column : measured.columns)
        if (column.key == key)
            return &column;
    return nullptr;
}

std::vector<Comparison> comparisons(const Evaluation &evaluation) {
    const auto means = [&](const std::string &key) {
        for (size_t i = 0; i < evaluation.measured.columns.size(); i++)
            if (evaluation.measured.columns[i].key == key)
                return summarize(evaluation.measured, i, evaluation.compared, {}).means;
        return no_scores();
    };
    const FrameScores result = means("result");
    std::vector<Comparison> list;
    for (const char *key : {"self_frame", "self_shared", "source"}) {
        const FrameScores other = means(key);
        list.push_back({key, ratio(result[warp_error], other[warp_error]), ratio(result[flicker], other[flicker]),
                        ratio(result[style], other[style]), result[identity] - other[identity]});
    }
    return list;
}

std::string report_json(const Evaluation &evaluation) {
    const Measured &measured = evaluation.measured;
    const Object root(json_object_new_object(), json_object_put);
    add(root.get(), "format", std::string("aianime.eval"));
    add(root.get(), "version", size_t{1});
    add(root.get(), "source", evaluation.source);
    add(root.get(), "result", evaluation.result);
    add(root.get(), "template", evaluation.look);
    add(root.get(), "rate", evaluation.rate);
    add(root.get(), "width", static_cast<size_t>(evaluation.size.width));
    add(root.get(), "height", static_cast<size_t>(evaluation.size.height));
    add(root.get(), "clip_frames", evaluation.clip_frames);
    add(root.get(), "frames", measured.frames.size());
    add(root.get(), "compared", evaluation.compared);

    json_object *compared = object_in(root.get(), "over_compared"), *whole = object_in(root.get(), "over_clip");
    for (size_t i = 0; i < measured.columns.size(); i++) {
        const std::string &key = measured.columns[i].key;
        add_summary(object_in(compared, key), evaluation, i, evaluation.compared);
        if (evaluation.compared == measured.frames.size() || key == "source" || key == "result")
            add_summary(object_in(whole, key), evaluation, i, measured.frames.size());
    }
    json_object *ratios = object_in(root.get(), "result_against");
    for (const Comparison &comparison : comparisons(evaluation)) {
        json_object *object = object_in(ratios, comparison.key);
        add(object, "warp_error", comparison.warp_error);
        add(object, "flicker", comparison.flicker);
        add(object, "style_distance", comparison.style);
        add(object, "identity_difference", comparison.identity);
    }
    add_frames(root.get(), measured);
    return std::string(json_object_to_json_string_ext(root.get(), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)) + "\n";
}

} // namespace aianime::eval
