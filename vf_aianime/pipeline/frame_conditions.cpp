// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/frame_conditions.h"

#include <algorithm>

#include "nn/aten.h"

namespace aianime::pipeline {

namespace {

using Frames = std::vector<const FrameRequest *>;

at::Tensor text_of(const Conditioning &conditioning, const Frames &frames) {
    if (!frames.front()->text.defined())
        return conditioning.text;
    const bool same = std::all_of(frames.begin(), frames.end(),
                                  [&](const FrameRequest *frame) { return frame->text.is_same(frames.front()->text); });
    std::vector<at::Tensor> rows;
    const size_t count = same ? 1 : frames.size();
    if (conditioning.branches() > 1)
        rows.push_back(conditioning.text.slice(0, 0, 1).expand({static_cast<int64_t>(count), -1, -1}));
    for (size_t i = 0; i < count; ++i)
        rows.push_back(frames[i]->text);
    return at::cat(rows);
}

// [frames, people, h, w]; undefined where nobody is to be seen.
at::Tensor places_of_people(const Conditioning &conditioning, const Frames &frames, int64_t height, int64_t width) {
    std::vector<at::Tensor> rows;
    bool any = false;
    for (const FrameRequest *frame : frames) {
        any = any || frame->people.defined();
        rows.push_back(frame->people.defined() ? frame->people : at::zeros({conditioning.people, height, width}));
    }
    return any && conditioning.people > 0 ? at::stack(rows) : at::Tensor();
}

// Where the people are of whom a text is true, [frames, h, w].
at::Tensor places_of_text(int64_t text, const Frames &frames, const at::Tensor &people) {
    std::vector<at::Tensor> rows;
    for (size_t i = 0; i < frames.size(); ++i) {
        at::Tensor row = at::zeros_like(people[0][0]);
        for (size_t person = 0; person < frames[i]->texts.size(); ++person)
            if (frames[i]->texts[person] == text)
                row = at::maximum(row, people[static_cast<int64_t>(i)][static_cast<int64_t>(person)]);
        rows.push_back(row);
    }
    return at::stack(rows);
}

std::vector<nn::ImagePrompt> images_of(const Conditioning &conditioning, const at::Tensor &people) {
    std::vector<nn::ImagePrompt> images = conditioning.images;
    for (size_t i = 0; people.defined() && i < conditioning.faces.size(); ++i) {
        const at::Tensor mask = people.select(1, static_cast<int64_t>(i));
        images.push_back(conditioning.faces[i]);
        images.back().masks = conditioning.branches() > 1 ? at::cat({mask, mask}) : mask;
    }
    return images;
}

nn::LocalText words_of(const Conditioning &conditioning, const Frames &frames, const at::Tensor &people) {
    std::vector<at::Tensor> tokens, masks;
    nn::LocalText local;
    const auto add = [&](const at::Tensor &words, const at::Tensor &mask) {
        tokens.push_back(words);
        masks.push_back(mask);
        local.lengths.push_back(words.size(0));
    };
    for (int64_t person = 0; conditioning.names.defined() && person < conditioning.people; ++person)
        add(conditioning.names[person], people.select(1, person) * conditioning.names_weight);
    for (size_t text = 0; text < conditioning.texts.size(); ++text)
        add(conditioning.texts[text], places_of_text(static_cast<int64_t>(text), frames, people));
    if (tokens.empty())
        return {};
    local.tokens = at::cat(tokens);
    const at::Tensor all = at::stack(masks, 1);
    local.masks = conditioning.branches() > 1 ? at::cat({at::zeros_like(all), all}) : all;
    return local;
}

} // namespace

FrameConditions conditions_of(const Conditioning &conditioning, const std::vector<const FrameRequest *> &frames, int64_t height,
                              int64_t width, at::Device device) {
    FrameConditions conditions;
    conditions.text = text_of(conditioning, frames);
    at::Tensor people = places_of_people(conditioning, frames, height, width);
    if (people.defined())
        people = people.to(device);
    conditions.images = images_of(conditioning, people);
    if (people.defined())
        conditions.words = words_of(conditioning, frames, people);
    return conditions;
}

} // namespace aianime::pipeline
