// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "include/aianime.h"
#include "pipeline/shot_facts.h"

namespace aianime::pipeline {

// What a report says about all of a run.
struct ReportHead {
    std::string style, pack, captioner;
    uint64_t seed = 0;
    aianime_rational time_base{1, 90000}; // of every pts
    int width = 0, height = 0;            // of the source
};

// Everything that was decided, as JSON; what it means is in docs/understanding.md. A plan is one of these, perhaps edited.
std::string report_text(const ReportHead &head, const std::vector<std::shared_ptr<ShotFacts>> &shots);

// The picture of a key frame in the folder that was asked for: "shot-0000.png".
std::string key_picture_name(int shot);

} // namespace aianime::pipeline
