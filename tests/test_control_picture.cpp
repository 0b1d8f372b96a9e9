// SPDX-License-Identifier: LGPL-2.1-or-later
// Control pictures of whole frames, by every type; those of networks against the pictures of controlnet_aux's detectors.
#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/control_picture.h"
#include "support.h"
#include "vision/preprocess.h"
#include "vision_pictures.h"

using namespace aianime;
using pipeline::ControlPicture;

namespace {

std::string file(const std::string &name) { return tests_folder() + "/golden/annotators/" + name + ".safetensors"; }

// A stored 8-bit picture or mask as [0, 1].
cv::Mat golden(const std::string &name, const std::string &tensor) {
    const at::Tensor codes = nn::WeightSource::from_file(file(name + "_io")).tensor(tensor, at::kByte, at::kCPU);
    const int channels = codes.dim() == 3 ? 3 : 1;
    const cv::Mat view(static_cast<int>(codes.size(0)), static_cast<int>(codes.size(1)), CV_8UC(channels), codes.data_ptr());
    cv::Mat out;
    view.convertTo(out, CV_32F, 1.0 / 255);
    return out;
}

double largest_difference(const cv::Mat &picture, const cv::Mat &mask) {
    std::vector<cv::Mat> channels;
    cv::split(picture, channels);
    double largest = 0;
    for (const cv::Mat &channel : channels)
        largest = std::max(largest, cv::norm(channel, mask, cv::NORM_INF));
    return largest * 255;
}

std::unique_ptr<ControlPicture> make(const std::string &type) {
    return ControlPicture::make(type, ControlPicture::wants_file(type) ? file(type) : "", at::kCPU);
}

} // namespace

// The reference rounds down to code values.
AIANIME_TEST(networks_draw_what_the_reference_draws) {
    for (const char *type : {"lineart", "softedge"}) {
        const double difference = largest_difference(make(type)->picture(golden(type, "frame")), golden(type, "picture"));
        ck_assert_msg(difference <= 1.001, "%s: differs by %g code values", type, difference);
    }
}

// The reference enlarges to 256 pixels in 8 bit, here it is done in float; a random network makes more of that than a trained one.
AIANIME_TEST(resizing_is_the_reference_one) {
    const cv::Mat found = make("lineart_anime")->picture(golden("lineart_anime", "frame"));
    const cv::Mat expected = golden("lineart_anime", "resized");
    ck_assert_double_le(largest_difference(found, expected), 8);
    ck_assert_double_le(std::abs(cv::mean(found)[0] - cv::mean(expected)[0]) * 255, 0.6);
}

AIANIME_TEST(any_size) {
    for (const std::string &type : ControlPicture::names()) {
        if (type == "depth" || type == "openpose")
            continue; // the small networks are not of the published widths
        const auto control = make(type);
        for (const cv::Size size : {cv::Size(1, 1), cv::Size(70, 50)}) {
            const cv::Mat frame = scene_picture(size, 3), out = control->picture(frame);
            ck_assert_msg(out.size() == size && out.type() == CV_32FC3, "%s: other size or type", type.c_str());
            ck_assert_msg(cv::checkRange(out, true, nullptr, -1e-6, 1 + 1e-6), "%s: outside the range", type.c_str());
            ck_assert_msg(cv::norm(control->picture(frame), out, cv::NORM_INF) == 0, "%s: not twice the same", type.c_str());
        }
    }
}

AIANIME_TEST(types_without_network) {
    const cv::Mat frame = scene_picture({96, 64}, 8);
    const auto is = [&](const char *type, const cv::Mat &expected) {
        ck_assert_msg(cv::norm(make(type)->picture(frame), expected, cv::NORM_INF) == 0, "%s", type);
    };
    is("source", frame);
    is("canny", vision::canny_edges(frame, 100, 200));
    is("tile", vision::tile_picture(frame, 3));
    is("blur", vision::gaussian_blur(frame, 9));
    is("scribble", vision::scribble_lines(frame, 32));
    is("color", vision::color_grid(frame, 64));
}

AIANIME_TEST(refusals) {
    const auto make_with = [](const char *type, const std::string &name) { ControlPicture::make(type, name, at::kCPU); };
    expect_error([&] { make_with("cany", ""); }, AIANIME_BAD_DATA, "canny");
    expect_error([&] { make_with("canny", file("lineart")); }, AIANIME_BAD_DATA, "need no annotator");
    expect_error([&] { make_with("softedge", ""); }, AIANIME_BAD_DATA, "need an annotator: ControlNetHED");
    expect_error([&] { make_with("depth", file("lineart")); }, AIANIME_BAD_DATA, "wants dpt_hybrid-midas");
    expect_error([&] { make_with("lineart", file("absent")); }, AIANIME_NOT_FOUND, "absent");
}

int main() {
    return run_suite("control_picture", {networks_draw_what_the_reference_draws, resizing_is_the_reference_one, any_size,
                                         types_without_network, refusals});
}
