// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/faces.h"

namespace aianime::pipeline {

// What a face shows for a while.
struct FaceState {
    bool eyes_open = true;
    bool mouth_open = false;
    size_t expression = 0; // of expression_names
    bool operator==(const FaceState &other) const {
        return eyes_open == other.eyes_open && mouth_open == other.mouth_open && expression == other.expression;
    }
};

struct FaceChange {
    double time; // seconds
    FaceState state;
};

// One person in one shot: what stays is voted over all sightings, what changes is told by its times. Memory does not grow with the
// number of sightings, only with that of changes. Thread safety: none.
class FaceTrack {
public:
    explicit FaceTrack(int number) : number_(number) {}

    // In order of time. `face` is whole, as FaceFinder::find() gives it.
    void add(double time, const Face &face);
    // Between two sightings: only eyes and mouth are looked at.
    void follow(double time, const Face &face);
    // Takes over the sightings of a track that turned out to be the same person and shares no time with this one.
    void join(const FaceTrack &other);

    int number() const { return number_; }
    size_t sightings() const { return sightings_; }
    double first() const { return first_; }
    double last() const { return last_; }
    const Face &latest() const { return latest_; }

    // Of the sightings, each with its quality().
    float male() const { return votes_ > 0 ? static_cast<float>(male_ / votes_) : 0.5f; }
    float age() const; // years, the weighted median
    // Medians, number by number, of the best sightings.
    std::array<float, 128> descriptor() const;
    std::array<float, 128> likeness() const;
    std::vector<FaceAttribute> attributes() const;
    float largest() const { return largest_; } // height of the tallest box, pixels

    // The first is that of the first sighting.
    const std::vector<FaceChange> &changes() const { return changes_; }
    FaceState state_at(double time) const;

    // How much a sighting says: the detector's score, less for faces below 96 pixels and for those turned to a side.
    static float quality(const Face &face);
    // 1 from the front, 0 from the side.
    static float frontal(const Face &face);

private:
    struct Sample {
        float quality;
        std::array<float, 128> descriptor, likeness;
    };

    std::array<float, 128> median(std::array<float, 128> Sample::*numbers) const;

    void remember(const Face &face, float quality);
    void follow_state(double time, const Face &face);
    void change_to(double time, const FaceState &state);

    int number_;
    size_t sightings_ = 0;
    double first_ = 0, last_ = 0;
    Face latest_{};
    double votes_ = 0, male_ = 0;
    std::array<float, 101> ages_{}; // weight of each year
    std::vector<FaceAttribute> attributes_;
    std::vector<Sample> best_;
    float largest_ = 0;
    std::array<float, 7> mood_{}; // the expression, smoothed
    std::vector<FaceChange> changes_;
};

} // namespace aianime::pipeline
