// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/image_projection.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/frame_attention.h"
#include "nn/layers.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr int64_t head_width = 64;

// Sides of a tensor below "image_proj.", with the number of dimensions checked.
std::vector<int64_t> shape(const WeightSource &source, const std::string &name, size_t dimensions) {
    const std::string full = "image_proj." + name;
    if (!source.has(full) || source.shape(full).size() != dimensions)
        throw Error(AIANIME_BAD_DATA, source.description() + ": not a whole IP-Adapter: " + full + " is missing or has not " +
                                          std::to_string(dimensions) + " dimensions");
    return source.shape(full);
}

// diffusers ImageProjection.
class BaseProjection : public ImageProjection {
public:
    explicit BaseProjection(const WeightSource &source)
        : features_(shape(source, "proj.weight", 2)[1]), width_(shape(source, "norm.weight", 1)[0]),
          proj(features_, shape(source, "proj.weight", 2)[0]), norm(width_) {
        if (width_ < 1 || shape(source, "proj.weight", 2)[0] % width_)
            throw Error(AIANIME_BAD_DATA, source.description() + ": image_proj.proj.weight does not make whole tokens of width " +
                                              std::to_string(width_));
        child("proj", proj);
        child("norm", norm);
    }

    Kind kind() const override { return Kind::base; }
    int64_t features() const override { return features_; }
    int64_t width() const override { return width_; }
    at::Tensor forward(const at::Tensor &features) const override {
        return norm.forward(proj.forward(features).unflatten(1, {-1, width_}));
    }

private:
    int64_t features_, width_;
    Linear proj;
    LayerNorm norm;
};

// diffusers IPAdapterFullImageProjection.
class FullProjection : public ImageProjection {
public:
    explicit FullProjection(const WeightSource &source)
        : features_(shape(source, "proj.0.weight", 2)[1]), width_(shape(source, "proj.2.weight", 2)[0]),
          in(features_, shape(source, "proj.0.weight", 2)[0]), out(shape(source, "proj.0.weight", 2)[0], width_), norm(width_) {
        child("proj.0", in);
        child("proj.2", out);
        child("proj.3", norm);
    }

    Kind kind() const override { return Kind::full; }
    int64_t features() const override { return features_; }
    int64_t width() const override { return width_; }
    at::Tensor forward(const at::Tensor &features) const override {
        return norm.forward(out.forward(at::gelu(in.forward(features))));
    }

private:
    int64_t features_, width_;
    Linear in, out;
    LayerNorm norm;
};

struct ResamplerSizes {
    int64_t features, width, channels, queries, layers, inner, hidden;

    explicit ResamplerSizes(const WeightSource &source)
        : features(shape(source, "proj_in.weight", 2)[1]), width(shape(source, "proj_out.weight", 2)[0]),
          channels(shape(source, "latents", 3)[2]), queries(shape(source, "latents", 3)[1]), layers(0),
          inner(shape(source, "layers.0.0.to_q.weight", 2)[0]), hidden(shape(source, "layers.0.1.1.weight", 2)[0]) {
        while (source.has("image_proj.layers." + std::to_string(layers) + ".0.to_q.weight"))
            ++layers;
        if (inner < head_width || inner % head_width)
            throw Error(AIANIME_BAD_DATA, source.description() + ": image_proj.layers.0.0.to_q.weight: " + std::to_string(inner) +
                                              " rows are not heads of " + std::to_string(head_width) + " channels");
    }
};

// diffusers IPAdapterPlusImageProjectionBlock.
class ResamplerLayer : public Module {
public:
    explicit ResamplerLayer(const ResamplerSizes &sizes)
        : heads_(sizes.inner / head_width), norm1(sizes.channels), norm2(sizes.channels), to_q(sizes.channels, sizes.inner, false),
          to_kv(sizes.channels, 2 * sizes.inner, false), to_out(sizes.inner, sizes.channels, false), ff_norm(sizes.channels),
          ff_in(sizes.channels, sizes.hidden, false), ff_out(sizes.hidden, sizes.channels, false) {
        child("0.norm1", norm1);
        child("0.norm2", norm2);
        child("0.to_q", to_q);
        child("0.to_kv", to_kv);
        child("0.to_out", to_out);
        child("1.0", ff_norm);
        child("1.1", ff_in);
        child("1.3", ff_out);
    }

    // The queries attend to the picture and to themselves.
    at::Tensor forward(const at::Tensor &picture, const at::Tensor &queries) const {
        const at::Tensor normal = norm2.forward(queries);
        const std::vector<at::Tensor> kv = to_kv.forward(at::cat({norm1.forward(picture), normal}, 1)).chunk(2, 2);
        const at::Tensor x = to_out.forward(attention(to_q.forward(normal), kv[0], kv[1], heads_)) + queries;
        return ff_out.forward(at::gelu(ff_in.forward(ff_norm.forward(x)))) + x;
    }

private:
    int64_t heads_;
    LayerNorm norm1, norm2;
    Linear to_q, to_kv, to_out;
    LayerNorm ff_norm;
    Linear ff_in, ff_out;
};

// diffusers IPAdapterPlusImageProjection.
class Resampler : public ImageProjection {
public:
    explicit Resampler(const WeightSource &source)
        : sizes_(source), proj_in(sizes_.features, sizes_.channels), proj_out(sizes_.channels, sizes_.width),
          norm_out(sizes_.width) {
        parameter("latents", latents, {1, sizes_.queries, sizes_.channels});
        child("proj_in", proj_in);
        for (int64_t i = 0; i < sizes_.layers; ++i) {
            layers.push_back(std::make_unique<ResamplerLayer>(sizes_));
            child("layers." + std::to_string(i), *layers.back());
        }
        child("proj_out", proj_out);
        child("norm_out", norm_out);
    }

    Kind kind() const override { return Kind::plus; }
    int64_t features() const override { return sizes_.features; }
    int64_t width() const override { return sizes_.width; }
    at::Tensor forward(const at::Tensor &features) const override {
        const at::Tensor picture = proj_in.forward(features);
        at::Tensor queries = latents.expand({features.size(0), -1, -1});
        for (const auto &layer : layers)
            queries = layer->forward(picture, queries);
        return norm_out.forward(proj_out.forward(queries));
    }

private:
    ResamplerSizes sizes_;
    at::Tensor latents;
    Linear proj_in, proj_out;
    LayerNorm norm_out;
    std::vector<std::unique_ptr<ResamplerLayer>> layers;
};

bool is_face_id(const WeightSource &source) {
    if (source.has("image_proj.perceiver_resampler.proj_in.weight"))
        return true;
    for (const std::string &name : source.names())
        if (name.find(".to_q_lora.") != std::string::npos || name.find(".to_k_lora.") != std::string::npos)
            return true;
    return source.has("image_proj.proj.2.weight") && source.has("image_proj.norm.weight");
}

} // namespace

std::unique_ptr<ImageProjection> ImageProjection::make(const WeightSource &source) {
    if (is_face_id(source))
        throw Error(AIANIME_BAD_DATA, source.description() +
                                          ": an IP-Adapter FaceID; it needs InsightFace's face recognition, whose models may not "
                                          "be used commercially, and is not supported; use ip-adapter-plus-face_sd15 instead");
    if (source.has("image_proj.proj.weight"))
        return std::make_unique<BaseProjection>(source);
    if (source.has("image_proj.latents"))
        return std::make_unique<Resampler>(source);
    if (source.has("image_proj.proj.3.weight"))
        return std::make_unique<FullProjection>(source);
    throw Error(AIANIME_BAD_DATA,
                source.description() +
                    ": not an IP-Adapter: none of image_proj.proj.weight (base, light), image_proj.latents (plus, plus-face) and "
                    "image_proj.proj.3.weight (full-face)");
}

} // namespace aianime::nn
