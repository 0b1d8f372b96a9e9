// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "nn/raft_encoder.h"
#include "nn/raft_update.h"

namespace aianime::nn {

class WeightSource;

// RAFT (Teed and Deng, ECCV 2020) as torchvision has it, raft_large or raft_small: optical flow between two pictures. Runs in
// float32. Thread safety: const functions may run concurrently.
class Raft : public Module {
public:
    enum class Size { large, small };
    static constexpr int64_t stride = 8;
    static constexpr int64_t least_side = 16 * stride; // the coarsest correlation still has two cells
    static constexpr int default_updates = 12;

    explicit Raft(Size size);

    // What is seen of a picture, whatever it is compared with.
    struct View {
        at::Tensor features, context; // [1, c, h / stride, w / stride]
    };
    // picture: [1, 3, h, w] in [0, 1]; sides are multiples of stride and at least least_side.
    View look(const at::Tensor &picture) const;
    // Views of pictures of one size -> [1, 2, h, w]: what is at p in `from` is at p + flow(p) in `to`; x before y, in pixels.
    at::Tensor flow(const View &from, const View &to, int updates = default_updates) const;

private:
    struct Shape;
    explicit Raft(const Shape &shape);

    int64_t radius_, hidden_;
    RaftEncoder features_, context_;
    RaftUpdate update_;
    std::unique_ptr<RaftMask> mask_; // small: none
};

// The file in torchvision's names, or in those of the code that trained it (fnet, cnet, update_block.gru; also with "module." in
// front). Throws Error (BAD_DATA) where it has neither.
WeightSource raft_names(const WeightSource &source);
// Which of both it is, from a source in torchvision's names.
Raft::Size raft_size(const WeightSource &named);
// What the file has beyond what runs.
bool raft_ignores(const std::string &name);

// Throws Error (BAD_DATA), also for values that are not finite.
std::unique_ptr<Raft> load_raft(const WeightSource &source, at::Device device);

} // namespace aianime::nn
