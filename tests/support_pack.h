// SPDX-License-Identifier: LGPL-2.1-or-later
// A small pack that does not change when the pack of the tree does, for goldens of whole samplings.
#pragma once

#include <string>

#include "pipeline/settings.h"
#include "support.h"

// Writes the pack of tests/golden/pack with weights that are functions of their names (tests/golden/golden_pack.py makes the same).
void write_golden_pack(const std::string &folder);

// That pack under the name that templates know, in a folder of its own.
class GoldenPack {
public:
    GoldenPack() { write_golden_pack(folder()); }

    std::string folder() const { return models_.path("pocket"); }
    // What the template `look` (a path) amounts to with it.
    aianime::pipeline::Settings settings(const std::string &look) const;
    // Those of templates/pop.json.
    aianime::pipeline::Settings settings() const { return settings(tests_folder() + "/../templates/pop.json"); }

private:
    TempFolder models_;
};
