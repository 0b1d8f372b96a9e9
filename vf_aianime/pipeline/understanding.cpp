// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/understanding.h"

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/paths.h"
#include "nn/aten.h"
#include "pipeline/faces.h"
#include "pipeline/planned_shot.h"
#include "pipeline/shot_reader.h"
#include "pipeline/shot_words.h"
#include "vision/png.h"

namespace aianime::pipeline {

// Keeps LibTorch out of the header.
struct Understanding::Faces {
    explicit Faces(const IdentitySettings &identity)
        : finder(face_folder(), at::kCPU, identity.heads, {identity.detector, identity.recognizer}) {}
    FaceFinder finder;
};

namespace {

// Whether a run without faces would not be what was asked for.
bool needs_faces(const Settings &settings) {
    const IdentitySettings &identity = settings.identity;
    return settings.shows_people() || !identity.heads.empty() || !identity.detector.empty() || !identity.recognizer.empty();
}

} // namespace

Understanding::Understanding(const Settings &settings, const ReportHead &head, const Watch &watch,
                             std::function<int64_t(const std::string &)> tokens)
    : settings_(settings), head_(head), watch_(watch), tokens_(std::move(tokens)), captioner_(make_captioner(settings)) {
    if (!settings.report.empty())
        io::AtomicFile probe(settings.report); // rather now than at the end
    if (!settings.plan.empty())
        plan_ = load_plan(settings.plan, head.time_base);
    else if (settings.identity.faces && (needs_faces(settings) || !io::find_in(io::model_folders(), "face").empty()))
        faces_ = std::make_unique<Faces>(settings.identity);
    else if (settings.identity.faces)
        watch_.log(AIANIME_LOG_WARNING, "the face networks (models/face) are not there: nobody is looked for");
}

Understanding::~Understanding() = default;

std::optional<bool> Understanding::starts_shot(int64_t pts) const {
    if (!plan_)
        return std::nullopt;
    return pts != AIANIME_NO_PTS && plan_->beginning_at(pts) != nullptr;
}

std::unique_ptr<Understanding::Shot> Understanding::open(int number, int64_t first_pts) {
    auto shot = std::make_unique<Shot>();
    const Plan::Entry *planned = plan_ && first_pts != AIANIME_NO_PTS ? plan_->around(first_pts) : nullptr;
    if (planned) {
        begun_.insert(planned->facts.first_pts);
        shot->view_ = std::make_unique<PlannedShot>(planned->facts, watch_);
        shot->keeps_caption_ = planned->has_caption;
        shot->keeps_prompts_ = planned->has_prompts;
    } else {
        if (plan_)
            watch_.log(AIANIME_LOG_WARNING, "plan: has no shot that the frame with timestamp " + std::to_string(first_pts) +
                                                " belongs to; it is looked at as if there were no plan");
        shot->view_ = std::make_unique<ShotReader>(faces_ ? &faces_->finder : nullptr, settings_.identity.face_rate);
    }
    shot->facts()->number = number;
    if (!settings_.report.empty())
        reported_.push_back(shot->facts());
    return shot;
}

void Understanding::tell(Shot &shot, double from) {
    shot.view_->settle();
    if (!shot.described_)
        describe(shot);
    if (!shot.keeps_prompts_)
        write_prompts(*shot.facts(), from);
}

void Understanding::describe(Shot &shot) {
    shot.described_ = true;
    ShotFacts &facts = *shot.facts();
    if (captioner_ && !shot.keeps_caption_ && !shot.keeps_prompts_) {
        facts.raw_caption = captioner_->describe(shot.view_->key_picture(), facts);
        facts.caption = corrected_caption(facts, settings_);
    }
    save_key_picture(shot);
}

// What was shown before `from` stays as it was, whatever is known of the people by now.
void Understanding::write_prompts(ShotFacts &facts, double from) const {
    if (settings_.writes_prompts()) {
        facts.prompts = continued(facts.prompts, prompts_of(facts, settings_, from, tokens_), from);
        for (PersonFacts &person : facts.people)
            person.texts = continued(person.texts, texts_of(facts, person.track, settings_, from), from);
    } else if (facts.prompts.empty())
        facts.prompts = {{facts.begin, settings_.style.positive}};
}

void Understanding::save_key_picture(const Shot &shot) const {
    if (settings_.key_pictures.empty())
        return;
    cv::Mat bytes;
    shot.view_->key_picture().convertTo(bytes, CV_8U, 255);
    vision::save_png(settings_.key_pictures + "/" + key_picture_name(shot.facts()->number), bytes);
}

void Understanding::close(Shot &shot) {
    shot.view_->finish();
    watch_.log(AIANIME_LOG_VERBOSE, "shot " + std::to_string(shot.facts()->number) + ": " + summary_of(*shot.facts()));
}

void Understanding::warn_of_rest() const {
    if (!plan_)
        return;
    for (const Plan::Entry &entry : plan_->shots)
        if (!begun_.count(entry.facts.first_pts))
            watch_.log(AIANIME_LOG_WARNING, "plan: no frame has the timestamp " + std::to_string(entry.facts.first_pts) +
                                                " that shot " + std::to_string(entry.facts.number) + " begins with");
}

void Understanding::write_report() const {
    if (settings_.report.empty())
        return;
    const std::string text = report_text(head_, reported_);
    io::AtomicFile file(settings_.report);
    file.write(text.data(), text.size());
    file.commit();
}

} // namespace aianime::pipeline
