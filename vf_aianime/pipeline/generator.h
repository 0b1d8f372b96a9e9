// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/denoiser.h"
#include "pipeline/family.h"
#include "pipeline/models.h"
#include "pipeline/noise_file.h"
#include "pipeline/painter.h"
#include "pipeline/prompt_book.h"
#include "pipeline/settings.h"
#include "pipeline/watch.h"
#include "vision/working_size.h"

namespace aianime::pipeline {

// Somebody who is to stay recognisable.
struct Person {
    int track; // PersonAt::track
    std::array<float, 128> descriptor;
    cv::Mat picture; // CV_8UC3, R G B, the face; may be empty where no IP-Adapter is used
};

// Turns the pictures of a segment into stylized ones: latents, then the decoder frame by frame. Values that are not finite are met
// with one more try in float32, for the rest of the session.
class Generator final : private Painter {
public:
    // Throws Error. Loads the models; blocks.
    Generator(const Settings &settings, Watch &watch);

    int stride() const override { return models_->stride(); }
    // Frames are made one after the other, each from the one before: segments cannot share any.
    bool is_sequential() const { return family_ || models_->is_sequential(); }
    const char *precision() const;
    // Between generated frames.
    const OpticalFlow &flow() const { return models_->flow(); }

    // Stylized pictures, CV_32FC3 in the padded working size, one per frame. `anchors` as in denoise(). `people`: those of the shot
    // so far; each is looked at once, when a shot first has them. Throws Error (NOT_FINITE, CANCELLED, NO_MEMORY).
    std::vector<cv::Mat> run(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors,
                             const std::vector<Person> &people = {});
    // Of the text encoder's words for a prompt; for texts that are to fit.
    int64_t tokens(const std::string &prompt) const { return book_->tokens(prompt); }

private:
    void load(at::ScalarType dtype);
    // What this run is conditioned on.
    void prepare(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors);
    void read_prompts(const std::vector<const SourcePicture *> &sources);
    void read_texts(const std::vector<const SourcePicture *> &sources);
    void look_at_people(int64_t shot);
    at::Tensor people_of(const SourcePicture &source, int64_t height, int64_t width) const;
    std::vector<int64_t> texts_of(const SourcePicture &source) const;
    FrameRequest request(const SourcePicture &source) override;
    at::Tensor noise(const FrameRequest &frame, uint32_t stream, int64_t height, int64_t width) override;
    at::Tensor paint(const FrameRequest &frame) override;
    at::Tensor encode(const cv::Mat &picture) override;
    int cell() const override { return static_cast<int>(models_->vae().stride()); }
    // Undefined where the shot begins.
    at::Tensor previous_of(const SourcePicture &frame) const;
    // Undefined when something was not finite.
    at::Tensor latents_of(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors);
    cv::Mat decode(const at::Tensor &latent) override; // empty likewise
    std::vector<cv::Mat> attempt_in_turn(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors);
    // Empty when something was not finite.
    std::vector<cv::Mat> attempt(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors);

    const Settings &settings_;
    Watch &watch_;
    std::unique_ptr<Models> models_;
    Conditioning conditioning_;
    std::unique_ptr<PromptBook> book_;           // null: there is one prompt only, the template's
    std::map<int64_t, at::Tensor> texts_;        // of this run's frames, by identity; empty: the same for all
    std::map<std::string, size_t> text_numbers_; // of what is said of people: their numbers in conditioning_.texts
    std::vector<Person> people_;                 // of this run
    std::map<int, at::Tensor> words_;            // by track: what the pack's own network makes of people
    std::map<int, nn::ImagePrompt> faces_;       // likewise the IP-Adapter
    std::optional<int64_t> shot_;                // that these are of: identity of its first frame
    std::unique_ptr<NoiseFile> noise_;           // null: drawn by the seed

    // For controls that look at the frame before.
    struct Previous {
        int64_t shot; // identity of its first frame
        cv::Mat source, stylized;
    };
    std::optional<Previous> previous_;
    std::unique_ptr<Family> family_; // null: frames agree by attention, or by a control
};

} // namespace aianime::pipeline
