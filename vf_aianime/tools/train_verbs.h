// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <c10/core/Device.h>

#include "tools/verbs.h"
#include "train/report.h"

namespace aianime::tools {

// `aianime train VERB`: each is a file of its own, train_<verb>.cpp, a declaration here and a line in the table of train.cpp.

// Lines go to stdout as they come; SIGINT and SIGTERM ask for a stop, a second one ends at once.
train::Report training_report();

// "cpu", "cuda" or "cuda:N", "" for cpu. Throws Error (INVALID, NO_DEVICE).
c10::Device train_device(const std::string &text);
// True for "bf16", false for "float32" and "". Throws Error (INVALID).
bool train_precision(const std::string &text);

extern const Verb train_eval_verb;
extern const Verb train_pack_verb;
extern const Verb train_style_verb;
extern const Verb train_attributes_verb;
extern const Verb train_teach_verb;

} // namespace aianime::tools
