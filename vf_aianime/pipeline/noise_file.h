// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

namespace aianime::pipeline {

// The initial noise of a run, given as a file, so that pictures can be compared with another tool's: a safetensors file with a
// tensor [frames, channels, height, width] of latents, called "noise" or the only one. Frames take its rows in the order in which
// they are first asked for, that is, the order in which they are generated; a frame asked for again gets its row again.
class NoiseFile {
public:
    // Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA, IO).
    explicit NoiseFile(const std::string &path);

    // The row of the frame with this identity, float32 [channels, height, width] on the CPU. Throws Error (BAD_DATA) where the
    // run's latents have other sides than the file's, or where it has no row left.
    at::Tensor frame(int64_t identity, int64_t channels, int64_t height, int64_t width);

private:
    std::string path_;
    at::Tensor noise_;
    std::map<int64_t, int64_t> rows_; // by identity
};

} // namespace aianime::pipeline
