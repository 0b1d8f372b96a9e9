// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace aianime::media {

// Runs a program (a path, or a name that is looked for in PATH), without a shell and without input, and returns the first `most`
// bytes it writes on stdout; what it writes on stderr is thrown away. "" when it cannot be started or fails.
std::string output_of(const std::vector<std::string> &command, size_t most = 65536);

// A program that runs beside this one, started the same way; what it writes on stdout is read as it comes.
class ProgramOutput {
public:
    explicit ProgramOutput(const std::vector<std::string> &command);
    // Closes the stream, at which a program that still writes ends, and waits for its end.
    ~ProgramOutput();
    ProgramOutput(const ProgramOutput &) = delete;
    ProgramOutput &operator=(const ProgramOutput &) = delete;

    // Null where the program cannot be started.
    std::FILE *stream() const { return stream_; }

private:
    pid_t child_ = 0;
    std::FILE *stream_ = nullptr;
};

// Where PATH leads for a program's name, "" when nowhere.
std::string find_program(const std::string &name);

} // namespace aianime::media
