// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/blip2.h"

#include "caption/one_line.h"
#include "caption/rgb_tensor.h"
#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/blip2/generate.h"
#include "nn/byte_level_tokenizer.h"

namespace aianime::caption {

struct Blip2Captioner::Impl {
    Impl(const std::string &folder, const io::Json &config, const nn::WeightSource &source, Blip2Settings given)
        : model(config, source), tokenizer(folder), settings(std::move(given)) {
        const nn::OptConfig &text = model.config().text;
        if (settings.search.eos.empty())
            settings.search.eos = text.eos;
        settings.search.check();
        if (tokenizer.size() > text.vocabulary)
            throw Error(AIANIME_BAD_DATA, io::printable(folder) + ": its tokenizer has " + std::to_string(tokenizer.size()) +
                                              " tokens, its language model " + std::to_string(text.vocabulary));
        words = settings.prompt.empty() ? std::vector<int64_t>{text.bos} : tokenizer.encode(settings.prompt);
        const auto tokens = model.config().queries + static_cast<int64_t>(words.size()) + settings.search.max_new_tokens;
        if (tokens > text.positions)
            throw Error(AIANIME_OUT_OF_RANGE, "caption: picture, prompt and caption need " + std::to_string(tokens) +
                                                  " places, the language model has " + std::to_string(text.positions));
    }

    nn::Blip2Model model;
    nn::ByteLevelTokenizer tokenizer;
    Blip2Settings settings;
    std::vector<int64_t> words;
    at::Device device = at::kCPU;
};

Blip2Captioner::Blip2Captioner(const std::string &folder, at::ScalarType dtype, at::Device device, Blip2Settings settings) {
    const io::Json config = io::Json::load(folder + "/config.json");
    nn::Blip2Config{config}; // refused before anything large is looked at
    const nn::WeightSource source = nn::WeightSource::from_folder(folder);
    impl_ = std::make_unique<Impl>(folder, config, source, std::move(settings));
    impl_->model.load(source, dtype, device);
    impl_->device = device;
}

Blip2Captioner::~Blip2Captioner() = default;

std::string Blip2Captioner::caption(const cv::Mat &rgb) const {
    const c10::InferenceMode guard;
    const nn::Blip2Model &model = impl_->model;
    const at::Tensor pixels = nn::prepared_for_blip2(rgb_tensor(rgb).to(impl_->device), model.config().vision.image_size);
    const std::vector<int64_t> tokens = nn::generate(model, pixels, impl_->words, impl_->settings.search);
    return one_line(impl_->tokenizer.decode(tokens, true));
}

} // namespace aianime::caption
