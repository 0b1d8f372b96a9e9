// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

namespace aianime::caption {

// Captions written by hand, in a text file beside the video. Either the whole text is one caption for all shots, its lines joined;
// or every line is one entry:
//
//     [12.5] a woman opens a door
//     [1:02.25] she is in the garden      minutes and seconds; [1:00:02] has hours
//     [shot 3] a close-up of her hands    by the number that the report gives the shot
//
// An entry by time holds for the shots that begin at it or later, up to the next one (they rise); one by number for that shot
// alone, and goes first. An entry without words says that nothing is said. Blank lines are left out. UTF-8, with or without a mark
// at the beginning, lines end in LF or CR LF. Thread safety: const functions may run concurrently.
class Sidecar {
public:
    static constexpr size_t max_bytes = 1024 * 1024;

    // Throws Error: NOT_FOUND, FORBIDDEN, IO as read_file(); BAD_DATA with the number of the line for more than max_bytes, for
    // bytes that are no UTF-8, control characters, a file without words, mixed kinds of lines, and what stands in brackets and is
    // neither a time nor a shot, is there twice, or does not rise.
    static Sidecar load(const std::string &path);
    // `name` stands for the file in messages.
    static Sidecar parse(const std::string &text, const std::string &name);

    // Of a shot that begins at this time (seconds); "" for none.
    std::string caption(int shot, double begin) const;

private:
    std::map<double, std::string> by_time_;
    std::map<int, std::string> by_shot_;
};

} // namespace aianime::caption
