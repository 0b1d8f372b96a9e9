// SPDX-License-Identifier: LGPL-2.1-or-later
// The `aianime` command: finds the verb, runs it behind the library's wall, turns its result into an exit status.
#include <algorithm>
#include <cstdio>
#include <string>

#include "api/guard.h"
#include "io/error.h"
#include "io/text.h"
#include "tools/verbs.h"

namespace {

using namespace aianime;

void print_help() {
    std::printf("usage: aianime VERB [arguments]\n\nverbs:\n");
    for (const tools::Verb *verb : tools::verbs())
        std::printf("  %-10s %s\n", verb->name, verb->summary);
    std::printf("\n`aianime VERB --help` explains a verb, `aianime --version` names the version.\n"
                "The exit status is that of ffmpeg with -vf aianime for the same failure (docs/options.md).\n");
}

const tools::Verb &find_verb(const std::string &name) {
    std::vector<std::string> names;
    for (const tools::Verb *verb : tools::verbs()) {
        if (name == verb->name)
            return *verb;
        names.emplace_back(verb->name);
    }
    throw Error(AIANIME_INVALID, "unknown verb " + io::quoted(name) + io::suggestion(name, names));
}

aianime_result run(const tools::Arguments &words) {
    if (words.empty()) {
        print_help();
        throw Error(AIANIME_INVALID, "a verb is needed");
    }
    if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
        print_help();
        return AIANIME_OK;
    }
    if (words[0] == "--version") {
        std::printf("%s\n", aianime_get_api(AIANIME_API_VERSION)->version_text());
        return AIANIME_OK;
    }
    const tools::Verb &verb = find_verb(words[0]);
    const tools::Arguments arguments(words.begin() + 1, words.end());
    const auto asks_help = [](const std::string &word) { return word == "--help" || word == "-h"; };
    // A verb with kinds of its own explains itself.
    if (*verb.help && std::any_of(arguments.begin(), arguments.end(), asks_help)) {
        std::printf("%s", verb.help);
        return AIANIME_OK;
    }
    return static_cast<aianime_result>(verb.run(arguments));
}

} // namespace

int main(int count, char **words) {
    std::string error;
    const aianime_result result = api::guard([&] { return run(tools::Arguments(words + 1, words + count)); }, error);
    if (!error.empty())
        std::fprintf(stderr, "aianime: %s\n", error.c_str());
    if (std::fflush(stdout) != 0 && result == AIANIME_OK) {
        std::fprintf(stderr, "aianime: the output cannot be written\n");
        return tools::exit_status(AIANIME_IO);
    }
    return tools::exit_status(result);
}
