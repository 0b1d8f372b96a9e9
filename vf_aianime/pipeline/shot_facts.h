// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/face_track.h"

namespace aianime::pipeline {

// Where a face was seen.
struct Sighting {
    double time;    // seconds, FrameClock
    cv::Rect2f box; // in shares of the picture's width and height
};

// A text that holds from a time on.
struct TimedPrompt {
    double time; // seconds; the first one holds before, too
    std::string text;
};

// A person of a shot, as looked at or as a plan says.
struct PersonFacts {
    int track = 0;
    float male = 0.5f; // probability
    float age = 0;     // years
    std::vector<FaceAttribute> attributes;
    std::array<float, 128> descriptor{};
    std::vector<FaceChange> changes;
    std::vector<Sighting> sightings; // by time
    std::vector<TimedPrompt> texts;  // said where only they are; empty: the shot's prompts say it
};

// Everything that was decided about a shot. It is what the report says, and what a plan is read into.
struct ShotFacts {
    int number = 0;
    int64_t first_pts = 0;
    double begin = 0, end = 0; // seconds, of the first and the last frame
    int64_t frames = 0;
    int64_t key_pts = 0;
    double key_time = 0;
    double key_score = 0;
    std::string raw_caption; // as the captioner said it
    std::string caption;     // corrected by what the faces show
    std::vector<TimedPrompt> prompts;
    std::vector<PersonFacts> people;
};

// A person in one frame.
struct PersonAt {
    int track;
    cv::Rect2f box; // in shares of the picture
    FaceState state;
    std::string text; // of PersonFacts::texts
};

// Who is to be seen at a time: people who were sighted before and after it, at most `gap` seconds apart, in between; a person's
// first and last place holds for half of `gap` more.
std::vector<PersonAt> people_at(const std::vector<PersonFacts> &people, double time, double gap = 1.0);

// A prompt and how much of it.
struct WeightedPrompt {
    std::string text;
    double weight; // they sum to 1
};

// A list of prompts and a later one, which holds from a time on.
std::vector<TimedPrompt> continued(const std::vector<TimedPrompt> &earlier, const std::vector<TimedPrompt> &later, double from);

// One line for the log: times, key frame, caption, people.
std::string summary_of(const ShotFacts &facts);

// What is shown at a time: the prompt that holds, around a change a mixture of both (linear over `fade` seconds, half before and
// half after it). Empty for an empty list.
std::vector<WeightedPrompt> prompts_at(const std::vector<TimedPrompt> &prompts, double time, double fade = 0.2);

} // namespace aianime::pipeline
