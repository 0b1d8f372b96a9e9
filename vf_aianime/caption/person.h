// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <optional>
#include <string>
#include <vector>

namespace aianime::caption {

// What a further head of the face network says: the likeliest class and its probability.
struct Attribute {
    std::string name;  // "beard"
    std::string value; // "beard" or "no beard", "yes" or "no"
    double probability = 0;
};

// A person as words need it.
struct Person {
    int track = 0;
    double male = 0.5; // probability
    double age = 0;    // years; 0: not known
    bool eyes_open = true;
    bool mouth_open = false;
    std::string expression = "neutral"; // neutral happy sad angry fearful disgusted surprised
    cv::Rect2f box;                     // of the face, in shares of the picture
    std::vector<Attribute> attributes;
};

enum class Gender { unknown, male, female };

// Unknown between 0.35 and 0.65; faces of children below 4 years tell little, there between 0.1 and 0.9.
Gender gender_of(const Person &person);

// Whether there is a beard, where a head named "beard" is sure enough (probability 0.8).
std::optional<bool> beard_of(const Person &person);

// The expression; "neutral" for a sad face with closed eyes, as the network calls most faces whose eyes are closed.
std::string mood_of(const Person &person);

// Whether what all of them show is alike; false for nobody.
bool all_eyes_closed(const std::vector<Person> &people);
bool all_eyes_open(const std::vector<Person> &people);

// Height of the tallest face, 0 for nobody.
double tallest_face(const std::vector<Person> &people);

// The same people by the middle of their faces, left to right.
std::vector<Person> from_left_to_right(std::vector<Person> people);

} // namespace aianime::caption
