// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/generator.h"

#include "diffusion/noise.h"
#include "io/error.h"
#include "nn/aten.h"
#include "pipeline/face_masks.h"
#include "pipeline/free_memory.h"
#include "pipeline/picture_tensor.h"
#include "pipeline/precision.h"
#include "vision/flow_picture.h"
#include "vision/png.h"

namespace aianime::pipeline {

namespace {

at::ScalarType chosen_precision(const Settings &settings) {
    switch (settings.style.precision) {
    case Precision::float32:
        return at::kFloat;
    case Precision::bfloat16:
        return at::kBFloat16;
    case Precision::automatic:
        break;
    }
    return cpu_precision();
}

cv::Mat floats_of(const cv::Mat &bytes) {
    cv::Mat floats;
    bytes.convertTo(floats, CV_32F, 1.0 / 255);
    return floats;
}

void report_loras(const Models &models, const Watch &watch) {
    for (const nn::LoraReport &lora : models.loras()) {
        watch.log(AIANIME_LOG_INFO, lora.file + ": " + lora.dialect + ", " + std::to_string(lora.unet) + " layers of the U-Net, " +
                                        std::to_string(lora.text) + " of the text encoder, " + std::to_string(lora.motion) +
                                        " of the motion module changed, " + std::to_string(lora.unmatched.size()) + " left out");
    }
}

} // namespace

Generator::Generator(const Settings &settings, Watch &watch) : settings_(settings), watch_(watch) {
    if (!settings.noise.empty())
        noise_ = std::make_unique<NoiseFile>(settings.noise);
    family_ = Family::make(settings.style.method, *this);
    load(chosen_precision(settings));
}

void Generator::load(at::ScalarType dtype) {
    watch_.step("load");
    models_ = nullptr; // the old networks go before the new ones come
    models_ = std::make_unique<Models>(settings_, dtype, at::kCPU);
    conditioning_ = {};
    shot_.reset();
    book_ = std::make_unique<PromptBook>(*models_, settings_, watch_);
    report_loras(*models_, watch_);
    for (const std::string &warning : models_->warnings())
        watch_.log(AIANIME_LOG_WARNING, warning);
    if (!settings_.writes_prompts()) {
        read_prompts({});
        book_.reset();
        models_->release_text_encoder(); // half a gigabyte at the size of Stable Diffusion 1.5
    }
    return_free_memory();
}

const char *Generator::precision() const { return models_->dtype() == at::kBFloat16 ? "bfloat16" : "float32"; }

std::vector<cv::Mat> Generator::run(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors,
                                    const std::vector<Person> &people) {
    people_ = people;
    std::vector<cv::Mat> pictures = attempt(frames, anchors);
    if (pictures.empty() && models_->dtype() != at::kFloat) {
        watch_.log(AIANIME_LOG_WARNING,
                   std::string("the networks gave values that are not finite in ") + precision() + "; going on in float32");
        load(at::kFloat);
        pictures = attempt(frames, anchors);
    }
    if (pictures.empty())
        throw Error(AIANIME_NOT_FINITE,
                    "the networks gave values that are not finite in float32 (damaged weights, or a guidance or "
                    "control scale far outside what the model was made for)");
    return pictures;
}

void Generator::prepare(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors) {
    std::vector<const SourcePicture *> sources;
    for (const std::vector<SourcePicture> *list : {&frames, &anchors})
        for (const SourcePicture &source : *list)
            sources.push_back(&source);
    if (book_) {
        read_prompts(sources);
        read_texts(sources);
    }
    look_at_people(anchors.front().identity);
}

// What is said of people where they are.
void Generator::read_texts(const std::vector<const SourcePicture *> &sources) {
    conditioning_.texts.clear();
    text_numbers_.clear();
    for (const SourcePicture *source : sources)
        for (const PersonAt &person : source->people)
            if (!person.text.empty() && text_numbers_.emplace(person.text, conditioning_.texts.size()).second)
                conditioning_.texts.push_back(book_->words(person.text));
}

void Generator::read_prompts(const std::vector<const SourcePicture *> &sources) {
    std::vector<std::vector<WeightedPrompt>> prompts;
    if (sources.empty())
        prompts.push_back({{settings_.style.positive, 1}});
    for (const SourcePicture *source : sources)
        prompts.push_back(source->prompts.empty() ? std::vector<WeightedPrompt>{{settings_.style.positive, 1}} : source->prompts);
    const PromptBook::Page page = book_->encode(prompts);
    conditioning_.text = page.negative.defined() ? at::cat({page.negative, page.frames.front()}) : page.frames.front();
    texts_.clear();
    const bool same = std::all_of(page.frames.begin(), page.frames.end(),
                                  [&](const at::Tensor &text) { return at::equal(text, page.frames.front()); });
    for (size_t i = 0; !same && i < sources.size(); ++i)
        texts_[sources[i]->identity] = page.frames[i];
}

// People are looked at when they are first seen in a shot: what stands for them does not change while it lasts.
void Generator::look_at_people(int64_t shot) {
    if (shot_ != shot) {
        words_.clear();
        faces_.clear();
        shot_ = shot;
    }
    const Models::Identity *identity = models_->identity();
    const bool shows_faces = identity && settings_.identity.image.empty();
    std::vector<at::Tensor> words;
    conditioning_.faces.clear();
    for (const Person &person : people_) {
        watch_.step("analyse");
        if (models_->person() && !words_.count(person.track)) {
            const at::Tensor descriptor = at::tensor(at::ArrayRef<float>(person.descriptor.data(), person.descriptor.size()));
            words_[person.track] = models_->person()->forward(descriptor.unsqueeze(0).to(models_->device()));
        }
        if (shows_faces && !faces_.count(person.track))
            faces_[person.track] = encode_image(*models_, settings_, conditioning_, to_tensor(floats_of(person.picture)));
        if (models_->person())
            words.push_back(words_[person.track]);
        if (shows_faces)
            conditioning_.faces.push_back(faces_[person.track]);
    }
    conditioning_.people = static_cast<int64_t>(people_.size());
    conditioning_.names = words.empty() ? at::Tensor() : at::cat(words);
    conditioning_.names_weight = settings_.identity.tokens;
    if (identity && !shows_faces && conditioning_.images.empty())
        conditioning_.images = {
            encode_image(*models_, settings_, conditioning_, to_tensor(vision::load_png(settings_.identity.image)))};
}

// [people, height, width]; undefined where none of them is to be seen.
at::Tensor Generator::people_of(const SourcePicture &source, int64_t height, int64_t width) const {
    const cv::Size cells(static_cast<int>(width), static_cast<int>(height));
    std::vector<at::Tensor> masks;
    bool any = false;
    for (const Person &person : people_) {
        cv::Mat mask = cv::Mat::zeros(cells, CV_32F);
        for (const PersonAt &there : source.people)
            if (there.track == person.track) {
                mask = face_mask(there.box, source.shown.empty() ? source.picture.size() : source.shown, cells, cell());
                any = true;
            }
        masks.push_back(at::from_blob(mask.ptr(), {height, width}, at::kFloat).clone());
    }
    return any ? at::stack(masks) : at::Tensor();
}

std::vector<int64_t> Generator::texts_of(const SourcePicture &source) const {
    std::vector<int64_t> texts;
    for (const Person &person : people_) {
        texts.push_back(-1);
        for (const PersonAt &there : source.people)
            if (const auto known = text_numbers_.find(there.text); there.track == person.track && known != text_numbers_.end())
                texts.back() = static_cast<int64_t>(known->second);
    }
    return texts;
}

FrameRequest Generator::request(const SourcePicture &source) {
    FrameRequest request{to_tensor(source.picture), source.identity, {}, {}};
    const int64_t factor = models_->vae().stride();
    if (noise_)
        request.noise = noise_->frame(source.identity, models_->vae().latent_channels(), request.picture.size(2) / factor,
                                      request.picture.size(3) / factor);
    if (const auto text = texts_.find(source.identity); text != texts_.end())
        request.text = text->second;
    request.people = people_of(source, request.picture.size(2) / factor, request.picture.size(3) / factor);
    if (request.people.defined())
        request.texts = texts_of(source);
    return request;
}

at::Tensor Generator::noise(const FrameRequest &frame, uint32_t stream, int64_t height, int64_t width) {
    if (stream == 0 && frame.noise.defined() && frame.noise.size(1) == height && frame.noise.size(2) == width)
        return frame.noise;
    const Template &style = settings_.style;
    const int64_t key = style.noise == NoiseMode::frame ? frame.identity : 0;
    const at::Tensor drawn = diffusion::counter_noise(style.seed, key, stream, models_->vae().latent_channels(), height, width);
    return diffusion::offset_noise(drawn, settings_.noise_offset, style.seed, key);
}

at::Tensor Generator::paint(const FrameRequest &frame) {
    const at::Tensor latents = denoise(*models_, settings_, conditioning_, {frame}, {frame}, watch_);
    return at::isfinite(latents).all().item<bool>() ? latents[0] : at::Tensor();
}

at::Tensor Generator::encode(const cv::Mat &picture) {
    watch_.step("analyse");
    const at::Tensor own = (to_tensor(picture) * 2 - 1).to(models_->device(), models_->dtype());
    return models_->vae().encode(own.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kCPU, at::kFloat)[0];
}

at::Tensor Generator::latents_of(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors) {
    std::vector<FrameRequest> requests, anchor_requests;
    for (const SourcePicture &frame : frames)
        requests.push_back(request(frame));
    for (const SourcePicture &anchor : anchors)
        anchor_requests.push_back(request(anchor));
    if (models_->is_sequential())
        requests.front().previous = previous_of(frames.front());
    const at::Tensor latents = denoise(*models_, settings_, conditioning_, requests, anchor_requests, watch_);
    return at::isfinite(latents).all().item<bool>() ? latents : at::Tensor();
}

cv::Mat Generator::decode(const at::Tensor &latent) {
    watch_.step("decode");
    const at::Tensor whole = latent.dim() == 3 ? latent.unsqueeze(0) : latent;
    const at::Tensor own = whole.to(models_->device(), models_->dtype()).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor decoded = models_->vae().decode(own).to(at::kFloat);
    return at::isfinite(decoded).all().item<bool>() ? to_picture(decoded / 2 + 0.5) : cv::Mat();
}

std::vector<cv::Mat> Generator::attempt(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors) {
    prepare(frames, anchors);
    if (family_)
        return family_->run(frames, anchors.front().identity);
    if (models_->is_sequential())
        return attempt_in_turn(frames, anchors);
    const at::Tensor latents = latents_of(frames, anchors);
    if (!latents.defined())
        return {};
    return_free_memory();
    std::vector<cv::Mat> pictures;
    for (int64_t i = 0; i < latents.size(0); ++i) {
        pictures.push_back(decode(latents.slice(0, i, i + 1)));
        if (pictures.back().empty())
            return {};
    }
    return pictures;
}

at::Tensor Generator::previous_of(const SourcePicture &frame) const {
    if (!previous_)
        return {};
    const OpticalFlow &flow = models_->flow();
    const cv::Mat motion = flow.flow(flow.look(previous_->source), flow.look(frame.picture));
    return at::cat({to_tensor(previous_->stylized), to_tensor(vision::flow_picture(motion))}, 1);
}

std::vector<cv::Mat> Generator::attempt_in_turn(const std::vector<SourcePicture> &frames,
                                                const std::vector<SourcePicture> &anchors) {
    const int64_t shot = anchors.front().identity;
    if (previous_ && (previous_->shot != shot || frames.front().identity == shot))
        previous_.reset();
    const std::optional<Previous> before = previous_;
    std::vector<cv::Mat> pictures;
    for (const SourcePicture &frame : frames) {
        const at::Tensor latents = latents_of({frame}, anchors);
        const cv::Mat picture = latents.defined() ? decode(latents) : cv::Mat();
        if (picture.empty()) {
            previous_ = before; // the next try starts where this one did
            return {};
        }
        pictures.push_back(picture);
        previous_ = Previous{shot, frame.picture, picture};
    }
    return pictures;
}

} // namespace aianime::pipeline
