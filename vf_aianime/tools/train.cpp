// SPDX-License-Identifier: LGPL-2.1-or-later
// `aianime train`: finds what is to be trained and runs it.
#include <csignal>
#include <cstdio>

#include "io/error.h"
#include "io/text.h"
#include "tools/train_verbs.h"

namespace aianime::tools {

namespace {

// The one thing a signal's handler may touch.
volatile std::sig_atomic_t stop_wanted = 0;

void ask_to_stop(int signal) {
    stop_wanted = 1;
    std::signal(signal, SIG_DFL);
}

const std::vector<const Verb *> &train_verbs() {
    static const std::vector<const Verb *> table = {};
    return table;
}

int run(const Arguments &words) {
    std::vector<std::string> names;
    for (const Verb *verb : train_verbs()) {
        names.emplace_back(verb->name);
        if (!words.empty() && words[0] == verb->name)
            return verb->run(Arguments(words.begin() + 1, words.end()));
    }
    if (words.empty())
        throw Error(AIANIME_INVALID, "train what? `aianime train --help` lists it");
    throw Error(AIANIME_INVALID, "unknown kind of training " + io::quoted(words[0]) + io::suggestion(words[0], names));
}

} // namespace

train::Report training_report() {
    std::signal(SIGINT, ask_to_stop);
    std::signal(SIGTERM, ask_to_stop);
    train::Report report;
    report.line = [](const std::string &line) {
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    };
    report.stop_wanted = [] { return stop_wanted != 0; };
    return report;
}

const Verb train_verb = {"train", "train packs, styles and face attributes", "usage: aianime train KIND [arguments]\n", run};

} // namespace aianime::tools
