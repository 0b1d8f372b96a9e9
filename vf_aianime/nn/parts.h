// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace aianime::nn {

// What needs nothing of other pictures takes a large batch a few pictures at a time: what stands between two layers is then small
// enough for the cache and for memory that is used again, and only results exist for the whole batch. These differ from the whole's
// by the rounding of another batch size. Where gradients are kept, and on a GPU, which wants large batches, nothing is split.

struct PartSizes {
    int64_t groups = 1;               // the batch is this many groups of one size; no part crosses a border
    int64_t growth = 1;               // how many times larger than x what the work makes of it gets
    int64_t bytes = int64_t{8} << 20; // of a part, grown; batches of more than two such parts are split
};

// Pictures first, first + 1, ... of a batch.
struct Part {
    at::Tensor x;
    int64_t first, batch;

    // The rows of `shared` for this part, where each row serves as many consecutive pictures of the batch: all rows for the whole
    // batch, else the part lies in one row or covers whole ones. Undefined for an undefined tensor.
    at::Tensor of(const at::Tensor &shared) const;
};

// work({x, 0, x.size(0)}), made in parts where that is worth it. Pictures stay in the memory format that the work gives them.
at::Tensor in_parts(const at::Tensor &x, const std::function<at::Tensor(const Part &part)> &work, const PartSizes &sizes = {});
// The same for several results.
std::vector<at::Tensor> all_in_parts(const at::Tensor &x, const std::function<std::vector<at::Tensor>(const Part &part)> &work,
                                     const PartSizes &sizes = {});
// For a result of x's shape. It may lie in the memory of x, which is given up.
at::Tensor over_parts(const at::Tensor &x, const std::function<at::Tensor(const Part &part)> &work, const PartSizes &sizes = {});

} // namespace aianime::nn
