// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/blip2/generate.h"

#include "nn/aten.h"

namespace aianime::nn {

namespace {

class AfterPicture : public Continuation {
public:
    AfterPicture(const Opt &model, at::Tensor prompt) : model_(model), prompt_(std::move(prompt)) {}

    at::Tensor first() override { return model_.forward(prompt_, cache_, true).select(1, 0); }

    at::Tensor next(const std::vector<int64_t> &rows, const std::vector<int64_t> &tokens) override {
        if (!stay(rows))
            cache_.select(at::tensor(rows, at::kLong).to(prompt_.device()));
        rows_ = rows.size();
        return model_.forward(model_.embeddings(at::tensor(tokens, at::kLong).unsqueeze(1)), cache_, true).select(1, 0);
    }

private:
    bool stay(const std::vector<int64_t> &rows) const {
        bool same = rows.size() == rows_;
        for (size_t i = 0; same && i < rows.size(); ++i)
            same = rows[i] == static_cast<int64_t>(i);
        return same;
    }

    const Opt &model_;
    at::Tensor prompt_;
    OptCache cache_;
    size_t rows_ = 1;
};

} // namespace

std::vector<int64_t> generate(const Blip2Model &model, const at::Tensor &pixels, const std::vector<int64_t> &words,
                              const SearchSettings &settings) {
    AfterPicture continuation(model.language_model(), model.prompt_embeddings(pixels, words));
    return search(continuation, model.prompt_tokens(words), settings);
}

} // namespace aianime::nn
