// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/shot.h"

#include <algorithm>
#include <chrono>

#include "io/error.h"
#include "pipeline/free_memory.h"
#include "vision/flow.h"

namespace aianime::pipeline {

cv::Mat cross_faded(const cv::Mat &earlier, const cv::Mat &later, size_t i, size_t shared) {
    if (earlier.empty() || later.empty())
        return earlier.empty() ? later : earlier;
    const double weight = static_cast<double>(i + 1) / static_cast<double>(shared + 1);
    cv::Mat faded;
    cv::addWeighted(earlier, 1 - weight, later, weight, 0, faded);
    return faded;
}

namespace {

// The shot's first frame, which as the first anchor sees only itself and so looks as it would alone, as a picture; and the frame
// that stands for the shot, out of its first segment, because later ones are not known yet when the first is made.
std::vector<SourcePicture> anchors_of(const std::vector<std::shared_ptr<GeneratedFrame>> &frames, size_t key) {
    std::vector<SourcePicture> anchors{frames.front()->source};
    if (key != 0)
        anchors.push_back(frames[key]->source);
    return anchors;
}

} // namespace

Shot::Shot(int number, const Settings &settings, const vision::WorkingSize &size, Generator &generator,
           Understanding &understanding, Watch &watch, int &next_segment)
    : number_(number), settings_(settings), size_(size), generator_(generator), understanding_(understanding), watch_(watch),
      next_segment_(next_segment), fusion_(settings, generator.flow(), watch) {}

void Shot::add(const std::shared_ptr<GeneratedFrame> &frame, const cv::Mat &picture) {
    if (!known_)
        known_ = understanding_.open(number_, frame->pts);
    understanding_.look(*known_, {picture, frame->pts, frame->time});
    frame->shot = number_;
    frame->segment = next_segment_;
    collected_.push_back(frame);
    ++watch_.frames_waiting;
    if (collected_.size() >= static_cast<size_t>(settings_.style.segment)) {
        run_segment();
        const size_t shared = shared_frames();
        settle(collected_.size() - shared, carried_);
        carried_.erase(carried_.begin(), carried_.end() - static_cast<std::ptrdiff_t>(shared));
    }
}

void Shot::finish() {
    if (collected_.size() > carried_.size())
        run_segment();
    if (known_)
        understanding_.close(*known_);
    settle(collected_.size(), carried_);
    carried_.clear();
    fusion_.finish();
    deliver_fused();
}

// Frames whose generation does not depend on the segment they are in need no overlap.
size_t Shot::shared_frames() const {
    if (generator_.is_sequential())
        return 0;
    if (settings_.style.attention == nn::AttentionMode::self && settings_.motion.empty() && !settings_.fusion &&
        settings_.style.latent_fusion == 0)
        return 0;
    return static_cast<size_t>(std::min(settings_.style.overlap, settings_.style.segment - 1));
}

// Makes every collected frame; the result is in carried_.
void Shot::run_segment() {
    const auto begin = std::chrono::steady_clock::now();
    tell();
    if (anchors_.empty())
        anchors_ = anchors_of(collected_, known_->key());
    const auto fresh = static_cast<int64_t>(collected_.size() - carried_.size());
    std::vector<cv::Mat> pictures = generate();
    cross_fade(pictures);
    carried_ = std::move(pictures);
    return_free_memory();
    ++next_segment_;
    watch_.frames_waiting -= fresh;
    watch_.frames_generated += fresh;
    watch_.seconds_generating += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// All collected frames get to know what is to be shown in them.
void Shot::tell() {
    watch_.step("analyse");
    understanding_.tell(*known_, collected_[carried_.size()]->time);
    const ShotFacts &facts = *known_->facts();
    for (const auto &frame : collected_) {
        frame->facts = known_->facts();
        if (settings_.writes_prompts())
            frame->source.prompts = prompts_at(facts.prompts, frame->time);
        frame->source.people = people_at(facts.people, frame->time);
    }
}

// Those of whom there is something to show.
std::vector<Person> Shot::people() const {
    std::vector<Person> people;
    for (const PersonFacts &person : known_->facts()->people) {
        const FacePicture *face = known_->face_picture(person.track);
        if (face && (settings_.shows_people() || !person.texts.empty()))
            people.push_back({person.track, person.descriptor, face->picture});
    }
    return people;
}

// One picture per collected frame; empty pictures where on_error=pass stands in for a failure.
std::vector<cv::Mat> Shot::generate() {
    std::vector<SourcePicture> sources;
    for (const auto &frame : collected_)
        sources.push_back(frame->source);
    try {
        return generator_.run(sources, anchors_, people());
    } catch (const Error &error) {
        if (settings_.on_error != AIANIME_ON_ERROR_PASS || error.code() == AIANIME_CANCELLED)
            throw;
        watch_.log(AIANIME_LOG_ERROR, "segment " + std::to_string(next_segment_) + " failed, its " +
                                          std::to_string(sources.size()) + " frames pass unchanged: " + error.what());
        return std::vector<cv::Mat>(sources.size());
    }
}

// The first frames were made by the last segment too: fade from its version to this one's.
void Shot::cross_fade(std::vector<cv::Mat> &pictures) const {
    for (size_t i = 0; i < carried_.size(); ++i)
        pictures[i] = cross_faded(carried_[i], pictures[i], i, carried_.size());
}

// The frame that the others are locked to stays as it is. A shot of which only a later part is made needs that frame made first.
void Shot::lock_colors(vision::StylizedNeighbour &frame) {
    const double strength = settings_.style.color_lock;
    if (strength == 0)
        return;
    if (color_lock_)
        frame.stylized = color_lock_->apply(frame.source, frame.stylized, strength);
    else
        color_lock_.emplace(frame.source, frame.stylized);
}

// The first `count` collected frames have the pictures that segments give them.
void Shot::settle(size_t count, const std::vector<cv::Mat> &pictures) {
    for (size_t i = 0; i < count; ++i) {
        fusion_.add(collected_[i]->source.picture, pictures[i]);
        fusing_.push_back(collected_[i]);
    }
    collected_.erase(collected_.begin(), collected_.begin() + static_cast<std::ptrdiff_t>(count));
    deliver_fused();
}

void Shot::deliver_fused() {
    while (const std::optional<cv::Mat> picture = fusion_.take()) {
        deliver(*fusing_.front(), *picture);
        fusing_.pop_front();
    }
}

void Shot::deliver(GeneratedFrame &frame, const cv::Mat &picture) {
    frame.passed = picture.empty();
    if (!frame.passed) {
        frame.neighbour.source = vision::crop_working(frame.source.picture, size_).clone();
        frame.neighbour.source_luma = vision::luma(frame.neighbour.source);
        frame.neighbour.stylized = vision::crop_working(picture, size_).clone();
        lock_colors(frame.neighbour);
    }
    frame.source.picture.release();
    frame.made = true;
}

} // namespace aianime::pipeline
