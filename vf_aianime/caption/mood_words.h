// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aianime::caption {

// Expressions that a happy word contradicts, and that contradict a happy word. Neutral and surprised faces contradict nothing: the
// network calls many a smile neutral.
inline bool is_unhappy(const std::string &expression) {
    return expression == "sad" || expression == "angry" || expression == "fearful" || expression == "disgusted";
}

// The expression as a prompt says it of somebody: "frightened" for fearful; "" for neutral.
inline std::string mood_adjective(const std::string &expression) {
    if (expression == "fearful")
        return "frightened";
    return expression == "neutral" ? "" : expression;
}

// The expression as Danbooru's tags say it; "" for neutral.
inline std::string mood_tag(const std::string &expression) {
    if (expression == "happy")
        return "smile";
    if (expression == "fearful")
        return "scared";
    if (expression == "disgusted")
        return "disgust";
    return expression == "neutral" ? "" : expression;
}

} // namespace aianime::caption
