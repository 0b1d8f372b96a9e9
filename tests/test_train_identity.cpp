// SPDX-License-Identifier: LGPL-2.1-or-later
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <cmath>

#include "nn/aten.h"
#include "pipeline/faces.h"
#include "pipeline/picture_tensor.h"
#include "support.h"
#include "support_networks.h"
#include "train/face_marks.h"
#include "train/identity.h"
#include "train/loop.h"
#include "train/parameters.h"
#include "train/random.h"

using namespace aianime;

namespace {

std::string models() { return tests_folder() + "/../models/face"; }

struct Source {
    cv::Mat rgb;
    at::Tensor picture; // [1, 3, 192, 192]
    pipeline::Face face;
    at::Tensor descriptor; // [1, 128]

    Source() {
        cv::cvtColor(cv::imread(tests_folder() + "/golden/face/astronaut.png", cv::IMREAD_COLOR), rgb, cv::COLOR_BGR2RGB);
        cv::Mat floats;
        rgb.convertTo(floats, CV_32F, 1.0 / 255);
        picture = pipeline::to_tensor(floats);
        face = pipeline::FaceFinder(models(), at::kCPU).find(rgb).at(0);
        descriptor = at::tensor(at::ArrayRef<float>(face.descriptor)).view({1, 128});
    }
};

nn::IdentityConfig small_config() {
    nn::IdentityConfig config;
    config.hidden = 32;
    config.tokens = 4;
    config.width = 16;
    return config;
}

// A decoder that never learns: what it paints over a picture is a coarse pattern that the tokens choose.
struct Painter {
    at::Tensor canvas, patterns;

    explicit Painter(const Source &source)
        : patterns(at::randn({64, 3 * 16 * 16}, train::generator_for(3, 0, 0), at::kFloat) * 0.06) {
        const at::Tensor small = at::_upsample_bilinear2d_aa(source.picture, {20, 20}, false);
        canvas = at::upsample_bilinear2d(small, {192, 192}, false);
        patterns.requires_grad_(false);
    }
    at::Tensor paint(const at::Tensor &tokens) const {
        const at::Tensor pattern = at::matmul(tokens.flatten(1), patterns).view({-1, 3, 16, 16});
        return (canvas + at::upsample_bilinear2d(pattern, {192, 192}, false)).clamp(0, 1);
    }
};

} // namespace

AIANIME_TEST(tokens_have_the_text_s_width) {
    nn::IdentityTokens tokens(small_config());
    train::initialise(tokens, 1, at::kCPU);
    const at::Tensor descriptors = at::randn({3, 128}, train::generator_for(1, 0, 0), at::kFloat);
    const at::Tensor out = tokens.forward(descriptors);
    ck_assert(out.sizes() == at::IntArrayRef({3, 4, 16}));
    expect_close(tokens.forward(descriptors * 3), out, 1e-5, "a longer descriptor");
    ck_assert(at::isfinite(tokens.forward(at::zeros({1, 128}))).all().item<bool>());
}

AIANIME_TEST(tokens_are_read_as_they_were_written) {
    const TempFolder folder;
    nn::IdentityTokens tokens(small_config());
    train::initialise(tokens, 1, at::kCPU);
    train::write_identity(tokens, folder.path("identity"));
    const auto read = nn::IdentityTokens::load(folder.path("identity"), at::kFloat, at::kCPU);
    const at::Tensor descriptors = at::randn({2, 128}, train::generator_for(1, 0, 0), at::kFloat);
    expect_close(read->forward(descriptors), tokens.forward(descriptors), 2e-2, "tokens in bfloat16");
    write_file(folder.path("identity/config.json"), "{\"tokens\": 5, \"hidden_width\": 32, \"width\": 16}");
    expect_error([&] { nn::IdentityTokens::load(folder.path("identity"), at::kFloat, at::kCPU); }, AIANIME_BAD_DATA, "out.weight");
    write_file(folder.path("identity/config.json"), "{\"token\": 4}");
    expect_error([&] { nn::IdentityTokens::load(folder.path("identity"), at::kFloat, at::kCPU); }, AIANIME_BAD_DATA, "token");
    expect_error([&] { nn::IdentityTokens::load(folder.path("nothing"), at::kFloat, at::kCPU); }, AIANIME_NOT_FOUND, "config.json");
}

AIANIME_TEST(the_judge_sees_what_the_finder_sees) {
    const Source source;
    const train::IdentityJudge judge(models(), at::kCPU);
    const at::Tensor moved = at::roll(source.picture, {-30, 20}, {2, 3});
    vision::FacePoints moved_points = source.face.points;
    for (cv::Point2f &point : moved_points)
        point += cv::Point2f(20, -30);
    const at::Tensor seen = judge.descriptors(at::cat({source.picture, moved, at::full_like(moved, 0.5)}),
                                              {source.face.points, moved_points, source.face.points});
    ck_assert(train::likeness(seen.slice(0, 0, 1), source.descriptor).distance < 0.2);
    expect_close(seen.slice(0, 1, 2), seen.slice(0, 0, 1), 1e-3, "descriptor of the moved picture");
    ck_assert(train::likeness(seen.slice(0, 2, 3), source.descriptor).distance > 0.6);
    ck_assert(train::likeness(seen.slice(0, 0, 1), seen.slice(0, 0, 1)).cosine > 0.999);
    const at::Tensor loss = judge.loss(source.picture, {source.face.points}, seen.slice(0, 0, 1));
    ck_assert(loss.item<double>() < 1e-5);
    // A face that the picture shows only in part, or not at all, is no error.
    vision::FacePoints outside = source.face.points;
    for (cv::Point2f &point : outside)
        point += cv::Point2f(150, -400);
    ck_assert(at::isfinite(judge.descriptors(source.picture, {outside})).all().item<bool>());
}

AIANIME_TEST(the_gradient_reaches_the_tokens_network_only) {
    const Source source;
    const train::IdentityJudge judge(models(), at::kCPU);
    const Painter painter(source);
    nn::IdentityTokens tokens(small_config());
    train::initialise(tokens, 1, at::kCPU);
    const train::Parameters parameters = train::trainable(tokens, "identity.");
    const at::Tensor picture = painter.paint(tokens.forward(source.descriptor));
    judge.loss(picture, {source.face.points}, source.descriptor).backward();
    for (const auto &[name, tensor] : parameters)
        ck_assert_msg(tensor.grad().defined() && tensor.grad().abs().sum().item<double>() > 0, "%s has no gradient", name.c_str());
    ck_assert(!painter.patterns.grad().defined() && !source.descriptor.grad().defined());
    ck_assert(!judge.descriptors(source.picture, {source.face.points}).requires_grad());
}

AIANIME_TEST(the_loss_falls) {
    const TempFolder folder;
    const Source source;
    const train::IdentityJudge judge(models(), at::kCPU);
    const Painter painter(source);
    nn::IdentityTokens tokens(small_config());
    train::initialise(tokens, 1, at::kCPU);
    const train::Parameters parameters = train::trainable(tokens, "identity.");
    train::LoopOptions options;
    options.title = "identity";
    options.folder = folder.path();
    options.steps = 30;
    options.learning_rate = 5e-3;
    options.warmup = 3;
    std::vector<double> losses;
    const auto loss = [&](int64_t, int64_t) {
        const at::Tensor value =
            judge.loss(painter.paint(tokens.forward(source.descriptor)), {source.face.points}, source.descriptor);
        losses.push_back(value.item<double>());
        return value;
    };
    train::run_loop(parameters, options, loss, nullptr, {});
    ck_assert_msg(losses.back() < 0.75 * losses.front(), "the loss went from %.4f to %.4f", losses.front(), losses.back());
}

AIANIME_TEST(marks_for_the_teacher_hold_the_points) {
    const Source source;
    const std::vector<train::FaceMark> marks = train::face_marks({source.face});
    ck_assert_uint_eq(marks.size(), 1);
    ck_assert(marks[0].box == source.face.box);
    for (const cv::Rect2f &part : {marks[0].left_eye, marks[0].right_eye, marks[0].mouth})
        ck_assert((part & marks[0].box) == part && part.width > part.height && part.height > 1);
    ck_assert(marks[0].left_eye.br().x < marks[0].right_eye.x && marks[0].mouth.y > marks[0].left_eye.br().y);
    ck_assert(train::face_marks({}).empty());
}

int main() {
    return run_suite("train_identity",
                     {tokens_have_the_text_s_width, tokens_are_read_as_they_were_written, the_judge_sees_what_the_finder_sees,
                      the_gradient_reaches_the_tokens_network_only, the_loss_falls, marks_for_the_teacher_hold_the_points});
}
