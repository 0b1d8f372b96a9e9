// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aianime::tools {

// What follows the verb on the command line.
using Arguments = std::vector<std::string>;

// One verb of the `aianime` command. A verb is a file of its own that defines one of these, a declaration here and a line in the
// table of verbs.cpp.
struct Verb {
    const char *name;
    const char *summary; // one line
    const char *help;    // what `aianime VERB --help` prints, usage first; "": run() does it
    // Prints its result on stdout. Throws Error; its code becomes the exit status. Returns AIANIME_OK, or the code of a failure it
    // has reported itself.
    int (*run)(const Arguments &arguments);
};

extern const Verb caption_verb;
extern const Verb contact_verb;
extern const Verb doctor_verb;
extern const Verb eval_verb;
extern const Verb faces_verb;
extern const Verb image_verb;
extern const Verb info_verb;
extern const Verb models_verb;
extern const Verb train_verb;

// All of them, in the order of the help text.
const std::vector<const Verb *> &verbs();

// The exit status for an aianime_result: that of ffmpeg for the same class of failure (docs/options.md).
int exit_status(int result);

} // namespace aianime::tools
