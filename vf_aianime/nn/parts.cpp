// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/parts.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "nn/aten.h"

namespace aianime::nn {

namespace {

// 0: the batch stays whole.
int64_t pictures_a_part(const at::Tensor &x, const PartSizes &sizes) {
    const int64_t batch = x.size(0), bytes = static_cast<int64_t>(x.nbytes()) * sizes.growth;
    if (batch < 2 || bytes <= 2 * sizes.bytes || !x.is_cpu() || at::GradMode::is_enabled())
        return 0;
    const int64_t group = batch / sizes.groups, most = std::clamp<int64_t>(sizes.bytes / (bytes / batch), 1, group);
    const int64_t parts = (group + most - 1) / most;
    return (group + parts - 1) / parts;
}

void for_parts(const at::Tensor &x, int64_t pictures, int64_t groups, const std::function<void(const Part &part)> &work) {
    const int64_t batch = x.size(0), group = batch / groups;
    for (int64_t begin = 0; begin < batch; begin += group)
        for (int64_t first = begin; first < begin + group; first += pictures)
            work({x.slice(0, first, std::min(first + pictures, begin + group)), first, batch});
}

at::Tensor empty_for_all(const at::Tensor &part, int64_t batch) {
    std::vector<int64_t> shape = part.sizes().vec();
    shape.front() = batch;
    return at::empty(shape, part.options(), part.suggest_memory_format());
}

} // namespace

at::Tensor Part::of(const at::Tensor &shared) const {
    if (!shared.defined() || x.size(0) == batch)
        return shared;
    const int64_t each = batch / shared.size(0);
    return shared.slice(0, first / each, (first + x.size(0) - 1) / each + 1);
}

at::Tensor in_parts(const at::Tensor &x, const std::function<at::Tensor(const Part &part)> &work, const PartSizes &sizes) {
    const auto listed = [&work](const Part &part) { return std::vector<at::Tensor>{work(part)}; };
    return all_in_parts(x, listed, sizes).front();
}

std::vector<at::Tensor> all_in_parts(const at::Tensor &x, const std::function<std::vector<at::Tensor>(const Part &part)> &work,
                                     const PartSizes &sizes) {
    const int64_t pictures = pictures_a_part(x, sizes);
    if (!pictures)
        return work({x, 0, x.size(0)});
    std::vector<at::Tensor> results;
    for_parts(x, pictures, sizes.groups, [&](const Part &part) {
        const std::vector<at::Tensor> made = work(part);
        for (size_t i = 0; i < made.size(); i++) {
            if (i == results.size())
                results.push_back(empty_for_all(made[i], part.batch));
            part.of(results[i]).copy_(made[i]);
        }
    });
    return results;
}

at::Tensor over_parts(const at::Tensor &x, const std::function<at::Tensor(const Part &part)> &work, const PartSizes &sizes) {
    const int64_t pictures = pictures_a_part(x, sizes);
    if (!pictures)
        return work({x, 0, x.size(0)});
    for_parts(x, pictures, sizes.groups, [&work](const Part &part) { part.x.copy_(work(part)); });
    return x;
}

} // namespace aianime::nn
