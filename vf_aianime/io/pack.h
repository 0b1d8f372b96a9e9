// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

namespace aianime::io {

// What a pack's controlnet expects as its picture. `source` is the source frame itself, RGB in [0,1], full working size.
struct PackControl {
    std::string type;   // "source"
    std::string folder; // below the pack, "controlnet"
};

// A file of the pack and its SHA-256, 64 hexadecimal digits.
struct PackFile {
    std::string path;
    std::string sha256;
};

// A base model: a pack, which is a folder with pack.json and a diffusers layout (unet/, vae/, text_encoder/, tokenizer/,
// scheduler/, controlnet/), a plain diffusers folder, or a checkpoint in one file.
struct Pack {
    std::string folder; // one of the two is set
    std::string file;
    std::string name;
    std::string license;
    std::string description;
    std::vector<PackControl> controls;
    std::vector<PackFile> files;
    // Defaults the pack recommends; a template overrides each. Values are as in a template's `sampling` group.
    int steps = 20;
    double guidance = 7.5;
    double strength = 1.0;
    double noise_offset = 0.0;
    int size = 512;
    std::string scheduler; // "" = the one of scheduler/scheduler_config.json
    std::string auto_caption = "attributes";

    bool is_file() const { return !file.empty(); }
    const std::string &path() const { return is_file() ? file : folder; }
};

// A folder without pack.json but with model_index.json or unet/config.json is a plain diffusers folder and gets the defaults above;
// so does a file, which is not looked into.
// Throws Error (NOT_FOUND, FORBIDDEN, BAD_DATA).
Pack load_pack(const std::string &path);

// Compares every listed file's SHA-256. Throws Error (BAD_DATA) naming the first file that differs, NOT_FOUND for a missing one.
void verify_pack(const Pack &pack);
// The same, and throws BAD_DATA where nothing is listed to compare with.
void require_hashes(const Pack &pack);

} // namespace aianime::io
