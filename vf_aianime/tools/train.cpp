// SPDX-License-Identifier: LGPL-2.1-or-later
// `aianime train`: finds what is to be trained and runs it.
#include <dlfcn.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"
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
    static const std::vector<const Verb *> table = {
        &train_pack_verb, &train_style_verb, &train_attributes_verb, &train_eval_verb, &train_teach_verb,
    };
    return table;
}

std::string help_text() {
    std::string text = "usage: aianime train KIND [arguments]\n\nkinds:\n";
    for (const Verb *verb : train_verbs())
        text += "  " + (verb->name + std::string(12, ' ')).substr(0, 12) + verb->summary + "\n";
    return text + "\n`aianime train KIND --help` explains a kind.\n";
}

int run(const Arguments &words) {
    const auto asks_help = [](const std::string &word) { return word == "--help" || word == "-h"; };
    const bool help = std::any_of(words.begin(), words.end(), asks_help);
    if (help && asks_help(words[0])) {
        std::printf("%s", help_text().c_str());
        return AIANIME_OK;
    }
    std::vector<std::string> names;
    for (const Verb *verb : train_verbs()) {
        names.emplace_back(verb->name);
        if (words.empty() || words[0] != verb->name)
            continue;
        if (help)
            std::printf("%s", verb->help);
        return help ? AIANIME_OK : verb->run(Arguments(words.begin() + 1, words.end()));
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

c10::Device train_device(const std::string &text) {
    if (text.empty() || text == "cpu")
        return at::kCPU;
    if (text.rfind("cuda", 0) != 0)
        throw Error(AIANIME_INVALID, "--device: cpu, cuda or cuda:N, not " + io::quoted(text));
    // Before anything else asks LibTorch for CUDA, or it stays invisible.
    if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) || !at::hasCUDA())
        throw Error(AIANIME_NO_DEVICE, "--device " + text + ": no CUDA device, or LibTorch's CUDA half is not installed");
    try {
        return c10::Device(text);
    } catch (const c10::Error &) {
        throw Error(AIANIME_INVALID, "--device: cpu, cuda or cuda:N, not " + io::quoted(text));
    }
}

bool train_precision(const std::string &text) {
    if (text.empty() || text == "float32" || text == "bf16")
        return text == "bf16";
    throw Error(AIANIME_INVALID, "--precision: float32 or bf16, not " + io::quoted(text));
}

const Verb train_verb = {"train", "train packs, styles and face attributes", "", run};

} // namespace aianime::tools
