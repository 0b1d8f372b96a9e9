// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

#include "nn/weights.h"

namespace aianime::nn {

// A tiny autoencoder under diffusers' names, whichever it has: those, or TAESD's own ("1.conv.0.weight"; the decoder's layers are
// numbered one higher, its first only clamps) behind "encoder." and "decoder." or "taesd_encoder." and "taesd_decoder.". Empty
// where the file is none.
std::map<std::string, WeightView> taesd_views(const WeightSource &source);

// TAESD comes as two files whose names nothing stands in front of: with one of them, finds the other beside it (its name has
// "decoder" for "encoder", or the other way round) and joins the two. Any other source comes back as it is. Throws Error
// (NOT_FOUND) where the other file is missing.
WeightSource with_taesd_partner(WeightSource source, const std::string &path);

} // namespace aianime::nn
