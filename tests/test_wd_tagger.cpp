// SPDX-License-Identifier: LGPL-2.1-or-later
// Tags of pictures against timm and the taggers' own rules (tests/golden/make_vit_tagger.py), and files that are half there.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "caption/selected_tags.h"
#include "caption/wd_tagger.h"
#include "io/file.h"
#include "io/json.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"

using namespace aianime;
using caption::Tag;
using caption::WdTagger;
using caption::WdTaggerSettings;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/vit_tagger/" + name; }

WdTaggerSettings thresholds(double general, double character) {
    WdTaggerSettings settings;
    settings.general = general;
    settings.character = character;
    return settings;
}

WdTagger make(const std::string &path, const WdTaggerSettings &settings = {}) {
    return WdTagger(path, at::kFloat, at::kCPU, settings);
}

void expect_refused(const std::string &path, aianime_result code, const char *part) {
    expect_error([&] { make(path); }, code, part);
}

// A tensor of u8 codes [1, 3, h, w] as a picture.
cv::Mat picture(const nn::WeightSource &source, const std::string &name) {
    const at::Tensor codes = source.tensor(name, at::kFloat, at::kCPU).squeeze(0).permute({1, 2, 0}).contiguous() / 255;
    return cv::Mat(static_cast<int>(codes.size(0)), static_cast<int>(codes.size(1)), CV_32FC3, codes.data_ptr()).clone();
}

// A tagger's folder, whole; tests take things away.
void copy_tagger(const TempFolder &folder) {
    for (const char *name : {"config.json", "model.safetensors", "selected_tags.csv"})
        std::filesystem::copy_file(golden(std::string("mean_of_norm/") + name), folder.path(name),
                                   std::filesystem::copy_options::overwrite_existing);
}

void expect_list_refused(const std::string &text, const char *part) {
    const TempFolder folder;
    write_file(folder.path("selected_tags.csv"), text);
    expect_error([&] { caption::read_tag_list(folder.path("selected_tags.csv")); }, AIANIME_BAD_DATA, part);
}

} // namespace

AIANIME_TEST(captions_as_the_taggers_own_application_makes_them) {
    WdTaggerSettings cut;
    cut.best_cut = true;
    const std::vector<std::pair<std::string, WdTaggerSettings>> all = {
        {"plain", thresholds(0.45, 0.55)}, {"low", thresholds(0, 0)}, {"high", thresholds(1, 1)}, {"cut", cut}};
    const io::Json wanted = io::Json::load(golden("pictures.json"));
    const nn::WeightSource source = nn::WeightSource::from_file(golden("pictures.safetensors"));
    for (const auto &[name, settings] : all) {
        const WdTagger tagger = make(golden("mean_of_norm"), settings);
        for (size_t i = 0; i < wanted.size(); ++i) {
            const std::string found = tagger.caption(picture(source, "picture" + std::to_string(i)));
            const std::string expected = wanted.at(i).at(name).string();
            ck_assert_str_eq(found.c_str(), expected.c_str());
        }
    }
}

AIANIME_TEST(probabilities_of_all_tags_but_ratings) {
    const nn::WeightSource source = nn::WeightSource::from_file(golden("pictures.safetensors"));
    const WdTagger tagger = make(golden("mean_of_norm/model.safetensors"));
    for (int i = 0; i < 6; ++i) {
        const at::Tensor wanted = source.tensor("probabilities" + std::to_string(i), at::kFloat, at::kCPU).flatten();
        const std::vector<Tag> tags = tagger.rank(picture(source, "picture" + std::to_string(i)));
        ck_assert_uint_eq(tags.size(), 12);
        // The first four of the list are ratings.
        const at::Tensor ordered = std::get<0>(wanted.slice(0, 4).sort(0, true));
        for (size_t k = 0; k < tags.size(); ++k)
            ck_assert_double_lt(std::abs(tags[k].probability - ordered[static_cast<int64_t>(k)].item<float>()), 2e-4);
        for (const Tag &tag : tags)
            ck_assert_int_eq(tag.character,
                             tag.text == "hatsune miku" || tag.text == "ganyu (genshin impact)" || tag.text == "pok\u00e9mon");
    }
}

AIANIME_TEST(pictures_of_any_size_and_none) {
    const WdTagger tagger = make(golden("mean_of_norm"));
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(1, 200), cv::Size(9000, 1), cv::Size(5000, 40)})
        ck_assert_uint_eq(tagger.rank(cv::Mat(size, CV_32FC3, cv::Scalar(0.1, 0.5, 0.9))).size(), 12);
    // Rows with a gap between them.
    const cv::Mat large(40, 50, CV_32FC3, cv::Scalar(1, 0, 0));
    const cv::Mat part = large({3, 4, 20, 30});
    const std::string found = tagger.caption(part), expected = tagger.caption(part.clone());
    ck_assert_str_eq(found.c_str(), expected.c_str());
    expect_error([&] { tagger.rank(cv::Mat()); }, AIANIME_INVALID, "caption");
    expect_error([&] { tagger.rank(cv::Mat(4, 4, CV_8UC3)); }, AIANIME_INVALID, "32-bit floats");
    cv::Mat bad(4, 4, CV_32FC3, cv::Scalar(0, 0, 0));
    bad.at<cv::Vec3f>(1, 2)[1] = std::numeric_limits<float>::quiet_NaN();
    expect_error([&] { tagger.caption(bad); }, AIANIME_NOT_FINITE, "not finite");
}

AIANIME_TEST(in_bfloat16_too) {
    const cv::Mat first = picture(nn::WeightSource::from_file(golden("pictures.safetensors")), "picture0");
    const std::vector<Tag> exact = make(golden("mean_of_norm")).rank(first);
    const std::vector<Tag> half = WdTagger(golden("mean_of_norm"), at::kBFloat16, at::kCPU).rank(first);
    for (size_t i = 0; i < exact.size(); ++i)
        ck_assert_double_lt(std::abs(exact[i].probability - half[i].probability), 0.02);
}

AIANIME_TEST(red_is_not_blue) {
    const WdTagger tagger = make(golden("mean_of_norm"));
    const float red = tagger.rank(cv::Mat(9, 9, CV_32FC3, cv::Scalar(1, 0, 0)))[0].probability;
    const float blue = tagger.rank(cv::Mat(9, 9, CV_32FC3, cv::Scalar(0, 0, 1)))[0].probability;
    ck_assert_double_gt(std::abs(red - blue), 1e-3);
}

AIANIME_TEST(best_cut_is_in_the_widest_gap) {
    ck_assert_double_eq_tol(caption::best_cut({0.1f, 0.9f, 0.2f, 0.8f}), 0.5, 1e-6);
    ck_assert_double_eq_tol(caption::best_cut({0.3f, 0.6f}), 0.45, 1e-6);
    ck_assert_double_eq(caption::best_cut({0.3f}), 0);
    ck_assert_double_eq(caption::best_cut({}), 0);
}

AIANIME_TEST(folders_that_are_half_there) {
    const TempFolder folder;
    expect_refused(folder.path("nowhere"), AIANIME_NOT_FOUND, "no such file or folder");
    copy_tagger(folder);
    make(folder.path());
    std::filesystem::remove(folder.path("config.json"));
    expect_refused(folder.path(), AIANIME_BAD_DATA, "does not tell the number of heads");
    copy_tagger(folder);
    std::filesystem::remove(folder.path("selected_tags.csv"));
    expect_refused(folder.path(), AIANIME_NOT_FOUND, "selected_tags.csv: missing");
    copy_tagger(folder);
    std::filesystem::resize_file(folder.path("model.safetensors"), 20000);
    expect_refused(folder.path(), AIANIME_BAD_DATA, "model.safetensors");
    std::filesystem::remove(folder.path("model.safetensors"));
    expect_refused(folder.path(), AIANIME_NOT_FOUND, "no weights");
    write_file(folder.path("model.onnx"), "onnx");
    expect_refused(folder.path(), AIANIME_NOT_FOUND, "model.onnx is not read");
    std::filesystem::remove(folder.path("model.onnx"));
    write_file(folder.path("pytorch_model.bin"), "pickle");
    expect_refused(folder.path(), AIANIME_FORBIDDEN, "pytorch_model.bin");
    copy_tagger(folder);
    write_file(folder.path("config.json"), R"({"architecture": "swinv2_base_window8_256", "num_classes": 10861})");
    expect_refused(folder.path(), AIANIME_BAD_DATA, "swinv2_base_window8_256");
}

AIANIME_TEST(a_list_of_another_network) {
    const TempFolder folder;
    copy_tagger(folder);
    const std::string list = io::read_file(folder.path("selected_tags.csv"), 1 << 20);
    write_file(folder.path("selected_tags.csv"), list + "9,one_more,0,1\n");
    expect_refused(folder.path(), AIANIME_BAD_DATA, "17 tags, but the network tells 16");
}

AIANIME_TEST(quotes_line_ends_and_emoticons_in_lists) {
    const TempFolder folder;
    write_file(folder.path("tags.csv"), "\xEF\xBB\xBFtag_id,name,category,count\r\n1,\"don't_say_\"\"lazy\"\"\",0,5\r\n\r\n"
                                        "2,\"a,b_c\",4,\r\n3,\"\"\"\",9,1\r\n4,>_<,0,1");
    const std::vector<caption::TagName> tags = caption::read_tag_list(folder.path("tags.csv"));
    ck_assert_uint_eq(tags.size(), 4);
    const char *texts[] = {"don't say \"lazy\"", "a,b c", "\"", ">_<"};
    const caption::TagCategory categories[] = {caption::TagCategory::general, caption::TagCategory::character,
                                               caption::TagCategory::rating, caption::TagCategory::general};
    for (size_t i = 0; i < tags.size(); ++i) {
        ck_assert_str_eq(tags[i].text.c_str(), texts[i]);
        ck_assert(tags[i].category == categories[i]);
    }
}

AIANIME_TEST(lists_that_are_refused) {
    const std::string head = "tag_id,name,category,count\n1,solo,0,3\n";
    expect_list_refused("", "empty");
    expect_list_refused("1,solo,0,3\n", "line 1: there is no column \"name\"");
    expect_list_refused(head + "2,long_hair,0\n", "line 3: 3 fields instead of 4");
    expect_list_refused(head + "2,,0,1\n", "line 3: a tag without a name");
    expect_list_refused(head + "2,a,7,1\n", "line 3: category \"7\"");
    expect_list_refused(head + "2,a,,1\n", "line 3: category \"\"");
    expect_list_refused(head + "2,\"a,0,1\n", "line 3: a quote that is not closed");
    expect_list_refused(head + "2,\"a\"b,0,1\n", "line 3: expected a comma");
    expect_list_refused(head + "2,a\"b\",0,1\n", "line 3: a quote within a field");
    expect_list_refused(head + "2,a\xFF,0,1\n", "line 3: not UTF-8");
    expect_error([] { caption::read_tag_list(golden("nowhere.csv")); }, AIANIME_NOT_FOUND, "nowhere.csv");
}

AIANIME_TEST(thresholds_that_make_no_sense) {
    for (const double bad : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
        expect_error([&] { make(golden("mean_of_norm"), thresholds(bad, 0.5)); }, AIANIME_OUT_OF_RANGE, "general");
        expect_error([&] { make(golden("mean_of_norm"), thresholds(0.5, bad)); }, AIANIME_OUT_OF_RANGE, "character");
    }
}

int main() {
    return run_suite("wd_tagger", {captions_as_the_taggers_own_application_makes_them, probabilities_of_all_tags_but_ratings,
                                   pictures_of_any_size_and_none, in_bfloat16_too, red_is_not_blue, best_cut_is_in_the_widest_gap,
                                   folders_that_are_half_there, a_list_of_another_network, quotes_line_ends_and_emoticons_in_lists,
                                   lists_that_are_refused, thresholds_that_make_no_sense});
}
