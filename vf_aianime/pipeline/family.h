// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <vector>

#include "pipeline/painter.h"
#include "pipeline/template.h"

namespace aianime::pipeline {

// A way to make frames agree other than by attention: coherence.method of a template. Frames are made in order, each from what was
// made of its shot before; segments only bound how many are held, and share none.
class Family {
public:
    virtual ~Family() = default;

    // Null for methods that need nothing but the denoiser. `painter` must outlive it.
    static std::unique_ptr<Family> make(Method method, Painter &painter);

    // The next frames of the shot whose first frame has this identity; pictures as Generator::run gives them. Empty when something
    // was not finite, with all as it was before the call. Throws Error as Generator::run does.
    virtual std::vector<cv::Mat> run(const std::vector<SourcePicture> &frames, int64_t shot) = 0;
};

} // namespace aianime::pipeline
