// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "include/aianime.h"
#include "media/video_reader.h"

namespace aianime::eval {

// What results are compared with: the same template with nothing that makes frames agree but, at most, their noise.
enum class Baseline {
    self_frame, // each frame alone, with noise of its own
    self_shared // each frame alone, all with the same noise
};

// The template's text, so changed: "coherence" keeps the sizes of windows and segments only, motion modules and controls that are
// shown other frames are left out. all_generated: every frame that is sent is made by the networks, whatever the template's rate.
// Throws Error as pipeline::load_template.
std::string baseline_template(const std::string &name_or_path, Baseline baseline, bool all_generated);

struct BaselineOptions {
    std::string look = "pop"; // template, by name or path
    bool all_generated = true;
    // As a caller of the library sets them; template, size, clock and callbacks are filled in.
    aianime_settings settings{};
    std::function<void(const std::string &line)> warn; // may be empty
};

// Frames in order and their times. Returns as many. Throws Error with the code and the text that the library gave.
std::vector<media::VideoFrame> render_baseline(const std::vector<media::VideoFrame> &frames, const std::vector<int64_t> &pts,
                                               aianime_rational time_base, Baseline baseline, const BaselineOptions &options);

} // namespace aianime::eval
