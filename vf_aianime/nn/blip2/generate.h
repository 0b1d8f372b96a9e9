// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "nn/blip2/model.h"
#include "nn/blip2/search.h"

namespace aianime::nn {

// What the language model says after a picture and the words of a prompt (with its start token), as
// Blip2ForConditionalGeneration.generate does: the new tokens alone, with the one that ended the sentence.
// pixels: [1, 3, image_size, image_size] as prepared_for_blip2() makes them. Throws Error (INTERNAL, OUT_OF_RANGE, NOT_FINITE).
// Thread safety: several threads may share a loaded model.
std::vector<int64_t> generate(const Blip2Model &model, const at::Tensor &pixels, const std::vector<int64_t> &words,
                              const SearchSettings &settings);

} // namespace aianime::nn
