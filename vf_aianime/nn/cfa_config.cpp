// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "io/error.h"
#include "nn/cfa_module.h"
#include "nn/config_reader.h"

namespace aianime::nn {

namespace {

std::string list(const std::vector<int64_t> &values) {
    std::string text;
    for (int64_t value : values)
        text += (text.empty() ? "" : ", ") + std::to_string(value);
    return "[" + text + "]";
}

constexpr int64_t farthest = 16; // neighbour, in frames

} // namespace

CfaConfig CfaConfig::for_unet(const UNetConfig &unet) {
    CfaConfig config;
    config.channels = unet.block_out_channels;
    config.layers = unet.layers_per_block;
    // Two thirds of the U-Net's, in heads of whole vectors: what is looked at costs as much as what it is looked at with.
    const int64_t whole = 8 * config.heads;
    for (int64_t channels : config.channels)
        config.widths.push_back(std::max<int64_t>(1, (2 * channels / 3 + whole / 2) / whole) * whole);
    config.grid.assign(config.channels.size(), 4);
    config.grid.back() = 8; // where fewest tokens are, for each of them looks at every cell
    return config;
}

CfaConfig CfaConfig::from_json(const io::Json &json) {
    ConfigReader reader(json);
    CfaConfig config;
    config.channels = reader.integers("block_out_channels", 1, 16384);
    const size_t levels = config.channels.size();
    if (!levels)
        reader.refuse("block_out_channels", "one entry a level is needed");
    config.layers = reader.per_level("layers_per_block", 2, levels, 1, 32);
    config.widths = reader.integers("widths", 1, 16384);
    config.grid = reader.per_level("coarse_grid", 8, levels, 0, 64);
    config.heads = reader.integer("heads", config.heads, 1, 64);
    config.neighbours = reader.integers("neighbours", -farthest, farthest);
    reader.check_rest();
    if (config.widths.size() != levels)
        reader.refuse("widths", "needs one entry for each of block_out_channels");
    for (int64_t width : config.widths)
        if (width % config.heads)
            reader.refuse("heads", "does not divide widths");
    for (int64_t offset : config.neighbours)
        if (!offset)
            reader.refuse("neighbours", "0 is the frame itself");
    return config;
}

std::string CfaConfig::to_json() const {
    return "{\n  \"_class_name\": \"CrossFrameAttention\",\n  \"block_out_channels\": " + list(channels) +
           ",\n  \"layers_per_block\": " + list(layers) + ",\n  \"widths\": " + list(widths) +
           ",\n  \"coarse_grid\": " + list(grid) + ",\n  \"heads\": " + std::to_string(heads) +
           ",\n  \"neighbours\": " + list(neighbours) + "\n}\n";
}

} // namespace aianime::nn
