// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/shot_noise.h"

#include "diffusion/warped_noise.h"
#include "nn/aten.h"
#include "pipeline/frame_flows.h"

namespace aianime::pipeline {

std::vector<at::Tensor> places_in_first_frame(const FrameRequest &first, const std::vector<FrameRequest> &frames, int64_t factor,
                                              const OpticalFlow &flow, Watch &watch) {
    std::vector<at::Tensor> pictures{first.picture};
    for (const FrameRequest &frame : frames)
        pictures.push_back(frame.picture);
    FrameFlows flows(std::move(pictures), first.picture.size(2) / factor * diffusion::noise_refinement,
                     first.picture.size(3) / factor * diffusion::noise_refinement, flow);
    std::vector<at::Tensor> places;
    for (size_t i = 0; i < frames.size(); i++) {
        watch.step("analyse");
        const bool same = frames[i].identity == first.identity;
        const nn::FlowField &field = flows.pair(same ? 0 : static_cast<int64_t>(i) + 1, 0);
        places.push_back(diffusion::noise_places(field.flow, field.valid));
        flows.forget_pairs(); // on so fine a grid, those of a segment would be much
    }
    return places;
}

} // namespace aianime::pipeline
