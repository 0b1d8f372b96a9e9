// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace aianime::nn {

struct CrossFrames;

// Which tokens a frame's queries see in self-attention.
enum class AttentionMode {
    self,        // its own
    sparse,      // those of the window's first frame and of the previous frame (Tune-A-Video, arXiv 2212.11565)
    anchors,     // its own and those of the anchor frames
    window,      // those of all frames of the window (ControlVideo, arXiv 2305.13077)
    interleaved, // its own and those of every other frame of the window, the even ones and the odd ones from layer to layer in turn
    local,       // its own and, of all other frames of the window, those at the same place (Make-A-Video, arXiv 2209.14792)
    flow // as anchors, in fine layers by their means; and what lies along the optical flow in other frames: by a CfaModule behind
         // every layer, or without one in self-attention itself (flow_attention)
};

// Keys and values of the anchor frames in every self-attention layer of one network, for one denoising step. A pass over the
// anchors appends, passes over windows read. Layers are told apart by their order in the forward pass.
struct AnchorStore {
    std::vector<at::Tensor> keys;   // per layer: [branches, anchors * tokens, channels]
    std::vector<at::Tensor> values; // likewise
    // Of mode `flow`, in layers with more than most_anchor_tokens: means of square cells, and how many tokens each stands for,
    // float32 [anchors * means]. Undefined in other layers.
    std::vector<at::Tensor> mean_keys = {}, mean_values = {}, counts = {};
};

// What a thing looks like in an anchor comes along the flow; of all else a fine grid tells a query little that its means do not, at
// a fraction of the cost. An anchor gives at most so many; cells are as small as that allows, their sides powers of two.
constexpr int64_t most_anchor_tokens = 256;

// What the self-attention layers of one forward pass need to know of the batch. The batch is `branches * frames` pictures, all
// frames of the first guidance branch first. Null stands for mode `self`. One object per forward pass.
//
// In a pass with record = true the frames are anchors: each attends to its own tokens and to the anchors already in the store, and
// adds its own keys and values to the store.
struct FrameAttention {
    AttentionMode mode = AttentionMode::self;
    int64_t branches = 1;
    int64_t frames = 1;
    AnchorStore *anchors = nullptr; // mode anchors, and record
    bool record = false;
    size_t next_layer = 0;         // advanced by each self-attention layer
    CrossFrames *cross = nullptr;  // mode flow: where the flow leads
    int64_t height = 0, width = 0; // of the layer's grid; set before its tokens attend

    // Attention of projected q, k, v, each [branches * frames, tokens, channels], with `heads` heads; result as q.
    at::Tensor attend(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads);
};

// softmax(q k^T / sqrt(d)) v per head. q [batch, n, channels], k and v [batch, m, channels] -> [batch, n, channels].
at::Tensor attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, int64_t heads, const at::Tensor &bias = {});

} // namespace aianime::nn
