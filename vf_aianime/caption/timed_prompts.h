// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "caption/assembly.h"
#include "caption/person.h"

namespace aianime::caption {

// What a person's face shows from a time on.
struct StateChange {
    double time; // seconds
    int track;   // of the person
    bool eyes_open = true;
    bool mouth_open = false;
    std::string expression = "neutral";
};

// A text that holds from a time on.
struct TimedText {
    double time; // seconds; the first one holds before, too
    std::string text;
};

// What is to be said in a shot.
struct ShotWords {
    std::string style;                  // as of PromptParts
    std::string caption;                // of the key frame, corrected
    Language form = Language::tags;     // of the caption
    Language language = Language::tags; // that the checkpoint reads
    double caption_weight = 1, words_weight = 1.1;
    std::vector<Person> people;       // as they look on the key frame
    std::vector<StateChange> changes; // by time for each track; the first of a track holds before, too
    double begin = 0;                 // seconds, of the shot
    double end = std::numeric_limits<double>::infinity();
    double shortest = 0.12; // seconds; states that pass sooner are not told
};

// The prompts of a shot, by time, equal neighbours as one; the first one begins with the shot. Each says the caption as it is true
// then (corrected() by the faces of that time, so closed eyes are open when they open) and what all faces show then. People
// without changes keep the look of the key frame; changes of other tracks are left out. Never empty.
std::vector<TimedText> prompts_over_time(const ShotWords &shot, const TokenCount &count);

// The same for one person alone, as person_text(), for the places where only they are seen. Empty for an unknown track.
std::vector<TimedText> person_texts_over_time(const ShotWords &shot, int track);

} // namespace aianime::caption
