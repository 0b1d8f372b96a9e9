// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/cfa_module.h"

#include "nn/aten.h"
#include "support.h"
#include "support_networks.h"
#include "train/parameters.h"

using namespace aianime;

namespace {

constexpr int64_t height = 8, width = 12, frames = 3;

nn::UNetConfig unet_config() {
    return nn::UNetConfig::from_json(io::Json::parse(R"({"in_channels": 4, "out_channels": 4, "block_out_channels": [8, 12, 16],
        "layers_per_block": [1, 2, 1], "norm_num_groups": 4, "attention_head_dim": 2, "cross_attention_dim": 8,
        "down_block_types": ["DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"]})",
                                                     "unet"));
}

at::Tensor random(at::IntArrayRef shape, uint64_t seed) {
    return at::randn(shape, at::detail::createCPUGenerator(seed), at::kFloat);
}

struct Networks {
    Networks() : unet(unet_config()), cfa(nn::CfaConfig::for_unet(unet.config()), unet.config(), "cfa") {
        train::initialise(unet.module(), 1, at::kCPU);
        train::initialise(cfa.module(), 2, at::kCPU);
    }
    nn::UNet unet;
    nn::CfaModule cfa;
};

// Frames of a clip that moves to the right; the second branch, where there is one, in its own way.
nn::FlowField moves(int64_t sets, int64_t count, int64_t slots) {
    const at::Tensor flow = random({sets, count, slots, 2, height, width}, 7) + 1;
    return {flow, at::rand({sets, count, slots, height, width}, at::detail::createCPUGenerator(8), at::kFloat)};
}

const std::vector<int64_t> line = {-1, -1, -1, 1, -1, 0, 2, -1, 0, 1, -1, -1}; // offsets -2, -1, 1, 2 of three frames

at::Tensor run(const Networks &networks, const at::Tensor &x, nn::CrossFrames *cross, const nn::Timesteps &timesteps = 500.0) {
    nn::FrameAttention attention;
    attention.branches = cross ? cross->branches : 1;
    attention.frames = x.size(0) / attention.branches;
    attention.cross = cross;
    return networks.unet.forward(x, timesteps, random({1, 5, 8}, 4), &attention, nullptr);
}

// The anchor's pass, then that of the frames.
at::Tensor run_clip(const Networks &networks, const at::Tensor &anchor, const at::Tensor &x, const nn::FlowField &places,
                    int64_t branches = 1) {
    nn::CfaStore store;
    nn::CrossFrames first = {&networks.cfa, branches, 1, {}, {}, &store, true};
    run(networks, anchor, &first);
    nn::CrossFrames cross = {&networks.cfa, branches, x.size(0) / branches, line, places, &store};
    return run(networks, x, &cross);
}

void zero_out(nn::CfaModule &cfa) {
    cfa.module().visit([](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        if (name.find("to_out") != std::string::npos)
            tensor.zero_();
    });
}

} // namespace

AIANIME_TEST(a_frame_that_sees_no_other_is_what_the_unet_makes_it) {
    const Networks networks;
    const at::Tensor x = random({frames, 4, height, width}, 3), plain = run(networks, x, nullptr);
    nn::CrossFrames alone = {&networks.cfa, 1, frames};
    ck_assert(run(networks, x, &alone).equal(plain));
    nn::CfaStore store;
    nn::CrossFrames anchor = {&networks.cfa, 1, 1, {}, {}, &store, true};
    const at::Tensor first = x.slice(0, 0, 1);
    ck_assert(run(networks, first, &anchor).equal(run(networks, first, nullptr)));
    ck_assert_uint_eq(store.layers.size(), 1 + 2 + 1 + 1 + 2 + 3 + 2);
    nn::FlowField hidden = moves(1, frames, 4);
    hidden.valid.zero_();
    nn::CrossFrames blind = {&networks.cfa, 1, frames, line, hidden};
    expect_close(run(networks, x, &blind), plain, 1e-5, "nothing of the neighbours is seen");
}

AIANIME_TEST(it_begins_without_a_say) {
    Networks networks;
    const at::Tensor x = random({frames, 4, height, width}, 3), anchor = random({1, 4, height, width}, 5);
    const at::Tensor plain = run(networks, x, nullptr);
    ck_assert_double_gt(relative_error(run_clip(networks, anchor, x, moves(1, frames, 5)), plain), 1e-2);
    zero_out(networks.cfa);
    ck_assert(run_clip(networks, anchor, x, moves(1, frames, 5)).equal(plain));
}

// Copies of one frame have nothing to tell each other.
AIANIME_TEST(a_clip_that_stands_still_is_its_picture) {
    const Networks networks;
    const at::Tensor x = random({1, 4, height, width}, 3), copies = x.expand({frames, -1, -1, -1});
    const nn::FlowField none = {at::zeros({1, frames, 4, 2, height, width}), at::ones({1, frames, 4, height, width})};
    nn::CrossFrames cross = {&networks.cfa, 1, frames, line, none};
    expect_close(run(networks, copies, &cross), run(networks, x, nullptr).expand({frames, -1, -1, -1}), 1e-4,
                 "neighbours in place");
}

AIANIME_TEST(branches_do_not_see_each_other) {
    const Networks networks;
    const at::Tensor x = random({2 * frames, 4, height, width}, 3), anchors = random({2, 4, height, width}, 5);
    const nn::FlowField own = moves(2, frames, 5), shared = moves(1, frames, 5);
    const at::Tensor both = run_clip(networks, anchors, x, own, 2), alike = run_clip(networks, anchors, x, shared, 2);
    for (int64_t i = 0; i < 2; i++) {
        const at::Tensor anchor = anchors.slice(0, i, i + 1), clip = x.slice(0, i * frames, (i + 1) * frames);
        const nn::FlowField part = {own.flow.slice(0, i, i + 1), own.valid.slice(0, i, i + 1)};
        expect_close(both.slice(0, i * frames, (i + 1) * frames), run_clip(networks, anchor, clip, part), 1e-4, "flows of its own");
        expect_close(alike.slice(0, i * frames, (i + 1) * frames), run_clip(networks, anchor, clip, shared), 1e-4, "shared flows");
    }
}

AIANIME_TEST(every_weight_learns) {
    Networks networks;
    train::trainable(networks.unet.module(), "", [](const std::string &) { return false; });
    const train::Parameters parameters = train::trainable(networks.cfa.module(), "cfa.");
    const at::Tensor x = random({2 * frames, 4, height, width}, 3), anchors = random({2, 4, height, width}, 5);
    nn::CfaStore store;
    nn::CrossFrames first = {&networks.cfa, 2, 1, {}, {}, &store, true};
    run(networks, anchors, &first, at::tensor({900.0f, 20.0f}));
    nn::CrossFrames cross = {&networks.cfa, 2, frames, line, moves(2, frames, 5), &store};
    const at::Tensor times = at::tensor({900.0f, 900.0f, 900.0f, 20.0f, 20.0f, 20.0f});
    run(networks, x, &cross, times).square().sum().backward();
    for (const auto &[name, tensor] : parameters) {
        ck_assert_msg(tensor.grad().defined(), "%s has no gradient", name.c_str());
        const double size = tensor.grad().abs().max().item<double>();
        ck_assert_msg(size > 0 && std::isfinite(size), "%s has a gradient of %g", name.c_str(), size);
    }
}

AIANIME_TEST(bfloat16_is_near) {
    Networks networks;
    const at::Tensor x = random({frames, 4, height, width}, 3), anchor = random({1, 4, height, width}, 5);
    const at::Tensor exact = run_clip(networks, anchor, x, moves(1, frames, 5));
    const auto narrow = [](const std::string &, at::Tensor &tensor, const std::vector<int64_t> &) {
        tensor = tensor.to(at::kBFloat16);
    };
    networks.unet.module().visit(narrow);
    networks.cfa.module().visit(narrow);
    networks.unet.module().call_loaded();
    expect_close(run_clip(networks, anchor, x, moves(1, frames, 5)), exact, 0.05, "bfloat16");
}

AIANIME_TEST(a_configuration_is_read_as_it_is_written) {
    const nn::UNetConfig unet = unet_config();
    const nn::CfaConfig config = nn::CfaConfig::for_unet(unet);
    const nn::CfaConfig read = nn::CfaConfig::from_json(io::Json::parse(config.to_json(), "config.json"));
    ck_assert(read.channels == config.channels && read.layers == config.layers && read.widths == config.widths);
    ck_assert(read.grid == config.grid && read.heads == config.heads && read.neighbours == config.neighbours);
    nn::UNetConfig other = unet;
    other.block_out_channels = {8, 8, 16};
    expect_error([&] { nn::CfaModule(config, other, "pack/cfa"); }, AIANIME_BAD_DATA,
                 "pack/cfa: this attention between frames was");
    const auto refused = [](const std::string &from, const std::string &to, const char *why) {
        std::string text = nn::CfaConfig::for_unet(unet_config()).to_json();
        text.replace(text.find(from), from.size(), to);
        expect_error([&] { nn::CfaConfig::from_json(io::Json::parse(text, "config.json")); }, AIANIME_BAD_DATA, why);
    };
    refused("\"heads\": 2", "\"heads\": 5", "heads");
    refused("\"heads\": 2", "\"heads\": 2, \"dropout\": 0.1", "dropout");
    refused("[-2, -1, 1, 2]", "[-2, 0]", "neighbours");
    refused("\"widths\": [16, 16, 16]", "\"widths\": [8]", "widths");
}

int main() {
    return run_suite("cfa_module", {a_frame_that_sees_no_other_is_what_the_unet_makes_it, it_begins_without_a_say,
                                    a_clip_that_stands_still_is_its_picture, branches_do_not_see_each_other, every_weight_learns,
                                    bfloat16_is_near, a_configuration_is_read_as_it_is_written});
}
