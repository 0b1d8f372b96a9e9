// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/watch.h"

#include "io/error.h"

namespace aianime::pipeline {

void Watch::log(aianime_log_level level, const std::string &line) const {
    if (log_)
        log_(context_, level, line.c_str());
}

void Watch::step(const char *stage) {
    throw_if_cancelled();
    const auto now = std::chrono::steady_clock::now();
    if (now - last_report_ < std::chrono::seconds(2))
        return;
    last_report_ = now;
    report(stage);
}

void Watch::throw_if_cancelled() const {
    if (cancelled_)
        throw Error(AIANIME_CANCELLED, "stopped by the caller");
}

void Watch::report(const char *stage) {
    if (!progress_)
        return;
    aianime_progress progress{};
    progress.struct_size = sizeof(progress);
    progress.stage = stage;
    progress.frames_in = frames_in;
    progress.frames_out = frames_out;
    progress.frames_generated = frames_generated;
    if (frames_generated > 0)
        progress.seconds_per_frame = seconds_generating / static_cast<double>(frames_generated);
    progress.seconds_remaining = progress.seconds_per_frame * static_cast<double>(frames_waiting);
    progress_(context_, &progress);
}

} // namespace aianime::pipeline
