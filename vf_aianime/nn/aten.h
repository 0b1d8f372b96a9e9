// SPDX-License-Identifier: LGPL-2.1-or-later
// The one place that includes all of ATen; the Makefile precompiles it, because it takes 9 s to parse. Source files of nn/,
// diffusion/ and pipeline/ include it; headers name tensors through <ATen/core/Tensor.h>.
#pragma once

#include <ATen/ATen.h>
