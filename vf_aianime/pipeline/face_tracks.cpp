// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/face_tracks.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "vision/flow.h"

namespace aianime::pipeline {

namespace {

constexpr float same_person = 0.5f;   // distance of likenesses; two persons' are above 0.6
constexpr float same_place = 0.5f;    // overlap by union
constexpr float near_place = 0.2f;    // enough where the likenesses do not speak against it
constexpr float other_person = 0.75f; // a face that is partly hidden, or turned, is below this

float overlap(const cv::Rect2f &a, const cv::Rect2f &b) {
    const float both = (a & b).area(), all = a.area() + b.area() - both;
    return all > 0 ? both / all : 0;
}

// A second box on one face: most of the smaller one lies inside the larger one.
bool is_double(const cv::Rect2f &a, const cv::Rect2f &b) { return (a & b).area() > 0.6f * std::min(a.area(), b.area()); }

float distance(const std::array<float, 128> &a, const std::array<float, 128> &b) {
    float sum = 0;
    for (size_t i = 0; i < a.size(); i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
}

struct Match {
    float score;
    size_t track, face;
};

// Below 0: they do not belong together.
float score(const cv::Rect2f &place, const std::array<float, 128> &likeness, const Face &face) {
    const float covered = overlap(place, face.box), apart = distance(likeness, face.likeness);
    const bool together = covered >= same_place || apart < same_person || (covered >= near_place && apart < other_person);
    return together ? covered + std::max(1 - apart, 0.0f) : -1;
}

cv::Point2f median_flow(const cv::Mat &flow, const cv::Rect &where) {
    std::vector<float> x, y;
    for (int row = where.y; row < where.br().y; row++)
        for (int column = where.x; column < where.br().x; column++) {
            const auto &vector = flow.at<cv::Vec2f>(row, column);
            x.push_back(vector[0]);
            y.push_back(vector[1]);
        }
    if (x.empty())
        return {};
    const auto middle = static_cast<std::ptrdiff_t>(x.size() / 2);
    std::nth_element(x.begin(), x.begin() + middle, x.end());
    std::nth_element(y.begin(), y.begin() + middle, y.end());
    return {x[x.size() / 2], y[y.size() / 2]};
}

} // namespace

cv::Mat luma_for_tracks(const cv::Mat &rgb) {
    constexpr int widest = 320;
    cv::Mat small = rgb;
    if (rgb.cols > widest)
        cv::resize(rgb, small, {widest, std::max(rgb.rows * widest / rgb.cols, 1)}, 0, 0, cv::INTER_AREA);
    return vision::luma(small);
}

void FaceTracks::move_places(const cv::Mat &luma, cv::Size size) {
    if (luma_.empty() || luma_.size() != luma.size() || places_.empty())
        return;
    const cv::Mat flow = vision::flow(luma_, luma);
    const float across = static_cast<float>(luma.cols) / static_cast<float>(size.width),
                down = static_cast<float>(luma.rows) / static_cast<float>(size.height);
    for (Place &place : places_) {
        const cv::Rect2f small(place.box.x * across, place.box.y * down, place.box.width * across, place.box.height * down);
        const cv::Point2f moved = median_flow(flow, cv::Rect(small) & cv::Rect({}, luma.size()));
        place.box += cv::Point2f(moved.x / across, moved.y / down);
    }
}

std::vector<int> FaceTracks::add(double time, const cv::Mat &luma, cv::Size size, const std::vector<Face> &faces) {
    move_places(luma, size);
    luma_ = luma.clone();
    pictures_++;
    for (Place &place : places_)
        place.present = false;
    std::vector<Match> matches;
    for (size_t t = 0; t < tracks_.size(); t++) {
        const std::array<float, 128> likeness = tracks_[t].likeness();
        for (size_t f = 0; f < faces.size(); f++)
            if (const float found = score(places_[t].box, likeness, faces[f]); found >= 0)
                matches.push_back({found, t, f});
    }
    std::stable_sort(matches.begin(), matches.end(), [](const Match &a, const Match &b) { return a.score > b.score; });
    std::vector<int> result(faces.size(), -1);
    std::vector<bool> taken(tracks_.size(), false);
    const auto put = [&](size_t track, size_t face) {
        tracks_[track].add(time, faces[face]);
        places_[track].box = faces[face].box;
        places_[track].present = true;
        places_[track].seen.push_back(time);
        result[face] = tracks_[track].number();
    };
    for (const Match &match : matches)
        if (!taken[match.track] && result[match.face] < 0) {
            taken[match.track] = true;
            put(match.track, match.face);
        }
    for (size_t f = 0; f < faces.size(); f++) {
        const bool doubled = std::any_of(faces.begin(), faces.end(), [&](const Face &other) {
            return &other != &faces[f] && result[static_cast<size_t>(&other - faces.data())] >= 0 &&
                   is_double(other.box, faces[f].box);
        });
        if (result[f] >= 0 || doubled)
            continue;
        tracks_.emplace_back(static_cast<int>(tracks_.size()));
        places_.push_back({});
        put(tracks_.size() - 1, f);
    }
    return result;
}

void FaceTracks::follow(double time, const cv::Mat &luma, cv::Size size, const FindAgain &find_again) {
    move_places(luma, size);
    luma_ = luma.clone();
    std::vector<Face> faces;
    std::vector<size_t> whose;
    for (size_t t = 0; t < tracks_.size(); t++)
        if (places_[t].present) {
            faces.push_back(tracks_[t].latest());
            whose.push_back(t);
            const cv::Point2f moved = places_[t].box.tl() - faces.back().box.tl();
            faces.back().box += moved;
            for (cv::Point2f &point : faces.back().points)
                point += moved;
        }
    const std::vector<Face> found = find_again(std::move(faces));
    for (size_t i = 0; i < std::min(found.size(), whose.size()); i++) {
        places_[whose[i]].present = found[i].score > 0;
        if (!places_[whose[i]].present)
            continue;
        tracks_[whose[i]].follow(time, found[i]);
        places_[whose[i]].box = found[i].box;
    }
}

bool FaceTracks::share_a_picture(size_t a, size_t b) const {
    return std::any_of(places_[a].seen.begin(), places_[a].seen.end(),
                       [&](double time) { return std::binary_search(places_[b].seen.begin(), places_[b].seen.end(), time); });
}

void FaceTracks::join_same_people() {
    for (size_t a = 0; a < tracks_.size(); a++)
        for (size_t b = a + 1; b < tracks_.size();) {
            if (share_a_picture(a, b) || distance(tracks_[a].likeness(), tracks_[b].likeness()) >= same_person) {
                b++;
                continue;
            }
            tracks_[a].join(tracks_[b]);
            joined_[tracks_[b].number()] = tracks_[a].number();
            std::vector<double> &seen = places_[a].seen;
            seen.insert(seen.end(), places_[b].seen.begin(), places_[b].seen.end());
            std::sort(seen.begin(), seen.end());
            tracks_.erase(tracks_.begin() + static_cast<std::ptrdiff_t>(b));
            places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(b));
        }
}

bool FaceTracks::is_rare(const FaceTrack &track) const {
    const size_t fewest = std::min<size_t>((pictures_ + 9) / 10, 3);
    return track.sightings() < fewest;
}

void FaceTracks::drop_rare() {
    for (size_t t = 0; t < tracks_.size();)
        if (is_rare(tracks_[t])) {
            tracks_.erase(tracks_.begin() + static_cast<std::ptrdiff_t>(t));
            places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(t));
        } else {
            t++;
        }
}

void FaceTracks::finish() {
    join_same_people();
    drop_rare();
}

const FaceTrack *FaceTracks::owner(int number) const {
    for (auto next = joined_.find(number); next != joined_.end(); next = joined_.find(number))
        number = next->second;
    const auto found =
        std::find_if(tracks_.begin(), tracks_.end(), [number](const FaceTrack &track) { return track.number() == number; });
    return found == tracks_.end() ? nullptr : &*found;
}

} // namespace aianime::pipeline
