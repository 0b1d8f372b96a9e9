// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "nn/module.h"

namespace aianime::nn {

class WeightSource;

// A network that makes of a frame what a ControlNet is shown. Its widths are those of the weights, so that no configuration is
// needed. Runs in float32. Thread safety: const functions may run concurrently.
class Annotator : public Module {
public:
    // What both sides of a picture must be multiples of.
    virtual int64_t stride() const = 0;
    // Tensors that belong to the file but not to what runs here.
    virtual bool ignores(const std::string &) const { return false; }
    // rgb: float32 [1, 3, h, w] in [0, 1] -> [1, 1, h, w] in [0, 1].
    virtual at::Tensor annotate(const at::Tensor &rgb) const = 0;
};

// The annotator of a type: lineart, lineart_anime, softedge or depth. What a file holds is told by its keys; one that is not of the
// type is refused with what it is and what is wanted. Throws Error (BAD_DATA; INTERNAL for other types).
std::unique_ptr<Annotator> load_annotator(const std::string &type, const WeightSource &source, at::Device device);

// The type a file serves, "" when it is none of ours. "openpose" too, which is no Annotator: see nn/annotators/body_pose.h.
std::string annotator_type(const WeightSource &source);
// Compares all names and shapes without reading a weight: the number of parameters. Throws Error (BAD_DATA).
int64_t check_annotator(const WeightSource &source);
// The name that a type's file has among people: "sk_model or sk_model2".
std::string annotator_file(const std::string &type);
// Throws Error (BAD_DATA) as above unless annotator_type(source) is `type`.
void expect_annotator(const std::string &type, const WeightSource &source);

} // namespace aianime::nn
