// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/face/age_gender.h"

namespace aianime::nn {

// One more question about a face, a linear layer on the features that age and gender share, or on a trunk of its own that began as
// theirs. In a file: head.weight, head.bias, with a trunk of its own also trunk.*, and metadata: format "aianime.face_attribute",
// name, classes (with "/" between them), trunk (the SHA-256 that trunk_hash() gives, "own" where it is in the file).
class AttributeHead : public Module {
public:
    AttributeHead(std::string name, std::vector<std::string> classes, bool own_trunk);

    // Reads a file. Throws Error: as WeightSource::from_file; BAD_DATA for a file that is no head or was trained on a trunk other
    // than `shared`.
    static std::unique_ptr<AttributeHead> load(const std::string &path, FaceFeatures &shared, at::Device device);
    // Writes it whole or not at all. Throws Error as io::write_safetensors.
    void save(const std::string &path, FaceFeatures &shared);

    // faces: [n, 3, side, side] in [0, 1]; features: what the shared trunk says of them -> logits [n, classes]
    at::Tensor forward(const at::Tensor &faces, const at::Tensor &features) const;

    const std::string &name() const { return name_; }
    const std::vector<std::string> &classes() const { return classes_; }

    Linear head;
    std::unique_ptr<FaceFeatures> trunk;

private:
    std::string name_;
    std::vector<std::string> classes_;
};

// SHA-256 of the trunk's numbers in single precision, in the order of visit(), heads left out.
std::string trunk_hash(FaceFeatures &trunk);

} // namespace aianime::nn
