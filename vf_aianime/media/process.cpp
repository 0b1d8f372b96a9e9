// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <sstream>

extern char **environ;

namespace aianime::media {

namespace {

// Starts the command with stdout on `out`; 0 when it cannot be started.
pid_t start(const std::vector<std::string> &command, int out) {
    std::vector<char *> words;
    for (const std::string &word : command)
        words.push_back(const_cast<char *>(word.c_str()));
    words.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int error = posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? child : 0;
}

std::string read_all(int from, size_t most) {
    std::string text;
    char block[65536];
    for (;;) {
        const ssize_t got = read(from, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return text;
        text.append(block, std::min(static_cast<size_t>(got), most - text.size()));
    }
}

} // namespace

std::string output_of(const std::vector<std::string> &command, size_t most) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return "";
    const pid_t child = start(command, ends[1]);
    close(ends[1]);
    const std::string text = child ? read_all(ends[0], most) : "";
    close(ends[0]);
    int status = -1;
    while (child && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : "";
}

ProgramOutput::ProgramOutput(const std::vector<std::string> &command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    child_ = start(command, ends[1]);
    close(ends[1]);
    if (child_)
        stream_ = fdopen(ends[0], "rb");
    if (!stream_)
        close(ends[0]);
}

ProgramOutput::~ProgramOutput() {
    if (stream_)
        std::fclose(stream_);
    int status = 0;
    while (child_ && waitpid(child_, &status, 0) < 0 && errno == EINTR)
        continue;
}

std::string find_program(const std::string &name) {
    const char *path = std::getenv("PATH");
    std::istringstream folders(path ? path : "");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string file = (folder.empty() ? "." : folder) + "/" + name;
        if (access(file.c_str(), X_OK) == 0)
            return file;
    }
    return "";
}

} // namespace aianime::media
