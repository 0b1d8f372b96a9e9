// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "include/aianime.h"

namespace aianime::pipeline {

// The caller's ear and hand during long work: log lines, progress, and the wish to stop. Thread safety: cancel() from any thread,
// the rest from the thread that works.
class Watch {
public:
    Watch(aianime_log_fn log, aianime_progress_fn progress, void *context) : log_(log), progress_(progress), context_(context) {}

    void log(aianime_log_level level, const std::string &line) const;

    // To be called between pieces of work of a second or less. Reports progress when the last report is two seconds old; throws
    // Error (CANCELLED) when asked to stop.
    void step(const char *stage);

    void cancel() { cancelled_ = true; }
    void throw_if_cancelled() const;
    void forget_cancel() { cancelled_ = false; }

    // Counters behind the progress report.
    int64_t frames_in = 0;
    int64_t frames_out = 0;
    int64_t frames_generated = 0;
    int64_t frames_waiting = 0; // chosen for generation and not made yet
    double seconds_generating = 0;

private:
    void report(const char *stage);

    aianime_log_fn log_;
    aianime_progress_fn progress_;
    void *context_;
    std::atomic<bool> cancelled_{false};
    std::chrono::steady_clock::time_point last_report_ = std::chrono::steady_clock::now();
};

} // namespace aianime::pipeline
