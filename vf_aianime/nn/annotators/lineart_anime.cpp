// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/lineart_anime.h"

#include "io/error.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr int64_t most_levels = 10; // the published network has 8; sides are multiples of 2^levels

// Places of the parts in a level's sequence: activations and norms, which have no weights, take numbers too.
struct Places {
    std::string down, inner, up;
};

Places places(bool is_outermost, bool is_innermost) {
    if (is_outermost)
        return {"model.0", "model.1", "model.3"};
    return {"model.1", "model.3", is_innermost ? "model.3" : "model.5"};
}

} // namespace

class LineartAnimeGenerator::Level : public Module {
public:
    // prefix: of this level's names in the file, with its dot. in: channels of the picture.
    Level(const WeightSource &source, const std::string &prefix, int64_t in, int64_t depth)
        : is_outermost_(depth == 0), is_innermost_(depth > 0 && !source.has(prefix + "model.3.model.1.weight")),
          places_(places(is_outermost_, is_innermost_)), width_(side(source, prefix + places_.down + ".weight", 0)),
          down_(in, width_, 4, 2, true, 1), inner_(make_inner(source, prefix, depth)),
          out_(is_outermost_ ? 1 : side(source, prefix + places_.up + ".weight", 1)),
          up_(inner_ ? width_ + inner_->out_ : width_, out_, 4, 2, 1) {
        child(places_.down, down_);
        if (inner_)
            child(places_.inner, *inner_);
        child(places_.up, up_);
    }

    int64_t levels() const { return inner_ ? 1 + inner_->levels() : 1; }

    at::Tensor forward(const at::Tensor &x) const {
        at::Tensor h = down_.forward(is_outermost_ ? x : at::leaky_relu(x, 0.2));
        if (inner_)
            h = inner_->forward(is_outermost_ ? h : instance_norm(h));
        h = up_.forward(at::relu(h));
        return is_outermost_ ? at::tanh(h) : at::cat({x, instance_norm(h)}, 1);
    }

    const at::Tensor &weight() const { return down_.weight; }

private:
    std::unique_ptr<Level> make_inner(const WeightSource &source, const std::string &prefix, int64_t depth) const {
        if (depth >= most_levels)
            throw Error(AIANIME_BAD_DATA,
                        source.description() + ": a generator of more than " + std::to_string(most_levels) + " levels; netG has 8");
        return is_innermost_ ? nullptr : std::make_unique<Level>(source, prefix + places_.inner + ".", width_, depth + 1);
    }

    bool is_outermost_, is_innermost_;
    Places places_;
    int64_t width_;
    Conv2d down_;
    std::unique_ptr<Level> inner_;
    int64_t out_; // channels that come back, without those that went in
    ConvTranspose2d up_;
};

LineartAnimeGenerator::LineartAnimeGenerator(const WeightSource &source)
    : outermost_(std::make_unique<Level>(source, "model.", 3, 0)), stride_(int64_t{1} << outermost_->levels()) {
    child("model", *outermost_);
}

LineartAnimeGenerator::~LineartAnimeGenerator() = default;

at::Tensor LineartAnimeGenerator::forward(const at::Tensor &x) const { return outermost_->forward(x); }

at::Tensor LineartAnimeGenerator::annotate(const at::Tensor &rgb) const {
    const at::Tensor lines = forward(like_weight(rgb, outermost_->weight()) * 2 - 1);
    return (1 - lines) / 2;
}

} // namespace aianime::nn
