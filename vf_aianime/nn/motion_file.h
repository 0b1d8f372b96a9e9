// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "nn/weights.h"

namespace aianime::nn {

// One of AnimateDiff's temporal transformers, as its tensors' shapes tell.
struct MotionLayerConfig {
    int64_t channels = 0;
    int64_t heads = 8; // not in the file; a folder's config.json says it
    int64_t blocks = 0;
};

struct MotionConfig {
    std::map<std::string, MotionLayerConfig> layers; // by name: "down_blocks.0.motion_modules.1"
    int64_t positions = 0;                           // frames the position table is for
    bool stored_positions = true;                    // the table is in the file; some leave it out, as AnimateLCM
    bool has_mid_block() const { return layers.count("mid_block.motion_modules.0") != 0; }
    // The first published version, which is told from the third by the length of its table.
    bool is_version_1() const { return !has_mid_block() && positions == 24; }
    // "AnimateDiff v1", for messages and reports.
    std::string title() const;
};

// Where motion modules come from: its tensors under the names of diffusers' MotionAdapter.
struct MotionFile {
    WeightSource source;
    MotionConfig config;
};

// Opens an AnimateDiff file (original or diffusers names, with anything in front of them, alone or among the tensors of a whole
// U-Net) or a folder with a diffusers MotionAdapter. Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA, IO); relatives that need more
// than motion modules (SparseCtrl, PIA, AnimateLCM-I2V, HotShot) are refused by name.
MotionFile open_motion_file(const std::string &path);

// A tensor's name in a MotionAdapter; empty for tensors that are not of a motion module, or not needed.
std::string motion_name(const std::string &stored);

} // namespace aianime::nn
