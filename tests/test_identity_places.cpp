// SPDX-License-Identifier: LGPL-2.1-or-later
// Two people in one picture: each place reads the words of its own person (nn/local_text.h), from the attention layer to a U-Net.
#include <cmath>
#include <limits>

#include <ATen/core/grad_mode.h>

#include "nn/aten.h"
#include "nn/identity_tokens.h"
#include "nn/local_text.h"
#include "nn/transformer.h"
#include "nn/unet.h"
#include "support.h"
#include "support_networks.h"
#include "train/parameters.h"
#include "train/random.h"

using namespace aianime;

namespace {

constexpr int64_t height = 6, width = 8, channels = 32, text_width = 16, words = 4;

at::Tensor random(uint64_t seed, at::IntArrayRef shape) { return at::randn(shape, train::generator_for(seed, 0, 0), at::kFloat); }

// words: [people, words, width].
nn::LocalText said(const at::Tensor &words, const at::Tensor &masks) {
    return {words.flatten(0, 1), std::vector<int64_t>(static_cast<size_t>(words.size(0)), words.size(1)), masks};
}

at::Tensor mirrored(const at::Tensor &x) { return at::flip(x, {-1}); }

// Two people's words from the network of a pack, made loud enough to be heard by random layers.
at::Tensor words_of(const at::Tensor &descriptors) {
    nn::IdentityConfig config;
    config.hidden = 32;
    config.tokens = words;
    config.width = text_width;
    nn::IdentityTokens network(config);
    train::initialise(network, 5, at::kCPU);
    return network.forward(descriptors) * 3;
}

struct People {
    at::Tensor both = words_of(random(1, {2, 128})), swapped = at::flip(both, {0});
    // One at the left and, as its mirror image, one at the right: soft, with columns between that are nobody's.
    at::Tensor masks = at::zeros({1, 2, height, width});
    People() {
        masks.slice(1, 0, 1).slice(3, 0, 2) = 1;
        masks.slice(1, 0, 1).slice(3, 2, 3) = 0.4;
        masks.select(1, 1).copy_(mirrored(masks.select(1, 0)));
    }
};

// One layer, whose queries know nothing of each other: [1, height * width, channels].
struct Layer {
    nn::Attention attention{channels, text_width, 2};
    at::Tensor x = random(2, {1, height *width, channels}), text = random(3, {1, 7, text_width});

    Layer() { train::initialise(attention, 7, at::kCPU); }

    // Where `local` has no words at all: none are given.
    at::Tensor seen(const nn::LocalText &local) const {
        const at::NoGradGuard no_gradient;
        nn::LocalWords words(local.any() ? local : said(at::zeros({1, 1, text_width}), at::zeros({1, 1, 1, 1})));
        nn::Conditions conditions;
        conditions.text = text;
        conditions.local = local.any() ? &words : nullptr;
        const nn::Prompts prompts = attention.look_at(conditions, height, width);
        return attention.cross({x, 0, 1}, prompts).view({height, width, channels});
    }
};

// A U-Net of one level whose convolutions do not know left from right: what it makes of a mirrored picture is mirrored.
struct MirrorUNet {
    nn::UNet net{nn::UNetConfig::from_json(io::Json::parse(R"({"in_channels": 4, "out_channels": 4, "block_out_channels": [32],
        "down_block_types": ["CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D"], "layers_per_block": 1,
        "attention_head_dim": 2, "cross_attention_dim": 16, "norm_num_groups": 8})",
                                                           "config"))};
    at::Tensor x, text = random(3, {1, 7, text_width});

    MirrorUNet() {
        train::initialise(net.module(), 9, at::kCPU);
        net.module().visit([](const std::string &, at::Tensor &tensor, const std::vector<int64_t> &) {
            if (tensor.dim() == 4)
                tensor = (tensor + at::flip(tensor, {3})) / 2;
        });
        net.module().call_loaded();
        const at::Tensor half = random(4, {1, 4, height, width});
        x = half + mirrored(half);
    }
    at::Tensor made(const nn::LocalText &local) const {
        const at::NoGradGuard no_gradient;
        return net.forward(x, 500.0, text, nullptr, nullptr, nullptr, nullptr, &local);
    }
};

} // namespace

AIANIME_TEST(each_place_reads_its_own_person) {
    const Layer layer;
    const People people;
    const at::Tensor plain = layer.seen({}), both = layer.seen(said(people.both, people.masks)),
                     swapped = layer.seen(said(people.swapped, people.masks));
    const auto alone = [&](int64_t person, int64_t place) { // one person, at one of the two places
        return layer.seen(said(people.both.slice(0, person, person + 1), people.masks.slice(1, place, place + 1)));
    };
    const auto left = [](const at::Tensor &seen) { return seen.slice(1, 0, 3); };
    const auto right = [](const at::Tensor &seen) { return seen.slice(1, width - 3, width); };
    expect_close(left(both), left(alone(0, 0)), 1e-6, "the first person's place");
    expect_close(right(both), right(alone(1, 1)), 1e-6, "the second person's place");
    expect_close(left(swapped), left(alone(1, 0)), 1e-6, "the first place, people swapped");
    expect_close(right(swapped), right(alone(0, 1)), 1e-6, "the second place, people swapped");
    ck_assert(relative_error(left(both), left(swapped)) > 0.05 && relative_error(right(both), right(swapped)) > 0.05);
    // Nobody's places see the text only.
    expect_close(both.slice(1, 3, width - 3), plain.slice(1, 3, width - 3), 1e-6, "outside");
    ck_assert(relative_error(left(both), left(plain)) > 0.05);
}

AIANIME_TEST(the_order_of_people_is_no_matter) {
    const Layer layer;
    const People people;
    expect_close(layer.seen(said(people.swapped, at::flip(people.masks, {1}))), layer.seen(said(people.both, people.masks)), 1e-6,
                 "people and masks in another order");
}

AIANIME_TEST(a_mask_of_nothing_is_no_words) {
    const Layer layer;
    const People people;
    expect_close(layer.seen(said(people.both, people.masks * 0)), layer.seen({}), 1e-6, "masks of 0");
    // Where the mask is 1, people's words are words like the text's.
    Layer longer;
    longer.text = at::cat({layer.text, people.both.slice(0, 0, 1)}, 1);
    const at::Tensor everywhere = at::ones({1, 1, height, width});
    expect_close(layer.seen(said(people.both.slice(0, 0, 1), everywhere)), longer.seen({}), 1e-5, "a mask of 1 everywhere");
    // A weight of 2 counts as if every word were there twice.
    longer.text = at::cat({longer.text, people.both.slice(0, 0, 1)}, 1);
    expect_close(layer.seen(said(people.both.slice(0, 0, 1), everywhere * 2)), longer.seen({}), 1e-5, "a weight of 2");
}

AIANIME_TEST(swapped_people_swap_what_a_network_makes) {
    const MirrorUNet net;
    const People people;
    const at::Tensor both = net.made(said(people.both, people.masks)), swapped = net.made(said(people.swapped, people.masks));
    expect_close(mirrored(net.made({})), net.made({}), 1e-5, "a mirrored picture without people");
    expect_close(mirrored(swapped), both, 1e-5, "the picture with the people swapped");
    ck_assert_msg(relative_error(mirrored(both), both) > 1e-3, "the people make no difference");
}

AIANIME_TEST(the_pack_s_words_tell_people_apart) {
    const auto network = nn::IdentityTokens::load(tests_folder() + "/../models/pocket/identity", at::kFloat, at::kCPU);
    const at::Tensor said = network->forward(random(8, {2, 128}));
    ck_assert(at::isfinite(said).all().item<bool>());
    ck_assert(relative_error(said[0], said[1]) > 0.01);
}

int main() {
    return run_suite("identity_places",
                     {each_place_reads_its_own_person, the_order_of_people_is_no_matter, a_mask_of_nothing_is_no_words,
                      swapped_people_swap_what_a_network_makes, the_pack_s_words_tell_people_apart});
}
