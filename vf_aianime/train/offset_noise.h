// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace aianime::train {

// Standard normal noise of some sizes [n, channels, h, w] and on top of it `offset` times a standard normal number for each picture
// and channel, as diffusion::offset_noise draws it in the filter.
//
// hues, float32 [n, 2] in degrees, or undefined: those of backdrop and clothes where nothing but noise decides them, below 0
// elsewhere. There the offset decides: in the plane of the first two channels it points where the backdrop's hue lies, in that of
// the next two where the clothes' does. Hues that are 60 degrees apart stand for all directions between, so that over all pictures
// the offset remains what the filter draws. With an offset of 0 nothing is decided.
at::Tensor offset_noise(at::IntArrayRef sizes, double offset, const at::Tensor &hues, const at::Generator &generator);

} // namespace aianime::train
