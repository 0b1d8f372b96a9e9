// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "include/aianime.h"
#include "pipeline/frame_clock.h"
#include "pipeline/generator.h"
#include "pipeline/settings.h"
#include "pipeline/shot.h"
#include "pipeline/understanding.h"
#include "pipeline/watch.h"
#include "vision/shots.h"
#include "vision/working_size.h"

namespace aianime::pipeline {

// One clip on its way through: frames in by send(), the same number out by receive(), in order. Behind aianime_api; the contracts
// are in include/aianime.h. Throws Error and what LibTorch and OpenCV throw. Thread safety: one thread, but for cancel().
class Session {
public:
    explicit Session(const aianime_settings &given);

    void send(const aianime_frame &frame);
    aianime_result receive(aianime_frame &out); // OK, AGAIN or EOF
    void drain();
    // To be called last: writes the report where the end of the stream was not reached.
    void finish();
    void reset();
    void cancel() { watch_.cancel(); }
    const Watch &watch() const { return watch_; }

private:
    // A source frame that has not come out yet.
    struct Entry {
        aianime_frame frame;
        double time = 0;
        bool generated = false;
        std::shared_ptr<GeneratedFrame> before; // null: the frame passes as it is
        std::shared_ptr<GeneratedFrame> after;  // null: none yet, or none before the shot's end
        bool closed = false;                    // `after` will not come any more
    };

    void log_opening() const;
    void check(const aianime_frame &frame) const;
    void send_to_shot(Entry &entry);
    void link_open_entries(const std::shared_ptr<GeneratedFrame> &after);
    void end_shot();
    bool ready(const Entry &entry) const;
    void render(const Entry &entry, aianime_frame &out) const;
    cv::Mat picture_for(const Entry &entry) const;
    void describe(const Entry &entry, aianime_frame &out);
    void describe_people(const Entry &entry, aianime_frame &out);

    Watch watch_;
    std::vector<std::string> overrides_;
    Settings settings_;
    int width_;
    int height_;
    bool pass_all_ = false; // strength 0, or too small to work on
    std::unique_ptr<Generator> generator_;
    std::unique_ptr<Understanding> understanding_;
    vision::WorkingSize size_;
    FrameClock clock_;
    vision::ShotDetector detector_;

    std::deque<Entry> entries_;
    std::unique_ptr<Shot> shot_;
    std::shared_ptr<GeneratedFrame> last_generated_; // of the open shot
    int next_shot_ = 0;
    int next_segment_ = 0;
    bool drained_ = false;

    // What the last frame's pointers point to.
    std::string prompt_, caption_;
    std::vector<aianime_face> faces_;
};

} // namespace aianime::pipeline
