// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/seams.h"

#include <algorithm>
#include <functional>

#include "eval/scores.h"
#include "pipeline/windows.h"

namespace aianime::eval {

namespace {

// Calls with the places of each shot's generated frames among `frames`.
void each_shot(const std::vector<FrameInfo> &frames, const std::function<void(const std::vector<size_t> &)> &call) {
    for (size_t begin = 0; begin < frames.size();) {
        std::vector<size_t> generated;
        size_t end = begin;
        for (; end < frames.size() && frames[end].shot == frames[begin].shot; end++)
            if (frames[end].generated)
                generated.push_back(end);
        call(generated);
        begin = end;
    }
}

// From the frame before generated frame `first` up to generated frame `last`.
void mark(std::vector<bool> &across, const std::vector<size_t> &generated, int64_t first, int64_t last) {
    if (first < 1 || first >= static_cast<int64_t>(generated.size()))
        return;
    last = std::clamp<int64_t>(last, first, static_cast<int64_t>(generated.size()) - 1);
    for (size_t i = generated[static_cast<size_t>(first - 1)] + 1; i <= generated[static_cast<size_t>(last)]; i++)
        across[i] = true;
}

} // namespace

std::vector<bool> across_segments(const std::vector<FrameInfo> &frames, int64_t segment, int64_t overlap) {
    std::vector<bool> across(frames.size());
    each_shot(frames, [&](const std::vector<size_t> &generated) {
        const auto count = static_cast<int64_t>(generated.size());
        for (int64_t begin = segment - overlap; begin + overlap < count; begin += segment - overlap)
            mark(across, generated, begin, begin + overlap);
    });
    return across;
}

std::vector<bool> across_windows(const std::vector<FrameInfo> &frames, int64_t segment, int64_t window, int64_t overlap) {
    std::vector<bool> across(frames.size());
    each_shot(frames, [&](const std::vector<size_t> &generated) {
        const auto count = static_cast<int64_t>(generated.size());
        for (int64_t begin = 0; begin == 0 || begin + overlap < count; begin += segment - overlap) {
            const auto windows = pipeline::make_windows(std::min(segment, count - begin), window, overlap);
            for (size_t i = 1; i < windows.size(); i++)
                mark(across, generated, begin + windows[i].begin, begin + windows[i - 1].begin + windows[i - 1].count);
        }
    });
    return across;
}

std::vector<bool> across_borders(const std::vector<FrameInfo> &frames, const std::vector<size_t> &borders) {
    std::vector<bool> across(frames.size());
    for (size_t i = 1; i < frames.size(); i++)
        across[i] = std::any_of(borders.begin(), borders.end(),
                                [&](size_t border) { return frames[i - 1].number < border && border <= frames[i].number; });
    return across;
}

double seam_ratio(const std::vector<double> &errors, const std::vector<bool> &across) {
    double sums[2] = {0, 0}, counts[2] = {0, 0};
    for (size_t i = 0; i < errors.size(); i++)
        if (has_score(errors[i])) {
            sums[across[i]] += errors[i];
            counts[across[i]]++;
        }
    if (counts[0] == 0 || counts[1] == 0 || sums[0] <= 0)
        return no_score;
    return sums[1] / counts[1] / (sums[0] / counts[0]);
}

} // namespace aianime::eval
