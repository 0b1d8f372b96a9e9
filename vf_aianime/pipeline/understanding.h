// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "include/aianime.h"
#include "pipeline/captioner.h"
#include "pipeline/plan_file.h"
#include "pipeline/report_file.h"
#include "pipeline/settings.h"
#include "pipeline/shot_view.h"
#include "pipeline/watch.h"

namespace aianime::pipeline {

// What the shots show, and the prompts that follow from it: looked at, or as a plan says; reported where that was asked for.
// Memory: the facts of all shots where a report is asked for, else those of the open one. Thread safety: none.
class Understanding {
public:
    // tokens: of a prompt, as the text encoder counts them. Throws Error as load_plan(), make_captioner() and FaceFinder.
    Understanding(const Settings &settings, const ReportHead &head, const Watch &watch,
                  std::function<int64_t(const std::string &)> tokens);
    ~Understanding();

    // With a plan: whether it has a shot begin with this frame. Without: nothing, and cuts are to be looked for.
    std::optional<bool> starts_shot(int64_t pts) const;

    // A shot on its way.
    class Shot {
    public:
        size_t key() const { return view_->key(); }
        const std::shared_ptr<ShotFacts> &facts() const { return view_->facts(); }
        const cv::Mat &key_picture() const { return view_->key_picture(); }
        const FacePicture *face_picture(int track) const { return view_->face_picture(track); }

    private:
        friend class Understanding;
        std::unique_ptr<ShotView> view_;
        bool keeps_caption_ = false, keeps_prompts_ = false, described_ = false;
    };
    std::unique_ptr<Shot> open(int number, int64_t first_pts);
    // Its next frame that is generated.
    void look(Shot &shot, const ReadFrame &frame) { shot.view_->look(frame); }
    // A segment is to be made, whose frames were all looked at; those that are new in it begin at `from` seconds. key() and facts()
    // hold for them afterwards.
    void tell(Shot &shot, double from);
    void close(Shot &shot);

    // Writes the report, where one was asked for, of what was seen so far. Throws Error (NOT_FOUND, FORBIDDEN, IO).
    void write_report() const;
    // To be called last: of shots of the plan that did not come.
    void warn_of_rest() const;

private:
    struct Faces;

    void describe(Shot &shot);
    void write_prompts(ShotFacts &facts, double from) const;
    void save_key_picture(const Shot &shot) const;

    const Settings &settings_;
    const ReportHead head_;
    const Watch &watch_;
    const std::function<int64_t(const std::string &)> tokens_;
    std::unique_ptr<Faces> faces_; // null: nobody is looked for
    std::unique_ptr<Captioner> captioner_;
    std::optional<Plan> plan_;
    std::set<int64_t> begun_;                          // shots of the plan, by first_pts
    std::vector<std::shared_ptr<ShotFacts>> reported_; // the open shot too
};

} // namespace aianime::pipeline
