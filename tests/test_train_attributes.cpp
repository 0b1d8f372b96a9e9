// SPDX-License-Identifier: LGPL-2.1-or-later
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <filesystem>

#include "nn/aten.h"
#include "nn/face/attribute_head.h"
#include "nn/weights.h"
#include "pipeline/faces.h"
#include "support.h"
#include "support_networks.h"
#include "train/attributes.h"
#include "train/state_file.h"

using namespace aianime;
namespace fs = std::filesystem;

namespace {

std::string models() { return tests_folder() + "/../models/face"; }

cv::Mat astronaut() { return cv::imread(tests_folder() + "/golden/face/astronaut.png", cv::IMREAD_COLOR); }

// A smooth disc with two dark spots on noise, of one colour or another.
cv::Mat drawn_face(const cv::Scalar &color, int seed) {
    cv::Mat picture(96, 96, CV_8UC3);
    cv::RNG random(seed);
    random.fill(picture, cv::RNG::UNIFORM, 40, 200);
    const cv::Point middle(44 + random.uniform(0, 8), 44 + random.uniform(0, 8));
    cv::ellipse(picture, middle, {30, 40}, 0, 0, 360, color + cv::Scalar::all(random.uniform(-25, 25)), cv::FILLED);
    for (const int x : {-12, 12})
        cv::circle(picture, middle + cv::Point(x, -8), 4, {30, 30, 30}, cv::FILLED);
    return picture;
}

void write_pictures(const std::string &folder, const cv::Scalar &color, int count, int seed) {
    fs::create_directories(folder);
    for (int i = 0; i < count; i++)
        cv::imwrite(folder + "/" + std::to_string(i) + ".png", drawn_face(color, seed + i));
}

void write_classes(const std::string &folder, int count = 10) {
    write_pictures(folder + "/warm", {80, 120, 220}, count, 100);
    write_pictures(folder + "/cold", {220, 140, 80}, count, 200);
}

train::AttributeOptions options_for(const std::string &folder, const std::string &name) {
    train::AttributeOptions options;
    options.folder = folder + "/pictures";
    options.output = folder + "/" + name + ".safetensors";
    options.work = folder + "/" + name;
    options.name = "tone";
    options.faces = models();
    options.crops = true;
    options.steps = 60;
    options.batch = 8;
    return options;
}

struct Said {
    std::vector<std::string> lines;
    int64_t stop_after = -1, asked = 0;

    train::Report report() {
        train::Report report;
        report.line = [this](const std::string &line) { lines.push_back(line); };
        report.stop_wanted = [this] { return stop_after >= 0 && asked++ >= stop_after; };
        return report;
    }
    bool has(const std::string &part) const {
        return std::any_of(lines.begin(), lines.end(),
                           [&](const std::string &line) { return line.find(part) != std::string::npos; });
    }
};

train::AttributeResult run(const train::AttributeOptions &options, int64_t stop_after = -1) {
    Said said;
    said.stop_after = stop_after;
    return train::train_attributes(options, said.report());
}

void load_shared(nn::AgeGender &network) {
    nn::load_face_network(network, nn::WeightSource::from_file(models() + "/age_gender.safetensors"), at::kCPU);
}

} // namespace

AIANIME_TEST(a_frozen_trunk_learns_a_head) {
    const TempFolder folder;
    write_classes(folder.path("pictures"));
    const train::AttributeResult result = run(options_for(folder.path(), "tone"));
    ck_assert(result.end == train::LoopEnd::done);
    ck_assert(result.classes == (std::vector<std::string>{"cold", "warm"}));
    ck_assert_int_eq(static_cast<int>(result.trained_on), 16);
    ck_assert_int_eq(static_cast<int>(result.checked_on), 4);
    ck_assert_double_eq(result.accuracy(), 1);
    ck_assert(result.confusion == (std::vector<std::vector<int64_t>>{{2, 0}, {0, 2}}));

    const train::StateFile written = train::read_tensors(folder.path("tone.safetensors"));
    ck_assert_uint_eq(written.tensors.size(), 2);
    // What the trunk was after training is what it is in the file: the hash is over its bits.
    nn::AgeGender shared;
    load_shared(shared);
    ck_assert(written.metadata.at("trunk") == nn::trunk_hash(shared));
    ck_assert_str_eq(written.metadata.at("classes").c_str(), "cold/warm");
}

AIANIME_TEST(a_trained_trunk_is_in_the_file) {
    const TempFolder folder;
    write_classes(folder.path("pictures"), 6);
    train::AttributeOptions options = options_for(folder.path(), "tone");
    options.own_trunk = true;
    options.steps = 12;
    options.batch = 4;
    run(options);
    nn::AgeGender shared;
    load_shared(shared);
    const auto head = nn::AttributeHead::load(options.output, shared, at::kCPU);
    ck_assert(head->trunk != nullptr);
    ck_assert(nn::trunk_hash(*head->trunk) != nn::trunk_hash(shared));
    ck_assert_str_eq(head->name().c_str(), "tone");
}

AIANIME_TEST(a_resumed_run_is_an_uninterrupted_one) {
    const TempFolder folder;
    write_classes(folder.path("pictures"), 4);
    train::AttributeOptions whole = options_for(folder.path(), "whole"), parts = options_for(folder.path(), "parts");
    whole.steps = parts.steps = 14;
    run(whole);
    ck_assert(run(parts, 6).end == train::LoopEnd::stopped);
    ck_assert(!fs::exists(parts.output));
    ck_assert(run(parts).end == train::LoopEnd::done);
    for (const auto &[name, tensor] : train::read_tensors(whole.output).tensors) {
        bool same = false;
        for (const auto &[other, value] : train::read_tensors(parts.output).tensors)
            same = same || (other == name && at::equal(value, tensor));
        ck_assert_msg(same, "%s differs", name.c_str());
    }
    parts.seed = 2;
    expect_error([&] { run(parts); }, AIANIME_INVALID, "other pictures or with other options");
}

AIANIME_TEST(a_head_answers_beside_age_and_gender) {
    const TempFolder folder;
    write_classes(folder.path("pictures"), 4);
    train::AttributeOptions options = options_for(folder.path(), "tone");
    options.steps = 20;
    run(options);
    cv::Mat rgb;
    cv::cvtColor(astronaut(), rgb, cv::COLOR_BGR2RGB);
    const std::vector<pipeline::Face> faces = pipeline::FaceFinder(models(), at::kCPU, {options.output}).find(rgb);
    ck_assert_uint_eq(faces.at(0).attributes.size(), 1);
    const pipeline::FaceAttribute &tone = faces[0].attributes[0];
    ck_assert(tone.classes == (std::vector<std::string>{"cold", "warm"}));
    ck_assert(tone.probabilities.at(tone.best()) >= 0.5f);
    ck_assert_float_eq_tol(tone.probabilities.at(0) + tone.probabilities.at(1), 1, 1e-5f);
}

AIANIME_TEST(the_largest_face_is_cut_out) {
    const TempFolder folder;
    for (const char *name : {"plain", "dark"})
        for (int i = 0; i < 2; i++) {
            cv::Mat picture(400, 500, CV_8UC3, cv::Scalar(90, 110, 100)), face = astronaut(), small;
            face.convertTo(face, -1, std::string(name) == "dark" ? 0.6 : 1.0);
            cv::resize(face, small, {90, 90});
            face.copyTo(picture(cv::Rect(200 + 20 * i, 150, face.cols, face.rows)));
            small.copyTo(picture(cv::Rect(10, 10, 90, 90)));
            fs::create_directories(folder.path(std::string("pictures/") + name));
            cv::imwrite(folder.path(std::string("pictures/") + name + "/" + std::to_string(i) + ".png"), picture);
        }
    cv::imwrite(folder.path("pictures/plain/wall.png"), cv::Mat(200, 200, CV_8UC3, cv::Scalar(90, 110, 100)));
    train::AttributeOptions options = options_for(folder.path(), "tone");
    options.crops = false;
    options.steps = 2;
    Said said;
    ck_assert_int_eq(static_cast<int>(train::train_attributes(options, said.report()).checked_on), 2);
    ck_assert(said.has("wall.png: no face is seen, left out"));
}

AIANIME_TEST(bad_folders_are_refused) {
    const TempFolder folder;
    train::AttributeOptions options = options_for(folder.path(), "tone");
    expect_error([&] { run(options); }, AIANIME_NOT_FOUND, "no such folder");
    options.output = folder.path("nowhere/tone.safetensors");
    expect_error([&] { run(options); }, AIANIME_NOT_FOUND, "nowhere");
    options.output = folder.path("tone.safetensors");
    fs::create_directories(options.folder);
    expect_error([&] { run(options); }, AIANIME_BAD_DATA, "at least two (0 are there)");
    write_pictures(options.folder + "/warm", {80, 120, 220}, 3, 1);
    expect_error([&] { run(options); }, AIANIME_BAD_DATA, "at least two (1 are there)");
    fs::create_directories(options.folder + "/cold");
    expect_error([&] { run(options); }, AIANIME_BAD_DATA, "cold");
    write_pictures(options.folder + "/cold", {220, 140, 80}, 1, 1);
    expect_error([&] { run(options); }, AIANIME_BAD_DATA, "cold: has 1 picture with a face; at least two");
    fs::create_directories(options.folder + "/a\nb");
    expect_error([&] { run(options); }, AIANIME_BAD_DATA, "cannot stand as a class");
    fs::remove_all(options.folder + "/a\nb");
    write_pictures(options.folder + "/cold", {220, 140, 80}, 2, 1);
    write_file(options.folder + "/cold/broken.png", "not a picture");
    write_file(options.folder + "/beside.png", "beside");
    fs::create_directories(options.folder + "/.hidden");
    options.steps = 1;
    Said said;
    ck_assert_int_eq(static_cast<int>(train::train_attributes(options, said.report()).trained_on), 3);
    ck_assert(said.has("broken.png") && said.has("1 file beside"));
}

AIANIME_TEST(files_that_are_no_heads_are_refused) {
    const TempFolder folder;
    nn::AgeGender shared;
    load_shared(shared);
    expect_error([&] { nn::AttributeHead::load(models() + "/age_gender.safetensors", shared, at::kCPU); }, AIANIME_BAD_DATA,
                 "is no head for faces");
    nn::AttributeHead head("tone", {"cold", "warm"}, false);
    head.head.weight = at::zeros({2, 512});
    head.head.bias = at::zeros({2});
    head.save(folder.path("tone.safetensors"), shared);
    nn::AttributeHead::load(folder.path("tone.safetensors"), shared, at::kCPU);
    head.head.bias = at::full({2}, NAN);
    head.save(folder.path("broken.safetensors"), shared);
    expect_error([&] { nn::AttributeHead::load(folder.path("broken.safetensors"), shared, at::kCPU); }, AIANIME_BAD_DATA,
                 "not finite");
    shared.visit([](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        if (name == "entry_flow.conv_in.bias")
            tensor = tensor + 1e-6;
    });
    expect_error([&] { nn::AttributeHead::load(folder.path("tone.safetensors"), shared, at::kCPU); }, AIANIME_BAD_DATA,
                 "another age_gender network");
}

int main() {
    return run_suite("train_attributes",
                     {a_frozen_trunk_learns_a_head, a_trained_trunk_is_in_the_file, a_resumed_run_is_an_uninterrupted_one,
                      a_head_answers_beside_age_and_gender, the_largest_face_is_cut_out, bad_folders_are_refused,
                      files_that_are_no_heads_are_refused});
}
