// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <memory>
#include <string>
#include <vector>

namespace aianime::caption {

struct ClipPhrasesSettings {
    std::string phrases;   // file, see read_phrase_list(); "" = default_phrase_list()
    std::string tokenizer; // folder; "" = the CLIP's own, and where it has none that of the pack "pocket"
    // When a phrase is said, see caption(). least_share in [0, 1], least_lead 1 or more.
    double least_share = 0.35;
    double least_lead = 1.5;
    bool tags = false; // captions of the phrases' tags instead of their words
};

struct RankedPhrase {
    std::string group, text, tag;
    bool neutral;
    float share; // of the group's softmax
    float logit; // cosine times logit_scale
    bool said;   // part of the caption
};

// CLIP interrogation: which of a list's phrases go best with a picture (nn::ClipModel). The phrases' embeddings are computed once,
// in the constructor. Thread safety: const functions may run concurrently.
class ClipPhrases {
public:
    // folder: transformers' CLIPModel with config.json, model.safetensors and, where there are, vocab.json and merges.txt or
    // tokenizer.json. Throws Error (NOT_FOUND, BAD_DATA, OUT_OF_RANGE, IO, FORBIDDEN); BAD_DATA with the line for a phrase that is
    // too long for the text encoder.
    ClipPhrases(const std::string &folder, at::ScalarType dtype, at::Device device, const ClipPhrasesSettings &settings = {});
    ~ClipPhrases();

    // rgb: CV_32FC3 in [0, 1]; R, G, B; any size. CLIP sees the middle square.
    // All phrases: groups in the list's order, within a group the best first. Throws Error (INVALID, NOT_FINITE).
    std::vector<RankedPhrase> rank(const cv::Mat &rgb) const;
    // Of each group the best phrase, when it is not neutral, has a share of at least least_share in the softmax over the group, and
    // at least least_lead times the share of the next one, neutral ones included: "a woman with long hair, smiling, indoors,
    // close-up". A phrase that begins with "with " is put to the one before it. As tags: "1girl, long hair, smile, indoors,
    // close-up", each once. "" when no phrase stands out.
    std::string caption(const cv::Mat &rgb) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// The phrases as one sentence; see ClipPhrases::caption().
std::string joined_phrases(const std::vector<std::string> &phrases);

} // namespace aianime::caption
