// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/face_track.h"

#include <algorithm>
#include <cmath>

namespace aianime::pipeline {

namespace {

constexpr size_t most_samples = 15;
constexpr float full_height = 96; // pixels, from which a face is seen as well as it can be

} // namespace

// How far the nose's tip lies between the outer corners of the eyes.
float FaceTrack::frontal(const Face &face) {
    const vision::FacePoints &points = face.points;
    const cv::Point2f across = points[45] - points[36], nose = points[30] - points[36];
    const float width = across.dot(across);
    if (width <= 0)
        return 0;
    const float place = nose.dot(across) / width;
    return std::clamp(1 - 2 * std::abs(place - 0.5f), 0.0f, 1.0f);
}

float FaceTrack::quality(const Face &face) {
    const float size = std::min(face.box.height / full_height, 1.0f);
    return face.score * size * (0.2f + 0.8f * frontal(face));
}

void FaceTrack::add(double time, const Face &face) {
    const float weight = std::max(quality(face), 1e-3f);
    if (sightings_++ == 0) {
        first_ = time;
        mood_ = face.expression;
        attributes_ = face.attributes;
        for (FaceAttribute &attribute : attributes_)
            std::fill(attribute.probabilities.begin(), attribute.probabilities.end(), 0.0f);
    }
    last_ = time;
    latest_ = face;
    largest_ = std::max(largest_, face.box.height);
    votes_ += weight;
    male_ += weight * face.male;
    ages_[static_cast<size_t>(std::clamp(std::lround(face.age), 0l, 100l))] += weight;
    for (size_t i = 0; i < std::min(attributes_.size(), face.attributes.size()); i++)
        for (size_t k = 0; k < attributes_[i].probabilities.size(); k++)
            attributes_[i].probabilities[k] += weight * face.attributes[i].probabilities[k];
    remember(face, weight);
    follow_state(time, face);
}

void FaceTrack::remember(const Face &face, float quality) {
    const Sample sample{quality, face.descriptor, face.likeness};
    if (best_.size() < most_samples) {
        best_.push_back(sample);
        return;
    }
    const auto worst =
        std::min_element(best_.begin(), best_.end(), [](const Sample &a, const Sample &b) { return a.quality < b.quality; });
    if (worst->quality < quality)
        *worst = sample;
}

// The eyes and the mouth have hysteresis of their own; an expression takes over when it leads clearly in the smoothed ones.
void FaceTrack::follow_state(double time, const Face &face) {
    constexpr float share = 0.5f, lead = 0.15f; // of the newest sighting; of a new expression
    for (size_t i = 0; i < mood_.size(); i++)
        mood_[i] += share * (face.expression[i] - mood_[i]);
    const auto likeliest = static_cast<size_t>(std::max_element(mood_.begin(), mood_.end()) - mood_.begin());
    if (changes_.empty()) {
        changes_.push_back({time, {vision::eyes_open(face.eyes), vision::mouth_open(face.points), likeliest}});
        return;
    }
    FaceState state = changes_.back().state;
    state.eyes_open = vision::eyes_open(face.eyes, state.eyes_open);
    state.mouth_open = vision::mouth_open(face.points, state.mouth_open);
    if (mood_[likeliest] > mood_[state.expression] + lead)
        state.expression = likeliest;
    change_to(time, state);
}

void FaceTrack::change_to(double time, const FaceState &state) {
    if (!(state == changes_.back().state))
        changes_.push_back({time, state});
}

void FaceTrack::follow(double time, const Face &face) {
    last_ = time;
    latest_ = face;
    FaceState state = changes_.back().state;
    state.eyes_open = vision::eyes_open(face.eyes, state.eyes_open);
    state.mouth_open = vision::mouth_open(face.points, state.mouth_open);
    change_to(time, state);
}

void FaceTrack::join(const FaceTrack &other) {
    sightings_ += other.sightings_;
    if (other.last_ > last_)
        latest_ = other.latest_;
    first_ = std::min(first_, other.first_);
    last_ = std::max(last_, other.last_);
    largest_ = std::max(largest_, other.largest_);
    votes_ += other.votes_;
    male_ += other.male_;
    for (size_t i = 0; i < ages_.size(); i++)
        ages_[i] += other.ages_[i];
    for (size_t i = 0; i < std::min(attributes_.size(), other.attributes_.size()); i++)
        for (size_t k = 0; k < attributes_[i].probabilities.size(); k++)
            attributes_[i].probabilities[k] += other.attributes_[i].probabilities[k];
    best_.insert(best_.end(), other.best_.begin(), other.best_.end());
    std::sort(best_.begin(), best_.end(), [](const Sample &a, const Sample &b) { return a.quality > b.quality; });
    best_.resize(std::min(best_.size(), most_samples));
    changes_.insert(changes_.end(), other.changes_.begin(), other.changes_.end());
    std::stable_sort(changes_.begin(), changes_.end(), [](const FaceChange &a, const FaceChange &b) { return a.time < b.time; });
}

float FaceTrack::age() const {
    double sum = 0;
    for (size_t year = 0; year < ages_.size(); year++) {
        sum += ages_[year];
        if (2 * sum >= votes_)
            return static_cast<float>(year);
    }
    return static_cast<float>(ages_.size() - 1);
}

std::array<float, 128> FaceTrack::descriptor() const { return median(&Sample::descriptor); }

std::array<float, 128> FaceTrack::likeness() const { return median(&Sample::likeness); }

std::array<float, 128> FaceTrack::median(std::array<float, 128> Sample::*numbers) const {
    std::array<float, 128> result{};
    std::vector<float> values(best_.size());
    for (size_t i = 0; !best_.empty() && i < result.size(); i++) {
        std::transform(best_.begin(), best_.end(), values.begin(), [&](const Sample &sample) { return (sample.*numbers)[i]; });
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        result[i] = *middle;
    }
    return result;
}

std::vector<FaceAttribute> FaceTrack::attributes() const {
    std::vector<FaceAttribute> result = attributes_;
    for (FaceAttribute &attribute : result)
        for (float &probability : attribute.probabilities)
            probability /= static_cast<float>(votes_);
    return result;
}

FaceState FaceTrack::state_at(double time) const {
    FaceState state = changes_.empty() ? FaceState() : changes_.front().state;
    for (const FaceChange &change : changes_)
        if (change.time <= time)
            state = change.state;
    return state;
}

} // namespace aianime::pipeline
