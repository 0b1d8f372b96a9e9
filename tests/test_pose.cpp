// SPDX-License-Identifier: LGPL-2.1-or-later
// People from the maps of a body pose network against controlnet_aux; see golden/make_annotators.py.
#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/picture_tensor.h"
#include "support.h"
#include "support_networks.h"
#include "vision/pose.h"
#include "vision_pictures.h"

using namespace aianime;

namespace {

at::Tensor golden(const std::string &name, const std::string &file = "openpose_io") {
    return nn::WeightSource::from_file(tests_folder() + "/golden/annotators/" + file + ".safetensors")
        .tensor(name, at::kFloat, at::kCPU);
}

std::vector<cv::Mat> channels(const at::Tensor &maps) {
    std::vector<cv::Mat> out;
    for (int64_t i = 0; i < maps.size(1); i++) {
        const at::Tensor map = maps[0][i].contiguous();
        out.push_back(cv::Mat(static_cast<int>(map.size(0)), static_cast<int>(map.size(1)), CV_32F, map.data_ptr()).clone());
    }
    return out;
}

// The stored maps at the size of their frame.
vision::PoseMaps people_maps(cv::Size frame) {
    const vision::PoseInput input = vision::pose_input(cv::Mat(frame, CV_32FC3, cv::Scalar::all(0)));
    return {vision::pose_channels(channels(golden("people_affinity")), input, frame),
            vision::pose_channels(channels(golden("people_heat")), input, frame)};
}

} // namespace

// The reference resizes in 8 bit.
AIANIME_TEST(the_network_sees_the_same) {
    const at::Tensor frame = (golden("frame", "lineart_io") / 255).permute({2, 0, 1}).unsqueeze(0);
    const vision::PoseInput input = vision::pose_input(pipeline::to_picture(frame));
    ck_assert(input.picture.size() == cv::Size(368, 184));
    const at::Tensor seen =
        at::from_blob(input.picture.data, {1, input.picture.rows, input.picture.cols, 3}, at::kFloat).permute({0, 3, 1, 2});
    const at::Tensor difference = seen.slice(2, 0, 184, 9).slice(3, 0, 368, 11) - golden("seen");
    // Where the cubic overshoots, 8 bit clips.
    const at::Tensor inside = golden("seen").abs() < 0.49;
    ck_assert_double_lt((difference * inside).abs().max().item<double>(), 1.6 / 256);
}

AIANIME_TEST(people_are_the_reference_ones) {
    const cv::Size frame(256, 128);
    const std::vector<vision::Person> people = vision::find_people(people_maps(frame));
    ck_assert_uint_eq(people.size(), 2); // the third has too few joints
    const auto joints = [](const vision::Person &person) {
        return std::count_if(person.joints.begin(), person.joints.end(), [](const auto &joint) { return joint.has_value(); });
    };
    ck_assert_int_eq(joints(people[0]), 18);
    ck_assert_int_eq(joints(people[1]), 13);
    const cv::Mat picture = vision::draw_people(people, frame);
    const at::Tensor drawn = at::from_blob(picture.data, {128, 256, 3}, at::kFloat).slice(0, 0, 128, 2).slice(1, 0, 256, 3);
    ck_assert_double_lt((drawn * 255 - golden("people")).abs().max().item<double>(), 1e-3);
}

AIANIME_TEST(nobody) {
    vision::PoseMaps maps{std::vector<cv::Mat>(38, cv::Mat::zeros(40, 60, CV_32F)),
                          std::vector<cv::Mat>(19, cv::Mat::zeros(40, 60, CV_32F))};
    ck_assert(vision::find_people(maps).empty());
    ck_assert_double_eq(cv::norm(vision::draw_people({}, {60, 40})), 0);
    // Noise costs time, but not without limit.
    cv::RNG random(1);
    for (std::vector<cv::Mat> *group : {&maps.affinity, &maps.heat})
        for (cv::Mat &map : *group) {
            map.create(256, 256, CV_32F);
            random.fill(map, cv::RNG::UNIFORM, -1, 1);
        }
    vision::find_people(maps);
}

AIANIME_TEST(any_size) {
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(3000, 8), cv::Size(8, 3000), cv::Size(77, 131)}) {
        const vision::PoseInput input = vision::pose_input(scene_picture(size, 1));
        ck_assert_int_eq(input.picture.cols % 8, 0);
        ck_assert_int_eq(input.picture.rows % 8, 0);
        ck_assert(input.picture.total() < (1 << 21));
        const cv::Mat map(input.picture.size() / 8, CV_32F, cv::Scalar::all(0.5));
        ck_assert(vision::pose_channels({map}, input, size)[0].size() == size);
    }
}

int main() { return run_suite("pose", {the_network_sees_the_same, people_are_the_reference_ones, nobody, any_size}); }
