// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nn/weights.h"

namespace aianime::nn {

// DPT-Hybrid under one set of names: MiDaS's own (dpt_hybrid-midas-501f0c75), with the attention's three projections apart. Also
// takes the names of transformers' DPTForDepthEstimation (Intel/dpt-hybrid-midas). Other files keep their names.
WeightSource dpt_names(const WeightSource &source);

} // namespace aianime::nn
