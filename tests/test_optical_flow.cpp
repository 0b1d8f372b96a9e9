// SPDX-License-Identifier: LGPL-2.1-or-later
// Optical flow as the pipeline uses it: DIS or RAFT, pictures of any size, each pair measured once, and the template's choice.
#include "pipeline/optical_flow.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>

#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/denoiser.h"
#include "pipeline/frame_flows.h"
#include "pipeline/license_gate.h"
#include "pipeline/models.h"
#include "pipeline/picture_tensor.h"
#include "pipeline/shot_fusion.h"
#include "support.h"
#include "support_networks.h"
#include "support_pack.h"
#include "support_synthetic.h"
#include "vision/flow.h"
#include "vision_pictures.h"

using namespace aianime;
using namespace aianime::pipeline;

namespace {

constexpr double rounding = 1.0 / 64 + 1e-4; // of the form that flow is stored in

// raft_small with synthetic weights, whose flow is no motion but depends on all it sees.
std::shared_ptr<const nn::Raft> network() {
    const TempFolder folder;
    write_synthetic(folder.path("raft.safetensors"), read_tensor_list("raft/small"));
    return nn::load_raft(nn::WeightSource::from_file(folder.path("raft.safetensors")), at::kCPU);
}

cv::Mat scene(cv::Size size, int shift = 0) {
    return scene_picture({size.width + 16, size.height}, 2)(cv::Rect({shift, 0}, size)).clone();
}

at::Tensor vectors(const cv::Mat &flow) {
    return at::from_blob(flow.data, {flow.rows, flow.cols, 2}, at::kFloat).permute({2, 0, 1}).clone();
}

cv::Mat flow_of(const OpticalFlow &flow, cv::Size size) {
    const cv::Mat found = flow.flow(flow.look(scene(size)), flow.look(scene(size, 3)));
    ck_assert(found.type() == CV_32FC2 && found.size() == size);
    return found;
}

// The network on pictures with these pixels repeated around them.
at::Tensor padded_flow(const nn::Raft &raft, const cv::Mat &a, const cv::Mat &b, int left, int right, int top, int bottom) {
    const auto look = [&](const cv::Mat &picture) {
        cv::Mat padded;
        cv::copyMakeBorder(picture, padded, top, bottom, left, right, cv::BORDER_REPLICATE);
        return raft.look(to_tensor(padded));
    };
    const at::Tensor flow = raft.flow(look(a), look(b), 2)[0];
    return flow.slice(1, top, top + a.rows).slice(2, left, left + a.cols);
}

} // namespace

AIANIME_TEST(dis_unless_a_network_is_given) {
    const cv::Size size(160, 96);
    const OpticalFlow flow;
    const vision::MotionPair motion = flow.between(flow.look(scene(size)), flow.look(scene(size, 3)));
    const cv::Mat a = vision::luma(scene(size)), b = vision::luma(scene(size, 3));
    const cv::Mat there = vision::flow(a, b), back = vision::flow(b, a);
    ck_assert_double_gt(cv::norm(there, cv::NORM_INF), 2);
    ck_assert_double_le(cv::norm(motion.there.flow, there, cv::NORM_INF), rounding);
    ck_assert_double_le(cv::norm(motion.back.flow, back, cv::NORM_INF), rounding);
    const auto same = [](const cv::Mat &valid, const cv::Mat &wanted) {
        ck_assert_double_lt(cv::norm(valid, wanted, cv::NORM_L1) / static_cast<double>(valid.total()), 0.01);
    };
    same(motion.there.valid, vision::consistency(there, back));
    same(motion.back.valid, vision::consistency(back, there));
    ck_assert_double_gt(cv::mean(motion.there.valid)[0], 0.5);
}

AIANIME_TEST(pictures_are_padded_by_their_borders) {
    const c10::InferenceMode guard;
    const auto raft = network();
    const OpticalFlow flow(raft, 2);
    const auto expect = [&](cv::Size size, int left, int right, int top, int bottom) {
        const at::Tensor wanted = padded_flow(*raft, scene(size), scene(size, 3), left, right, top, bottom);
        ck_assert(vectors(flow_of(flow, size)).equal(wanted));
        ck_assert_double_gt(wanted.abs().mean().item<double>(), 0.1);
    };
    expect({136, 128}, 0, 0, 0, 0);
    expect({131, 150}, 2, 3, 1, 1);  // to multiples of 8
    expect({150, 40}, 1, 1, 44, 44); // to the least that the network takes
    expect({16, 16}, 56, 56, 56, 56);
}

AIANIME_TEST(too_small_for_flow) {
    const c10::InferenceMode guard;
    const OpticalFlow flow(network(), 2);
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(15, 200), cv::Size(200, 15)}) {
        ck_assert_double_eq(cv::norm(flow_of(flow, size), cv::NORM_INF), 0);
        ck_assert_double_eq(cv::norm(flow_of(OpticalFlow(), size), cv::NORM_INF), 0);
    }
}

AIANIME_TEST(large_pictures_are_seen_smaller) {
    const c10::InferenceMode guard;
    const auto raft = network();
    const OpticalFlow flow(raft, 1);
    const cv::Size size(4090, 144), half(2045, 72); // 512x18 cells are more than there may be
    const cv::Mat found = flow_of(flow, size);
    cv::Mat a, b, wanted;
    cv::resize(scene(size), a, half, 0, 0, cv::INTER_AREA);
    cv::resize(scene(size, 3), b, half, 0, 0, cv::INTER_AREA);
    cv::resize(flow.flow(flow.look(a), flow.look(b)), wanted, size, 0, 0, cv::INTER_LINEAR);
    ck_assert_double_lt(cv::norm(found, 2 * wanted, cv::NORM_INF), 1e-4);
    ck_assert_double_gt(cv::norm(found, cv::NORM_INF), 0.1);
}

AIANIME_TEST(number_of_updates_counts) {
    const c10::InferenceMode guard;
    const auto raft = network();
    const cv::Size size(128, 128);
    ck_assert_double_gt(cv::norm(flow_of(OpticalFlow(raft, 1), size), flow_of(OpticalFlow(raft, 3), size), cv::NORM_INF), 0.1);
}

AIANIME_TEST(each_pair_is_measured_once) {
    const c10::InferenceMode guard;
    const cv::Size size(160, 128);
    const OpticalFlow flow(network(), 2);
    std::vector<at::Tensor> pictures;
    for (int i = 0; i < 3; i++)
        pictures.push_back(to_tensor(scene(size, 3 * i)));
    FrameFlows pairs(pictures, 16, 20, flow), dis(pictures, 16, 20);
    const at::Tensor there = pairs.pair(0, 2).flow, back = pairs.pair(2, 0).flow;
    const nn::FlowField stack = pairs.stack({0, 2}, {2, 1, 0, -1});
    ck_assert(pairs.pair(0, 2).flow.is_same(there) && pairs.pair(2, 0).flow.is_same(back));
    ck_assert(stack.flow[0][0][0].equal(there) && stack.flow[0][1][0].equal(back));
    ck_assert_double_eq(stack.valid[0][1][1].sum().item<double>(), 0);

    // By way of cells of 2x2 pixels, in which a flow's numbers are half as large.
    const vision::CompactFlows compact = vision::compact(flow.flow(flow.look(scene(size)), flow.look(scene(size, 6))),
                                                         flow.flow(flow.look(scene(size, 6)), flow.look(scene(size))), false);
    const auto cells = [](const cv::Mat &steps) {
        cv::Mat out;
        steps.convertTo(out, CV_32F, 0.5 / 32);
        return out;
    };
    const cv::Mat to_third = cells(compact.there), to_first = cells(compact.back);
    const auto same = [&](const nn::FlowField &found, const cv::Mat &flow, const cv::Mat &back) {
        const cv::Mat valid = vision::consistency(flow, back, 2);
        const nn::FlowField wanted =
            nn::resize_flow({vectors(flow), at::from_blob(valid.data, {size.height / 2, size.width / 2}, at::kFloat)}, 16, 20);
        ck_assert(found.flow.equal(wanted.flow) && found.valid.equal(wanted.valid));
    };
    same(pairs.pair(0, 2), to_third, to_first);
    same(pairs.pair(2, 0), to_first, to_third);
    ck_assert(!there.equal(back));
    ck_assert_double_gt(relative_error(dis.pair(0, 2).flow, there), 0.1);
}

// At half the size DIS finds what it finds at the whole one, but for what that is too coarse to show.
AIANIME_TEST(from_afar) {
    const cv::Size size(160, 128);
    FrameFlows pairs({to_tensor(scene(size)), to_tensor(scene(size, 6))}, 16, 20);
    const nn::FlowField near = pairs.pair(0, 1), far = pairs.pair(0, 1, true), back = pairs.pair(1, 0, true);
    ck_assert(!near.flow.equal(far.flow));
    const auto inner = [](const at::Tensor &x) { return x.slice(-2, 2, 14).slice(-1, 2, 18); };
    ck_assert_double_lt((inner(near.flow) - inner(far.flow)).abs().mean().item<double>(), 0.05);
    ck_assert_double_lt((inner(far.flow) + inner(back.flow)).abs().mean().item<double>(), 0.05);
    ck_assert_double_gt(inner(near.flow).abs().mean().item<double>(), 0.2);
    ck_assert_double_gt(inner(far.valid).mean().item<double>(), 0.8);

    const nn::FlowField stack = pairs.stack({0}, {1, 1}, 1);
    ck_assert(stack.flow[0][0][0].equal(near.flow) && stack.flow[0][0][1].equal(far.flow));
    FrameFlows tiny({to_tensor(scene({24, 24})), to_tensor(scene({24, 24}, 2))}, 3, 3); // half of it is too small for DIS
    ck_assert(tiny.pair(0, 1, true).flow.equal(tiny.pair(0, 1).flow));
}

// Anchors, and frames that two segments share: other tensors, other numbers, the same pictures.
AIANIME_TEST(no_pair_is_measured_again_in_the_next_segment) {
    const cv::Size size(64, 48);
    const auto picture = [&](int shift) { return to_tensor(scene(size, shift)); };
    const OpticalFlow flow(nullptr, 12);
    FrameFlows first({picture(0), picture(3), picture(5)}, 6, 8, flow), second({picture(7), picture(5), picture(0)}, 6, 8, flow);
    const nn::FlowField there = first.pair(0, 2), back = first.pair(2, 0);
    ck_assert(second.pair(1, 2).flow.is_same(back.flow) && second.pair(2, 1).valid.is_same(there.valid));
    FrameFlows alone({picture(7), picture(0)}, 6, 8), finer({picture(0), picture(5)}, 12, 16, flow);
    ck_assert(second.pair(0, 2).flow.equal(alone.pair(0, 1).flow));
    ck_assert_int_eq(finer.pair(0, 1).flow.size(1), 12);
}

AIANIME_TEST(the_store_is_bounded_and_knows_pictures_by_all_they_show) {
    const at::Tensor picture = synthetic_tensor("picture", {1, 3, 16, 24});
    std::vector<FlowStore::Picture> names = {FlowStore::name(picture), FlowStore::name(picture.clone().view({1, 3, 24, 16}))};
    for (int64_t i = 0; i < picture.numel(); i += 7) {
        at::Tensor other = picture.clone();
        other.view({-1})[i].add_(1e-3);
        names.push_back(FlowStore::name(other));
    }
    ck_assert(names.front() == FlowStore::name(picture.contiguous(at::MemoryFormat::ChannelsLast)));
    const cv::Mat wide = scene({40, 16});
    ck_assert(FlowStore::name(wide(cv::Rect(3, 0, 24, 16))) == FlowStore::name(to_tensor(wide(cv::Rect(3, 0, 24, 16)))));
    std::sort(names.begin(), names.end());
    ck_assert(std::adjacent_find(names.begin(), names.end()) == names.end());

    FlowStore store(FlowStore::Limits{2});
    int measured = 0;
    const auto get = [&](size_t from, size_t to) {
        store.get({names[from], names[to], 4, 4}, [&] {
            measured++;
            return FlowStore::Pair{nn::still(4, 4), nn::still(4, 4)};
        });
        return measured;
    };
    ck_assert_int_eq(get(0, 1), 1);
    ck_assert_int_eq(get(1, 2), 2);
    ck_assert_int_eq(get(1, 0), 2);
    ck_assert_int_eq(get(2, 3), 3); // the first goes
    ck_assert_int_eq(get(1, 2), 3);
    ck_assert_int_eq(get(0, 1), 4);

    FlowStore::Limits limits;
    limits.pair_bytes = 100;
    FlowStore small(limits);
    const nn::FlowField field = nn::still(4, 4);
    for (int i = 1; i <= 2; i++) {
        small.get({names[0], names[1], 4, 4}, [&] { return FlowStore::Pair{(measured++, field), field}; });
        ck_assert_int_eq(measured, 4 + i);
    }
}

AIANIME_TEST(what_is_stored_whole_is_bounded_in_bytes) {
    const auto limits_of = [](size_t pairs, size_t bytes = size_t{64} << 20) {
        FlowStore::Limits limits;
        limits.whole_pairs = pairs;
        limits.whole_bytes = bytes;
        return limits;
    };
    const auto picture = [](uint64_t i) { return FlowStore::Picture{i, 0}; };
    const cv::Mat flow(48, 64, CV_32FC2, cv::Scalar(3, -2));
    const vision::CompactFlows flows = vision::compact(flow, flow * 2, false);
    ck_assert_uint_eq(flows.bytes(), 2 * 32 * 24 * 4);
    const auto get = [&](FlowStore &store, uint64_t from, uint64_t to, bool keep = true) {
        const vision::CompactFlows found = store.whole(picture(from), picture(to), keep, [&] { return flows; });
        ck_assert_double_eq(found.there.at<cv::Vec2s>(5, 5)[0] + found.back.at<cv::Vec2s>(5, 5)[0], 9 * 32);
        return store.measured();
    };
    FlowStore store(limits_of(128, 10 * flows.bytes() + 5));
    for (uint64_t i = 0; i < 1000; i++) {
        get(store, i, i + 1);
        ck_assert_uint_eq(store.whole_bytes(), std::min<uint64_t>(i + 1, 10) * flows.bytes());
    }
    ck_assert_uint_eq(get(store, 1000, 999), 1000); // as the other order of 999, 1000
    ck_assert_uint_eq(get(store, 990, 991), 1000);
    ck_assert_uint_eq(get(store, 5, 9, false), 1001);
    ck_assert_uint_eq(get(store, 990, 991), 1001);
    ck_assert_uint_eq(get(store, 5, 9), 1002);
    ck_assert_uint_eq(get(store, 990, 991), 1003);

    FlowStore few(limits_of(3)), none(limits_of(128, 100));
    for (uint64_t i = 0; i < 9; i++)
        ck_assert_uint_eq(get(few, i, i + 1) + get(none, i, i + 1), 2 * i + 2);
    ck_assert_uint_eq(few.whole_bytes(), 3 * flows.bytes());
    ck_assert_uint_eq(none.whole_bytes(), 0);
}

// More pictures than are remembered.
AIANIME_TEST(pictures_that_were_forgotten_are_seen_again) {
    const c10::InferenceMode guard;
    const cv::Size size(64, 48);
    std::vector<at::Tensor> pictures;
    for (int i = 0; i < 30; i++)
        pictures.push_back(to_tensor(scene(size, i / 2)));
    FrameFlows all(pictures, 6, 8), two({pictures[0], pictures[29]}, 6, 8);
    for (int i = 1; i < 30; i++)
        all.pair(i - 1, i);
    ck_assert(all.pair(0, 29).flow.equal(two.pair(0, 1).flow));
    ck_assert(all.pair(29, 0).valid.equal(two.pair(1, 0).valid));
}

namespace {

struct Studio {
    GoldenPack pack;
    TempFolder folder;

    std::string model(const std::string &name) const { return pack.folder() + "/../" + name; }
    Settings settings(const std::string &coherence) const {
        write_file(folder.path("t.json"), R"({"schema": 1, "coherence": {)" + coherence + "}}");
        return pack.settings(folder.path("t.json"));
    }
    void refuse(const std::string &coherence, aianime_result code, const char *text) const {
        expect_error([&] { Models(settings(coherence), at::kFloat, at::kCPU); }, code, text);
    }
};

} // namespace

AIANIME_TEST(templates_choose) {
    const Studio studio;
    write_synthetic(studio.model("raft.safetensors"), read_tensor_list("raft/small"));
    const cv::Size size(128, 128);
    const auto flow_by = [&](const std::string &coherence) {
        const c10::InferenceMode guard;
        const Models models(studio.settings(coherence), at::kFloat, at::kCPU);
        return flow_of(models.flow(), size);
    };
    const cv::Mat dis = flow_by(R"("flow": "dis")");
    const cv::Mat raft = flow_by(R"("flow": "raft", "flow_model": "raft.safetensors", "flow_updates": 2)");
    const c10::InferenceMode guard;
    ck_assert_double_eq(cv::norm(dis, flow_of(OpticalFlow(), size), cv::NORM_INF), 0);
    ck_assert_double_eq(cv::norm(raft, flow_of(OpticalFlow(network(), 2), size), cv::NORM_INF), 0);
}

// Attention along the motion, carried noise and the pictures' fusion ask for the same pairs.
AIANIME_TEST(a_segment_measures_each_pair_once) {
    const c10::InferenceMode guard;
    const Studio studio;
    constexpr int64_t count = 9;
    std::vector<SourcePicture> frames;
    for (int i = 0; i < count; i++)
        frames.push_back({scene({64, 48}, i), int64_t{100000} * i});
    const auto measured = [&](const std::string &coherence, int fusion, const std::vector<SourcePicture> &anchors) {
        Settings settings = studio.settings(R"("window": 4, "overlap": 2, )" + coherence);
        settings.steps = 1;
        settings.fusion = fusion;
        Watch watch(nullptr, nullptr, nullptr);
        Generator generator(settings, watch);
        const std::vector<cv::Mat> pictures = generator.run(frames, anchors);
        ShotFusion fusing(settings, generator.flow(), watch);
        for (size_t i = 0; i < frames.size(); i++)
            fusing.add(frames[i].picture, pictures[i]);
        return static_cast<int64_t>(generator.flow().store()->measured());
    };
    const std::string flow = R"("attention": "flow", "noise": "shared")";
    // One and two frames apart; anchors, of which the first frame is one, are seen from afar, and that is not stored whole.
    const int64_t near = count - 1 + count - 2, to_first = count - 3;
    ck_assert_int_eq(measured(flow, 0, {frames[0]}), near - 2);
    ck_assert_int_eq(measured(flow, 2, {frames[0]}), near);
    ck_assert_int_eq(measured(flow, 2, {frames[0], frames[6]}), near);
    // Frames three and four apart: the fusion's own.
    ck_assert_int_eq(measured(flow, 4, {frames[0]}), near + (count - 3) + (count - 4));
    // Of carried noise: from the first frame to all.
    ck_assert_int_eq(measured(R"("attention": "flow", "noise": "warped")", 2, {frames[0]}), near + to_first);
    ck_assert_int_eq(measured(R"("attention": "anchors", "noise": "shared")", 2, {frames[0]}), near);
}

AIANIME_TEST(models_that_are_refused) {
    const Studio studio;
    studio.refuse(R"("flow": "raft")", AIANIME_BAD_DATA, "coherence.flow: \"raft\" needs a flow_model");
    studio.refuse(R"("flow_model": "raft.safetensors")", AIANIME_BAD_DATA, "coherence.flow_model: \"dis\" uses none");
    const std::string raft = R"("flow": "raft", "flow_model": ")";
    studio.refuse(raft + "none.safetensors\"", AIANIME_NOT_FOUND, "none.safetensors");
    write_synthetic(studio.model("other.safetensors"), {{"conv.weight", "F32", {4}}});
    studio.refuse(raft + "other.safetensors\"", AIANIME_BAD_DATA, "other.safetensors: not a RAFT network");
    write_file(studio.model("raft.pth"), "PK\x03\x04 archive/data.pkl");
    studio.refuse(raft + "raft.pth\"", AIANIME_FORBIDDEN, "convert_pickle.py");
    std::vector<ListedTensor> tensors = read_tensor_list("raft/large");
    tensors.pop_back();
    write_hollow(studio.model("cut.safetensors"), tensors);
    studio.refuse(raft + "cut.safetensors\"", AIANIME_BAD_DATA, "the weights do not fit the network; missing update_block");
}

// Every file that weights are read from is asked about.
AIANIME_TEST(a_file_that_is_not_for_commercial_use) {
    const Studio studio;
    write_synthetic(studio.model("raft.safetensors"), {{"ip_adapter.0.to_q_lora.down.weight", "F32", {4}}});
    Settings settings = studio.settings(R"("flow": "raft", "flow_model": "raft.safetensors")");
    check_licenses(settings);
    settings.commercial = true;
    expect_error([&] { check_licenses(settings); }, AIANIME_FORBIDDEN,
                 "raft.safetensors: IP-Adapter FaceID is not for commercial use");
    settings.flow_model.clear();
    check_licenses(settings);
}

int main() {
    return run_suite("optical_flow",
                     {dis_unless_a_network_is_given, pictures_are_padded_by_their_borders, too_small_for_flow,
                      large_pictures_are_seen_smaller, number_of_updates_counts, each_pair_is_measured_once, from_afar,
                      no_pair_is_measured_again_in_the_next_segment, the_store_is_bounded_and_knows_pictures_by_all_they_show,
                      what_is_stored_whole_is_bounded_in_bytes, pictures_that_were_forgotten_are_seen_again, templates_choose,
                      a_segment_measures_each_pair_once, models_that_are_refused, a_file_that_is_not_for_commercial_use});
}
