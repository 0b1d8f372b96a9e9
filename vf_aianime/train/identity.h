// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "nn/face/box.h"
#include "nn/face/recognition.h"
#include "nn/identity_tokens.h"
#include "vision/face_shape.h"

namespace aianime::train {

// Tells how much the faces in generated pictures are still the source's persons. Nothing of it is trained.
class IdentityJudge {
public:
    // faces: folder of the face networks. Throws Error as nn::load_face_network.
    IdentityJudge(const std::string &faces, at::Device device);

    // Descriptors [n, 128] of the faces in pictures [n, 3, h, w] of any type in [0, 1], one a picture, cut out where the source's
    // points, in the pictures' pixels, say that they are: a generated picture is aligned with its source, and a network of points
    // need not find its way in it. Differentiable in the pictures. Near those of pipeline::FaceFinder, which also looks at the
    // mirror image, but not the same.
    at::Tensor descriptors(const at::Tensor &pictures, const std::vector<vision::FacePoints> &points) const;

    // source: descriptors() of the source. Mean over the faces of the squared distance to it as a part of 0.6 squared, the distance
    // at which two pictures are no longer taken for one person: 0 for the same face, 1 at the border. Differentiable in `pictures`.
    at::Tensor loss(const at::Tensor &pictures, const std::vector<vision::FacePoints> &points, const at::Tensor &source) const;

private:
    nn::FaceRecognition recognition_;
};

struct Likeness {
    double distance; // mean of the Euclidean distances; below 0.6 one takes them for one person
    double cosine;   // mean of the cosines
};
// [n, 128] each.
Likeness likeness(const at::Tensor &a, const at::Tensor &b);

// identity/ of a pack: config.json and diffusion_pytorch_model.safetensors in bfloat16, each written whole or not at all. Throws
// Error (NOT_FOUND, FORBIDDEN, IO).
void write_identity(nn::IdentityTokens &tokens, const std::string &folder);

} // namespace aianime::train
