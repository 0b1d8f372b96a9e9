// SPDX-License-Identifier: LGPL-2.1-or-later
// What the tests of BLIP-2 share: entries of a captions.json that tests/golden/make_blip2.py wrote.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/json.h"
#include "nn/blip2/search.h"

struct WantedCaption {
    int64_t picture; // of pictures.safetensors
    std::string prompt;
    aianime::nn::SearchSettings settings; // its eos is not set
    std::vector<int64_t> tokens;          // new ones
    std::string text;                     // shown, in one line
};

// tests/golden/blip2/<name>/captions.json
std::vector<WantedCaption> wanted_captions(const std::string &name);

// Fails the test unless both are the same.
void expect_text(const std::string &found, const std::string &wanted);

std::vector<int64_t> number_list(const aianime::io::Json &list);
