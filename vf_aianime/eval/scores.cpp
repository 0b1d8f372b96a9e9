// SPDX-License-Identifier: LGPL-2.1-or-later
#include "eval/scores.h"

namespace aianime::eval {

const ScoreInfo &score_info(Score score) {
    static constexpr ScoreInfo table[score_count] = {
        {"warp_error", "warp error", 3},
        {"warp_ssim", "warp SSIM", 4},
        {"flicker", "flicker", 3},
        {"texture_follows", "texture follows the flow", 3},
        {"texture_flow", "  explained by the flow", 3},
        {"texture_screen", "  by the same place", 3},
        {"color_shift", "colour shift, dE", 3},
        {"style_distance", "stylization distance", 3},
        {"style_color", "  of colours", 3},
        {"style_edges", "  of edges", 3},
        {"identity_similarity", "identity similarity", 4},
        {"clip_consistency", "CLIP frame consistency", 4},
    };
    return table[score];
}

} // namespace aianime::eval
