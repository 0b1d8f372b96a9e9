// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <opencv2/core.hpp>

#include <memory>
#include <optional>
#include <vector>

#include "pipeline/denoiser.h"
#include "pipeline/family.h"
#include "pipeline/models.h"
#include "pipeline/noise_file.h"
#include "pipeline/painter.h"
#include "pipeline/settings.h"
#include "pipeline/watch.h"
#include "vision/working_size.h"

namespace aianime::pipeline {

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

    // Stylized pictures, CV_32FC3 in the padded working size, one per frame. `anchors` as in denoise(). Throws Error (NOT_FINITE,
    // CANCELLED, NO_MEMORY).
    std::vector<cv::Mat> run(const std::vector<SourcePicture> &frames, const std::vector<SourcePicture> &anchors);

private:
    void load(at::ScalarType dtype);
    // Shows the shot's key frame, or the template's picture, to the IP-Adapter.
    void look_at(const SourcePicture &key_frame);
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
    std::unique_ptr<NoiseFile> noise_; // null: drawn by the seed
    std::optional<int64_t> seen_;      // identity of the key frame that conditioning_.images shows

    // For controls that look at the frame before.
    struct Previous {
        int64_t shot; // identity of its first frame
        cv::Mat source, stylized;
    };
    std::optional<Previous> previous_;
    std::unique_ptr<Family> family_; // null: frames agree by attention, or by a control
};

} // namespace aianime::pipeline
