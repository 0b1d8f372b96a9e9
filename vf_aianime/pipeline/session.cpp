// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/session.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "io/error.h"
#include "vision/color.h"
#include "vision/flow.h"
#include "vision/inbetween.h"

namespace aianime::pipeline {

namespace {

constexpr int smallest_side = 16; // below, there is nothing a network could draw
constexpr int64_t most_pixels = int64_t{1} << 26;

std::string size_text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

// Callers built with an older header have a smaller struct; nothing was taken out of it since the first.
constexpr size_t first_frame_size = offsetof(aianime_frame, caption);

void check_struct(const aianime_frame &frame) {
    if (frame.struct_size < first_frame_size || frame.struct_size > sizeof(aianime_frame))
        throw Error(AIANIME_INVALID, "aianime_frame.struct_size is not that of this library");
}

aianime_frame whole_frame(const aianime_frame &given) {
    aianime_frame whole = {};
    std::memcpy(&whole, &given, given.struct_size);
    whole.struct_size = sizeof(whole);
    return whole;
}

bool same_format(const aianime_format &a, const aianime_format &b) {
    if (a.model != b.model || a.components != b.components || a.has_alpha != b.has_alpha || a.log2_chroma_w != b.log2_chroma_w ||
        a.log2_chroma_h != b.log2_chroma_h)
        return false;
    return std::equal(
        a.component, a.component + a.components, b.component, [](const aianime_component &x, const aianime_component &y) {
            return x.plane == y.plane && x.step == y.step && x.offset == y.offset && x.shift == y.shift && x.depth == y.depth;
        });
}

} // namespace

Session::Session(const aianime_settings &given)
    : watch_(given.log, given.progress, given.callback_context), settings_(resolve_settings(given, overrides_)),
      width_(given.width), height_(given.height), clock_(given.time_base, given.frame_rate, settings_.style.generate_fps) {
    if (width_ < 1 || height_ < 1)
        throw Error(AIANIME_INVALID, "picture size " + size_text(width_, height_) + " is not a size");
    if (int64_t{width_} * height_ > most_pixels)
        throw Error(AIANIME_OUT_OF_RANGE, "picture size " + size_text(width_, height_) + " is above the limit of " +
                                              std::to_string(most_pixels) + " pixels; put a scale filter in front");
    if (std::min(width_, height_) < smallest_side) {
        watch_.log(AIANIME_LOG_WARNING, "pictures of " + size_text(width_, height_) + " are too small (below " +
                                            std::to_string(smallest_side) + " pixels); frames pass unchanged");
        pass_all_ = true;
    }
    if (settings_.strength == 0) {
        watch_.log(AIANIME_LOG_INFO, "strength 0: frames pass unchanged");
        pass_all_ = true;
    }
    if (pass_all_)
        return;
    generator_ = std::make_unique<Generator>(settings_, watch_);
    size_ = vision::working_size({width_, height_}, settings_.size, generator_->stride());
    const bool known_base = given.time_base.num > 0 && given.time_base.den > 0;
    const ReportHead head = {settings_.style.name,
                             settings_.pack.name,
                             to_string(settings_.caption),
                             settings_.style.seed,
                             known_base ? given.time_base : aianime_rational{1, 90000},
                             width_,
                             height_};
    understanding_ = std::make_unique<Understanding>(settings_, head, watch_,
                                                     [this](const std::string &text) { return generator_->tokens(text); });
    log_opening();
}

void Session::log_opening() const {
    const Template &style = settings_.style;
    watch_.log(AIANIME_LOG_INFO,
               "template " + style.name + ", pack " + settings_.pack.name + ", " + std::to_string(settings_.steps) + " steps, " +
                   (style.method == Method::attention ? "" : std::string("method ") + to_string(style.method) + ", ") +
                   "attention " + to_string(style.attention) + ", working size " +
                   size_text(size_.scaled.width, size_.scaled.height) + ", " + settings_.device + " in " + generator_->precision());
    if (overrides_.empty())
        return;
    std::string names;
    for (const std::string &name : overrides_)
        names += (names.empty() ? "" : ", ") + name;
    watch_.log(AIANIME_LOG_INFO, "options override the template's: " + names);
}

void Session::check(const aianime_frame &frame) const {
    if (drained_)
        throw Error(AIANIME_STATE, "send() after drain()");
    check_struct(frame);
    if (frame.width != width_ || frame.height != height_)
        throw Error(AIANIME_OUT_OF_RANGE,
                    "a frame of " + size_text(frame.width, frame.height) + " in a session of " + size_text(width_, height_));
    vision::check_frame(frame);
}

void Session::send(const aianime_frame &frame) {
    watch_.throw_if_cancelled();
    check(frame);
    Entry entry;
    entry.frame = whole_frame(frame);
    ++watch_.frames_in;
    if (pass_all_ || (frame.flags & AIANIME_FRAME_PASS)) {
        end_shot();
        entries_.push_back(std::move(entry));
        return;
    }
    send_to_shot(entry);
}

void Session::send_to_shot(Entry &entry) {
    SourcePicture source;
    const cv::Mat whole = vision::to_rgb(entry.frame);
    source.picture = vision::to_working(whole, size_);
    source.shown = size_.scaled;
    const std::optional<bool> planned = understanding_->starts_shot(entry.frame.pts);
    const bool cut = planned ? *planned : detector_.starts_shot(vision::crop_working(source.picture, size_));
    if (cut)
        end_shot();
    const bool first = shot_ == nullptr;
    const FrameClock::Tick tick = clock_.next(entry.frame.pts, first);
    source.identity = tick.identity;
    entry.time = tick.time;
    entry.generated = tick.generate;
    if (!tick.generate) {
        entry.before = last_generated_;
        entries_.push_back(std::move(entry));
        return;
    }
    auto frame = std::make_shared<GeneratedFrame>();
    frame->source = std::move(source);
    frame->pts = entry.frame.pts;
    frame->time = tick.time;
    link_open_entries(frame);
    entry.before = frame;
    last_generated_ = frame;
    entries_.push_back(std::move(entry));
    if (first)
        shot_ = std::make_unique<Shot>(next_shot_++, settings_, size_, *generator_, *understanding_, watch_, next_segment_);
    shot_->add(frame, vision::at_most(whole, most_looked_at));
}

// The entries since the last generated frame now know the next one.
void Session::link_open_entries(const std::shared_ptr<GeneratedFrame> &after) {
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && !entry->generated && !entry->closed && entry->before; ++entry)
        entry->after = after;
}

void Session::end_shot() {
    if (!shot_)
        return;
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && !entry->generated && !entry->closed; ++entry)
        entry->closed = true;
    last_generated_ = nullptr;
    const std::unique_ptr<Shot> ended = std::move(shot_);
    ended->finish();
}

bool Session::ready(const Entry &entry) const {
    if (!entry.before)
        return true;
    if (!entry.before->made)
        return false;
    return entry.generated || entry.closed || (entry.after && entry.after->made);
}

aianime_result Session::receive(aianime_frame &out) {
    watch_.throw_if_cancelled();
    if (entries_.empty())
        return drained_ ? AIANIME_EOF : AIANIME_AGAIN;
    const Entry &entry = entries_.front();
    if (!ready(entry))
        return AIANIME_AGAIN;
    check_struct(out);
    if (out.width != entry.frame.width || out.height != entry.frame.height || !same_format(out.format, entry.frame.format))
        throw Error(AIANIME_INVALID, "the output frame's size or format is not that of its source frame");
    vision::check_frame(out);
    watch_.step("interpolate");
    render(entry, out);
    describe(entry, out);
    ++watch_.frames_out;
    entries_.pop_front();
    return AIANIME_OK;
}

void Session::render(const Entry &entry, aianime_frame &out) const {
    const cv::Mat picture = picture_for(entry);
    if (picture.empty())
        vision::copy_frame(entry.frame, out);
    else
        vision::from_rgb(vision::from_working(picture, size_), entry.frame, out);
}

// The stylized picture in scaled working size; empty when the source frame passes as it is.
cv::Mat Session::picture_for(const Entry &entry) const {
    if (!entry.before || entry.before->passed || (entry.after && entry.after->passed))
        return {};
    const GeneratedFrame &before = *entry.before;
    if (entry.generated || settings_.style.interpolate == Interpolation::none)
        return before.neighbour.stylized;
    const GeneratedFrame *after = entry.after.get();
    const double gap = after ? after->time - before.time : 0;
    const double position = gap > 0 ? (entry.time - before.time) / gap : 0;
    if (settings_.style.interpolate == Interpolation::blend) {
        if (!after)
            return before.neighbour.stylized;
        cv::Mat blended;
        cv::addWeighted(before.neighbour.stylized, 1 - position, after->neighbour.stylized, position, 0, blended);
        return blended;
    }
    const cv::Mat source = vision::crop_working(vision::to_working(vision::to_rgb(entry.frame), size_), size_);
    return vision::inbetween(source, &before.neighbour, after ? &after->neighbour : nullptr, position);
}

void Session::describe(const Entry &entry, aianime_frame &out) {
    out.pts = entry.frame.pts;
    out.duration = entry.frame.duration;
    out.opaque = entry.frame.opaque;
    out.shot = entry.before ? entry.before->shot : std::max(0, next_shot_ - 1);
    out.segment = entry.before ? entry.before->segment : std::max(0, next_segment_ - 1);
    out.seed = settings_.style.seed;
    const bool passed = !entry.before || entry.before->passed || (entry.after && entry.after->passed);
    out.origin = passed ? AIANIME_ORIGIN_PASSED : entry.generated ? AIANIME_ORIGIN_GENERATED : AIANIME_ORIGIN_INTERPOLATED;
    const std::vector<WeightedPrompt> prompts =
        passed ? std::vector<WeightedPrompt>() : prompts_at(entry.before->facts->prompts, entry.time);
    const auto most = std::max_element(prompts.begin(), prompts.end(),
                                       [](const WeightedPrompt &a, const WeightedPrompt &b) { return a.weight < b.weight; });
    prompt_ = most == prompts.end() ? "" : most->text;
    out.prompt = prompt_.c_str();
    describe_people(entry, out);
}

// Of callers that know these fields.
void Session::describe_people(const Entry &entry, aianime_frame &out) {
    if (out.struct_size < sizeof(aianime_frame))
        return;
    const ShotFacts *facts = entry.before ? entry.before->facts.get() : nullptr;
    caption_ = facts ? facts->caption : "";
    faces_.clear();
    for (const PersonAt &person : facts ? people_at(facts->people, entry.time) : std::vector<PersonAt>()) {
        const auto known = std::find_if(facts->people.begin(), facts->people.end(),
                                        [&](const PersonFacts &one) { return one.track == person.track; });
        faces_.push_back({person.track, person.box.x * static_cast<float>(width_), person.box.y * static_cast<float>(height_),
                          person.box.width * static_cast<float>(width_), person.box.height * static_cast<float>(height_),
                          known->male, known->age, person.state.eyes_open, person.state.mouth_open,
                          expression_names[person.state.expression]});
    }
    out.caption = caption_.c_str();
    out.face_count = static_cast<int>(faces_.size());
    out.faces = faces_.empty() ? nullptr : faces_.data();
}

void Session::drain() {
    if (drained_)
        return;
    end_shot();
    if (understanding_)
        understanding_->write_report();
    drained_ = true;
}

void Session::finish() {
    if (!understanding_)
        return;
    if (!drained_)
        understanding_->write_report();
    understanding_->warn_of_rest();
}

void Session::reset() {
    entries_.clear();
    shot_ = nullptr;
    last_generated_ = nullptr;
    clock_.reset();
    detector_.reset();
    watch_.forget_cancel();
    watch_.frames_waiting = 0;
    drained_ = false;
}

} // namespace aianime::pipeline
