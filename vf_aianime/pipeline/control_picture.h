// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <ATen/core/Tensor.h>
#include <opencv2/core.hpp>

#include <memory>
#include <string>
#include <vector>

namespace aianime::pipeline {

// Makes of a frame what a ControlNet is shown. The types, and the ControlNets 1.1 they belong to:
//   source         the frame itself                   control_v11e_sd15_ip2p; control_v11f1e_sd15_tile with all its detail kept
//   canny          edges                              control_v11p_sd15_canny
//   tile           the frame without fine detail      control_v11f1e_sd15_tile
//   blur           the frame blurred                  control_v11f1e_sd15_tile
//   scribble       XDoG lines                         control_v11p_sd15_scribble
//   color          a grid of colours                  none of the 1.1 set: ControlNets trained like T2I-Adapter's color
//   lineart        file sk_model or sk_model2         control_v11p_sd15_lineart
//   lineart_anime  file netG                          control_v11p_sd15s2_lineart_anime
//   softedge       file ControlNetHED                 control_v11p_sd15_softedge
//   depth          file dpt_hybrid-midas-501f0c75     control_v11f1p_sd15_depth
//   openpose       file body_pose_model               control_v11p_sd15_openpose
// Thread safety: const use from several threads.
class ControlPicture {
public:
    virtual ~ControlPicture() = default;

    // In the order above.
    static std::vector<std::string> names();
    // Whether a type needs an annotator file.
    static bool wants_file(const std::string &type);
    // `annotator_file`: safetensors, "" for types without. Throws Error (BAD_DATA) for an unknown type, a missing or needless file
    // and one of another network; what WeightSource::from_file() throws.
    static std::unique_ptr<ControlPicture> make(const std::string &type, const std::string &annotator_file, at::Device device);

    // frame: CV_32FC3, R, G, B in [0, 1] -> the same size and type, in [0, 1].
    virtual cv::Mat picture(const cv::Mat &frame) const = 0;
};

} // namespace aianime::pipeline
