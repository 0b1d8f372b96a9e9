// SPDX-License-Identifier: LGPL-2.1-or-later
// Captions of pictures from BLIP-2 folders, as transformers gives them (tests/golden/make_blip2.py), and folders that are not
// whole.
#include <filesystem>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "caption/blip2.h"
#include "caption/one_line.h"
#include "io/file.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"
#include "support_blip2.h"

using namespace aianime;
using caption::Blip2Captioner;
using caption::Blip2Settings;

namespace {

namespace fs = std::filesystem;

std::string golden(const std::string &name) { return tests_folder() + "/golden/blip2/" + name; }

std::vector<cv::Mat> pictures() {
    const nn::WeightSource source = nn::WeightSource::from_file(golden("pictures.safetensors"));
    std::vector<cv::Mat> found;
    for (int i = 0; i < 4; ++i) {
        const at::Tensor codes = source.tensor("picture" + std::to_string(i), at::kFloat, at::kCPU);
        const at::Tensor rows = (codes[0].permute({1, 2, 0}) / 255).contiguous();
        const cv::Mat view(static_cast<int>(rows.size(0)), static_cast<int>(rows.size(1)), CV_32FC3, rows.data_ptr());
        found.push_back(view.clone());
    }
    return found;
}

void check_captions(const std::string &name) {
    const std::vector<cv::Mat> shown = pictures();
    for (const WantedCaption &wanted : wanted_captions(name)) {
        const Blip2Captioner captioner(golden(name), at::kFloat, at::kCPU, {wanted.prompt, wanted.settings});
        const std::string found = captioner.caption(shown[static_cast<size_t>(wanted.picture)]);
        expect_text(found, wanted.text);
    }
}

// A copy of the folder in two shards.
std::string copied(const TempFolder &folder) {
    fs::copy(golden("sharded"), folder.path("model"));
    return folder.path("model");
}

void expect_refusal(const std::string &folder, aianime_result code, const char *part) {
    expect_error([&] { Blip2Captioner(folder, at::kFloat, at::kCPU); }, code, part);
}

void replace(const std::string &path, const std::string &before, const std::string &after) {
    std::string text = io::read_file(path, 1 << 20);
    const size_t at = text.find(before);
    ck_assert(at != std::string::npos);
    write_file(path, text.replace(at, before.size(), after));
}

} // namespace

AIANIME_TEST(captions_from_shards) { check_captions("sharded"); }
AIANIME_TEST(captions_from_one_file) { check_captions("own_head"); }
AIANIME_TEST(captions_of_an_older_release) { check_captions("older"); }

AIANIME_TEST(bfloat16_and_parts_of_pictures) {
    const Blip2Captioner captioner(golden("sharded"), at::kBFloat16, at::kCPU);
    const std::vector<cv::Mat> shown = pictures();
    cv::Mat larger;
    cv::copyMakeBorder(shown[1], larger, 3, 4, 5, 6, cv::BORDER_CONSTANT);
    const cv::Mat part = larger(cv::Rect(5, 3, shown[1].cols, shown[1].rows)); // its rows do not follow each other in memory
    const std::string caption = captioner.caption(part);
    ck_assert(!caption.empty());
    expect_text(captioner.caption(shown[1]), caption);
    ck_assert(!captioner.caption(cv::Mat(1, 1, CV_32FC3, cv::Scalar::all(0.5))).empty());
}

AIANIME_TEST(several_threads) {
    const Blip2Captioner captioner(golden("sharded"), at::kFloat, at::kCPU);
    const std::vector<cv::Mat> shown = pictures();
    std::vector<std::string> alone(shown.size()), together(shown.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < shown.size(); ++i)
        alone[i] = captioner.caption(shown[i]);
    for (size_t i = 0; i < shown.size(); ++i)
        threads.emplace_back([&, i] { together[i] = captioner.caption(shown[i]); });
    for (std::thread &thread : threads)
        thread.join();
    for (size_t i = 0; i < shown.size(); ++i)
        expect_text(together[i], alone[i]);
}

AIANIME_TEST(one_line_of_text) {
    expect_text(caption::one_line(" a \n\t b\u00a0\u2028c\x01 "), "a b c");
    expect_text(caption::one_line("\n \t"), "");
    expect_text(caption::one_line("caf\u00e9 \xff"), "caf\u00e9 \uFFFD");
}

AIANIME_TEST(shards_that_are_missing_or_half_there) {
    const TempFolder missing, half, header;
    const std::string second = "/model-00002-of-00002.safetensors";
    const std::string without = copied(missing), cut = copied(half), begun = copied(header);
    fs::remove(without + second);
    expect_refusal(without, AIANIME_NOT_FOUND, second.c_str() + 1);
    fs::resize_file(cut + second, fs::file_size(cut + second) / 2);
    expect_refusal(cut, AIANIME_BAD_DATA, second.c_str() + 1);
    fs::resize_file(begun + second, 100);
    expect_refusal(begun, AIANIME_BAD_DATA, second.c_str() + 1);
}

AIANIME_TEST(files_that_are_missing) {
    const TempFolder none, no_config, no_tokenizer, no_merges, no_weights;
    expect_refusal(none.path("model"), AIANIME_NOT_FOUND, "config.json");
    std::string folder = copied(no_config);
    fs::remove(folder + "/config.json");
    expect_refusal(folder, AIANIME_NOT_FOUND, "config.json");
    folder = copied(no_tokenizer);
    fs::remove(folder + "/vocab.json");
    expect_refusal(folder, AIANIME_NOT_FOUND, "vocab.json");
    folder = copied(no_merges);
    fs::remove(folder + "/merges.txt");
    expect_refusal(folder, AIANIME_NOT_FOUND, "merges.txt");
    folder = copied(no_weights);
    fs::remove(folder + "/model.safetensors.index.json");
    write_file(folder + "/pytorch_model.bin", "PK");
    expect_refusal(folder, AIANIME_FORBIDDEN, "pytorch_model.bin: a pickle");
}

AIANIME_TEST(files_that_do_not_belong_together) {
    const TempFolder one, two, three, four;
    std::string folder = copied(one);
    replace(folder + "/config.json", "\"model_type\": \"opt\"", "\"model_type\": \"t5\"");
    fs::remove(folder + "/model.safetensors.index.json"); // told before any weight is looked for
    expect_refusal(folder, AIANIME_BAD_DATA, "the language model is \"t5\"");
    folder = copied(two);
    replace(folder + "/config.json", "\"vocab_size\": 400", "\"vocab_size\": 394");
    expect_refusal(folder, AIANIME_BAD_DATA, "its tokenizer has 395 tokens, its language model 394");
    folder = copied(three);
    replace(folder + "/config.json", "\"ffn_dim\": 24", "\"ffn_dim\": 32");
    expect_refusal(folder, AIANIME_BAD_DATA, "wrong shape language_model.model.decoder.layers.0.fc1.bias");
    folder = copied(four);
    fs::copy_file(golden("opt_projected/model.safetensors"), folder + "/model.safetensors");
    expect_refusal(folder, AIANIME_BAD_DATA, "missing language_model.");
}

AIANIME_TEST(wrong_pictures_and_settings) {
    const Blip2Captioner captioner(golden("sharded"), at::kFloat, at::kCPU);
    for (const cv::Mat &wrong :
         {cv::Mat(), cv::Mat(4, 4, CV_8UC3), cv::Mat(4, 4, CV_32FC1), cv::Mat(4, 4, CV_32FC4), cv::Mat(4, 4, CV_64FC3)})
        expect_error([&] { captioner.caption(wrong); }, AIANIME_INVALID, "three 32-bit floats");
    const auto with = [](const Blip2Settings &settings) { Blip2Captioner(golden("sharded"), at::kFloat, at::kCPU, settings); };
    Blip2Settings settings;
    settings.search.beams = 0;
    expect_error([&] { with(settings); }, AIANIME_OUT_OF_RANGE, "beams");
    settings.search.beams = 2;
    settings.search.max_new_tokens = 92; // 4 of the picture, the start token and these
    expect_error([&] { with(settings); }, AIANIME_OUT_OF_RANGE, "need 97 places, the language model has 96");
    settings.search.max_new_tokens = 8;
    settings.prompt = std::string(100, '\x07');
    expect_error([&] { with(settings); }, AIANIME_OUT_OF_RANGE, "places");
}

int main() {
    return run_suite("blip2_caption",
                     {captions_from_shards, captions_from_one_file, captions_of_an_older_release, bfloat16_and_parts_of_pictures,
                      several_threads, one_line_of_text, shards_that_are_missing_or_half_there, files_that_are_missing,
                      files_that_do_not_belong_together, wrong_pictures_and_settings});
}
