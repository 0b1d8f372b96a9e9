// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "caption/assembly.h"
#include "caption/person.h"
#include "pipeline/settings.h"
#include "pipeline/shot_facts.h"

namespace aianime::pipeline {

// Who is to be seen at a time, as words need it.
std::vector<caption::Person> persons_at(const ShotFacts &facts, double time);

// The raw caption of the key frame, made to agree with what the faces show where the settings want that.
std::string corrected_caption(const ShotFacts &facts, const Settings &settings);

// What is shown of a shot from a time on: the template's text, its caption, and what its people do. What they did before is left
// out, so that a long shot's segments do not tell its beginning again and again.
std::vector<TimedPrompt> prompts_of(const ShotFacts &facts, const Settings &settings, double from,
                                    const caption::TokenCount &tokens);

// What one of several people does from a time on, for the places where only they are. Empty where it is in the prompts already.
std::vector<TimedPrompt> texts_of(const ShotFacts &facts, int track, const Settings &settings, double from);

} // namespace aianime::pipeline
