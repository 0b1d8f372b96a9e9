// SPDX-License-Identifier: LGPL-2.1-or-later
#include "vision/pose.h"
#include "vision/pose_limbs.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace aianime::vision {
namespace {

constexpr double least_heat = 0.1, least_affinity = 0.05, least_mean_score = 0.4;
constexpr int samples = 10, samples_needed = 9, least_joints = 4;
constexpr size_t most_peaks = 200; // of a joint; noise must not take quadratic time

struct Peak {
    cv::Point at;
    double score;
};

struct Connection {
    int from, to; // indices of peaks
    double score;
};

// A person in the making: an index of a peak for every joint, -1 without.
struct Draft {
    std::array<int, pose_joints> peaks;
    double score = 0;
    int joints = 0;
};

// Local maxima of the smoothed map, from the top left on.
std::vector<Peak> find_peaks(const cv::Mat &heat) {
    cv::Mat wide, smooth;
    heat.convertTo(wide, CV_64F);
    cv::GaussianBlur(wide, smooth, cv::Size(25, 25), 3, 3, cv::BORDER_REFLECT);
    cv::copyMakeBorder(smooth, smooth, 1, 1, 1, 1, cv::BORDER_CONSTANT, cv::Scalar::all(0));
    std::vector<Peak> peaks;
    for (int y = 0; y < heat.rows; y++) {
        const auto *above = smooth.ptr<double>(y) + 1, *row = smooth.ptr<double>(y + 1) + 1, *below = smooth.ptr<double>(y + 2) + 1;
        for (int x = 0; x < heat.cols; x++) {
            const double value = row[x];
            if (value > least_heat && value >= above[x] && value >= below[x] && value >= row[x - 1] && value >= row[x + 1])
                peaks.push_back({{x, y}, wide.at<double>(y, x)});
        }
    }
    if (peaks.size() > most_peaks) {
        std::stable_sort(peaks.begin(), peaks.end(), [](const Peak &a, const Peak &b) { return a.score > b.score; });
        peaks.resize(most_peaks);
    }
    return peaks;
}

// How well the affinity maps point from one peak to the other along the line between them; not above 0: not a limb.
double limb_score(const cv::Mat &along_x, const cv::Mat &along_y, cv::Point from, cv::Point to) {
    const cv::Point2d way = to - from;
    const double length = std::max(0.001, std::hypot(way.x, way.y));
    double sum = 0;
    int good = 0;
    for (int i = 0; i < samples; i++) {
        const double part = static_cast<double>(i) / (samples - 1);
        const cv::Point at(static_cast<int>(std::nearbyint(from.x + part * way.x)),
                           static_cast<int>(std::nearbyint(from.y + part * way.y)));
        const double score = (along_x.at<float>(at) * way.x + along_y.at<float>(at) * way.y) / length;
        sum += score;
        good += score > least_affinity;
    }
    // Limbs longer than half the picture are doubted.
    const double score = sum / samples + std::min(0.5 * along_x.rows / length - 1, 0.0);
    return good >= samples_needed ? score : 0;
}

// The best limbs between two joints, every peak used once.
std::vector<Connection> connect(const PoseMaps &maps, const Limb &limb, const std::vector<Peak> &from,
                                const std::vector<Peak> &to) {
    const cv::Mat &along_x = maps.affinity[static_cast<size_t>(limb.first_map)];
    const cv::Mat &along_y = maps.affinity[static_cast<size_t>(limb.first_map) + 1];
    std::vector<Connection> possible, chosen;
    for (size_t a = 0; a < from.size(); a++)
        for (size_t b = 0; b < to.size(); b++) {
            const double score = limb_score(along_x, along_y, from[a].at, to[b].at);
            if (score > 0)
                possible.push_back({static_cast<int>(a), static_cast<int>(b), score});
        }
    std::stable_sort(possible.begin(), possible.end(), [](const Connection &a, const Connection &b) { return a.score > b.score; });
    for (const Connection &candidate : possible) {
        const bool is_taken = std::any_of(chosen.begin(), chosen.end(), [&](const Connection &other) {
            return other.from == candidate.from || other.to == candidate.to;
        });
        if (!is_taken)
            chosen.push_back(candidate);
    }
    return chosen;
}

using Peaks = std::array<std::vector<Peak>, pose_joints>;

// Adds a limb to the people it belongs to: a new one, one that has an end of it, or two that it makes one.
class Assembly {
public:
    explicit Assembly(const Peaks &peaks) : peaks_(peaks) {}

    void add(const Limb &limb, const Connection &connection, bool may_begin) {
        const auto from = static_cast<size_t>(limb.from), to = static_cast<size_t>(limb.to);
        const double end_score = peaks_[to][static_cast<size_t>(connection.to)].score;
        std::vector<size_t> found;
        for (size_t i = 0; i < drafts_.size() && found.size() < 2; i++)
            if (drafts_[i].peaks[from] == connection.from || drafts_[i].peaks[to] == connection.to)
                found.push_back(i);
        if (found.size() == 2 && !share_a_joint(drafts_[found[0]], drafts_[found[1]])) {
            merge(found[0], found[1], connection.score);
        } else if (!found.empty()) {
            Draft &draft = drafts_[found[0]];
            if (found.size() == 1 && draft.peaks[to] == connection.to)
                return;
            draft.peaks[to] = connection.to;
            draft.joints++;
            draft.score += end_score + connection.score;
        } else if (may_begin) {
            Draft draft;
            draft.peaks.fill(-1);
            draft.peaks[from] = connection.from;
            draft.peaks[to] = connection.to;
            draft.joints = 2;
            draft.score = peaks_[from][static_cast<size_t>(connection.from)].score + end_score + connection.score;
            drafts_.push_back(draft);
        }
    }

    std::vector<Person> people() const {
        std::vector<Person> people;
        for (const Draft &draft : drafts_) {
            if (draft.joints < least_joints || draft.score / draft.joints < least_mean_score)
                continue;
            Person &person = people.emplace_back();
            for (size_t joint = 0; joint < person.joints.size(); joint++)
                if (draft.peaks[joint] >= 0)
                    person.joints[joint] = peaks_[joint][static_cast<size_t>(draft.peaks[joint])].at;
        }
        return people;
    }

private:
    static bool share_a_joint(const Draft &a, const Draft &b) {
        for (size_t joint = 0; joint < a.peaks.size(); joint++)
            if (a.peaks[joint] >= 0 && b.peaks[joint] >= 0)
                return true;
        return false;
    }

    void merge(size_t first, size_t second, double score) {
        Draft &kept = drafts_[first];
        const Draft &gone = drafts_[second];
        for (size_t joint = 0; joint < kept.peaks.size(); joint++)
            kept.peaks[joint] = std::max(kept.peaks[joint], gone.peaks[joint]);
        kept.joints += gone.joints;
        kept.score += gone.score + score;
        drafts_.erase(drafts_.begin() + static_cast<std::ptrdiff_t>(second));
    }

    const Peaks &peaks_;
    std::vector<Draft> drafts_;
};

} // namespace

std::vector<Person> find_people(const PoseMaps &maps) {
    Peaks peaks;
    for (size_t joint = 0; joint < peaks.size(); joint++)
        peaks[joint] = find_peaks(maps.heat[joint]);
    Assembly assembly(peaks);
    for (size_t i = 0; i < limbs.size(); i++) {
        const Limb &limb = limbs[i];
        for (const Connection &connection :
             connect(maps, limb, peaks[static_cast<size_t>(limb.from)], peaks[static_cast<size_t>(limb.to)]))
            assembly.add(limb, connection, i < drawn_limbs);
    }
    return assembly.people();
}

} // namespace aianime::vision
