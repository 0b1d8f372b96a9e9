// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/captioner.h"

#include "caption/attributes.h"
#include "caption/blip2.h"
#include "caption/clip_phrases.h"
#include "caption/sidecar.h"
#include "caption/wd_tagger.h"
#include "nn/aten.h"
#include "pipeline/precision.h"
#include "pipeline/shot_words.h"
#include "vision/picture_facts.h"
#include "vision/working_size.h"

namespace aianime::pipeline {

namespace {

bool wants_tags(const Settings &settings) { return settings.style.caption.language == PromptLanguage::tags; }

class AttributesCaptioner final : public Captioner {
public:
    explicit AttributesCaptioner(const Settings &settings)
        : language_(wants_tags(settings) ? caption::Language::tags : caption::Language::sentence) {}
    std::string describe(const cv::Mat &rgb, const ShotFacts &shot) override {
        constexpr int smallest = 16; // of which statistics say anything
        if (std::min(rgb.cols, rgb.rows) < smallest)
            return "";
        const std::vector<caption::Person> people = persons_at(shot, shot.key_time);
        std::vector<cv::Rect2f> boxes;
        for (const caption::Person &person : people)
            boxes.push_back(person.box);
        return caption::described(people, vision::picture_facts(rgb, boxes), language_, false);
    }

private:
    const caption::Language language_;
};

class FileCaptioner final : public Captioner {
public:
    explicit FileCaptioner(const std::string &path) : texts_(caption::Sidecar::load(path)) {}
    std::string describe(const cv::Mat &, const ShotFacts &shot) override { return texts_.caption(shot.number, shot.begin); }

private:
    const caption::Sidecar texts_;
};

// A network that says everything by itself.
template <typename Network>
class NetworkCaptioner final : public Captioner {
public:
    template <typename... Arguments>
    explicit NetworkCaptioner(Arguments &&...arguments) : network_(std::forward<Arguments>(arguments)...) {}
    std::string describe(const cv::Mat &rgb, const ShotFacts &) override { return network_.caption(rgb); }

private:
    const Network network_;
};

caption::ClipPhrasesSettings phrases_of(const Settings &settings) {
    caption::ClipPhrasesSettings phrases;
    phrases.phrases = settings.phrases;
    phrases.tags = wants_tags(settings);
    return phrases;
}

} // namespace

std::unique_ptr<Captioner> make_captioner(const Settings &settings) {
    const std::string &model = settings.caption_model;
    switch (settings.caption) {
    case CaptionSource::none:
        return nullptr;
    case CaptionSource::attributes:
        return std::make_unique<AttributesCaptioner>(settings);
    case CaptionSource::file:
        return std::make_unique<FileCaptioner>(settings.captions);
    case CaptionSource::wd:
        return std::make_unique<NetworkCaptioner<caption::WdTagger>>(model, at::kFloat, at::kCPU);
    case CaptionSource::clip:
        return std::make_unique<NetworkCaptioner<caption::ClipPhrases>>(model, at::kFloat, at::kCPU, phrases_of(settings));
    case CaptionSource::blip2:
        return std::make_unique<NetworkCaptioner<caption::Blip2Captioner>>(model, cpu_precision(), at::kCPU);
    }
    return nullptr;
}

} // namespace aianime::pipeline
