// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "include/aianime.h"
#include "pipeline/shot_facts.h"

namespace aianime::pipeline {

// A report that is read back, perhaps edited: where shots begin, which frames stand for them, what is shown and who is to be seen.
struct Plan {
    // A shot's facts, and what it leaves open.
    struct Entry {
        ShotFacts facts;
        bool has_caption = false; // else it is described anew
        bool has_prompts = false; // else they are made of the caption and of what the people show
    };
    std::vector<Entry> shots; // by first_pts, no two alike

    // The one that begins with this timestamp; null: none.
    const Entry *beginning_at(int64_t pts) const;
    // The one that a frame belongs to; null: it comes before all of them.
    const Entry *around(int64_t pts) const;
};

// Strict, as templates are: unknown keys, missing ones, wrong types and ranges are refused with their place, as is a plan whose
// timestamps count in other units than `time_base`. At most 64 MiB. Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA, OUT_OF_RANGE,
// IO).
Plan load_plan(const std::string &path, aianime_rational time_base);

} // namespace aianime::pipeline
