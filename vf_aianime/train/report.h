// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

namespace aianime::train {

// How training talks to who started it: lines to print, and whether it should stop. Both may be called from the training thread
// only; either may be left empty.
struct Report {
    std::function<void(const std::string &line)> line;
    std::function<bool()> stop_wanted;

    void say(const std::string &text) const {
        if (line)
            line(text);
    }
    bool stopped() const { return stop_wanted && stop_wanted(); }
};

} // namespace aianime::train
