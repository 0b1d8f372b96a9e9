// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tools/verbs.h"
#include "train/report.h"

namespace aianime::tools {

// `aianime train VERB`: each is a file of its own, train_<verb>.cpp, a declaration here and a line in the table of train.cpp.

// Lines go to stdout as they come; SIGINT and SIGTERM ask for a stop, a second one ends at once.
train::Report training_report();

} // namespace aianime::tools
