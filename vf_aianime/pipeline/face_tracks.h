// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <functional>
#include <map>
#include <vector>

#include "pipeline/face_track.h"

namespace aianime::pipeline {

// What FaceTracks follows motion on: luma of a picture, at most 320 pixels wide. CV_8UC1.
cv::Mat luma_for_tracks(const cv::Mat &rgb);

// Ties the faces of one shot together, picture by picture: a face belongs to the track that lies where it is, once the optical flow
// has moved that on, or that looks like it, by the descriptor. So a track outlives a hand before the face, and a person who went
// and came back keeps it. Thread safety: none.
class FaceTracks {
public:
    // Pictures in order of time (seconds), all of one size; luma: CV_8UC1 of any size with the picture's shape. faces: as
    // FaceFinder::find() gives them, boxes in a picture of `size`. Returns each face's track, -1 where it is taken for a double.
    std::vector<int> add(double time, const cv::Mat &luma, cv::Size size, const std::vector<Face> &faces);

    // A picture between two of them that is not searched: the tracks that were in the last one are followed, for their eyes and
    // mouths. find_again: FaceFinder::follow() on this picture.
    using FindAgain = std::function<std::vector<Face>(std::vector<Face>)>;
    void follow(double time, const cv::Mat &luma, cv::Size size, const FindAgain &find_again);

    // The shot has ended: tracks of one person are joined, and those of hardly any sighting dropped. Numbers of the remaining ones
    // stay. Call once.
    void finish();

    const std::vector<FaceTrack> &tracks() const { return tracks_; }
    // The track that has the sightings of track `number` now, after finish() perhaps another one; null: dropped.
    const FaceTrack *owner(int number) const;
    size_t pictures() const { return pictures_; }
    // Seen too seldom, so far, to be somebody: a pattern may look like a face for a moment.
    bool is_rare(const FaceTrack &track) const;

private:
    struct Place {
        cv::Rect2f box;      // where the person should be now
        bool present = true; // in the last picture
        std::vector<double> seen;
    };

    void move_places(const cv::Mat &luma, cv::Size size);
    bool share_a_picture(size_t a, size_t b) const;
    void join_same_people();
    void drop_rare();

    std::vector<FaceTrack> tracks_;
    std::vector<Place> places_; // of the tracks
    std::map<int, int> joined_; // number of a track that was joined -> of the one that took it over
    cv::Mat luma_;
    size_t pictures_ = 0;
};

} // namespace aianime::pipeline
