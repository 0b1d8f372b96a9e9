// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "train/pack_eval.h"

namespace aianime::tools {

// The pictures and clips below a folder (in any depth, in the order of their paths), cropped and scaled to one shape: `frames`
// pictures in all, one of each file at first, further ones from the clips, evenly spread over each; and runs of `clip_frames`
// frames from the middles of up to `clips` clips. What cannot be read is told and left out. Throws Error (NOT_FOUND) where there is
// no folder, (BAD_DATA) where nothing in it can be read.
train::EvalData load_eval_folder(const std::string &folder, cv::Size shape, size_t frames, size_t clips, size_t clip_frames,
                                 const train::Report &report);

} // namespace aianime::tools
