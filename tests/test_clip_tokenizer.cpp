// SPDX-License-Identifier: LGPL-2.1-or-later
// CLIP's tokenizer against transformers (tests/golden/make_clip.py), with the tokenizer of the pack in the tree.
#include <filesystem>

#include "io/json.h"
#include "nn/clip_text.h"
#include "nn/tokenizer_files.h"
#include "nn/unicode.h"
#include "support.h"

using namespace aianime;
using nn::ClipTokenizer;

namespace {

std::string pocket() { return tests_folder() + "/../models/pocket/tokenizer"; }

std::string listed(const std::vector<int64_t> &tokens) {
    std::string text;
    for (int64_t token : tokens)
        text += " " + std::to_string(token);
    return text;
}

// A vocabulary that knows a few symbols.
void write_small(const TempFolder &folder, const std::string &merges, const std::string &extra = "") {
    write_file(folder.path("vocab.json"),
               R"({"a": 0, "b": 1, "a</w>": 2, "b</w>": 3, "ab": 4, "ab</w>": 5, "aba": 6, "<|startoftext|>": 7,
        "<|endoftext|>": 8})");
    write_file(folder.path("merges.txt"), merges);
    if (!extra.empty())
        write_file(folder.path("tokenizer_config.json"), extra);
}

} // namespace

AIANIME_TEST(three_hundred_texts_agree_with_transformers) {
    const ClipTokenizer tokenizer(pocket());
    const io::Json texts = io::Json::load(tests_folder() + "/golden/clip/tokens.json").at("texts");
    ck_assert_int_eq(texts.size(), 300);
    for (size_t i = 0; i < texts.size(); ++i) {
        std::vector<int64_t> wanted;
        const io::Json tokens = texts.at(i).at("tokens");
        for (size_t k = 0; k < tokens.size(); ++k)
            wanted.push_back(tokens.at(k).integer(0, 1 << 24));
        const std::string text = texts.at(i).at("text").string();
        const std::vector<int64_t> found = tokenizer.encode(text);
        ck_assert_msg(found == wanted, "text %zu \"%s\":%s instead of%s", i, text.c_str(), listed(found).c_str(),
                      listed(wanted).c_str());
    }
}

AIANIME_TEST(special_tokens) {
    const ClipTokenizer tokenizer(pocket());
    ck_assert_int_eq(tokenizer.bos(), 49406);
    ck_assert_int_eq(tokenizer.eos(), 49407);
    ck_assert_int_eq(tokenizer.pad(), 49407);
}

AIANIME_TEST(broken_utf8_is_replaced) {
    ck_assert(nn::unicode::decode("a\xff"
                                  "b") == U"a\ufffdb");
    ck_assert(nn::unicode::decode("\xe3\x81") == U"\ufffd");
    ck_assert(nn::unicode::decode("\xed\xa0\x80") == U"\ufffd\ufffd\ufffd"); // a surrogate
    ck_assert(nn::unicode::decode("\xc0\xaf") == U"\ufffd\ufffd");           // overlong
    ck_assert(nn::unicode::decode("\xf4\x90\x80\x80").size() == 4);
    ck_assert(nn::unicode::decode("\xf0\x9f\x98\x80") == U"\U0001f600");
    const ClipTokenizer tokenizer(pocket());
    ck_assert(tokenizer.encode("a\xff"
                               "b") == tokenizer.encode("a\xef\xbf\xbd"
                                                        "b"));
    ck_assert(!tokenizer.encode(std::string("\0\xff\xfe", 3)).empty());
}

// A word without a space must not take quadratic time.
AIANIME_TEST(a_very_long_word) {
    const ClipTokenizer tokenizer(pocket());
    const std::vector<int64_t> tokens = tokenizer.encode(std::string(1000000, 'a'));
    ck_assert_int_gt(tokens.size(), 1000);
}

AIANIME_TEST(small_tokenizer_and_its_settings) {
    const TempFolder folder;
    write_small(folder, "#version: 0.2\na b\nab a\na b</w>\n", R"({"pad_token": {"content": "ab", "special": true}})");
    const ClipTokenizer tokenizer(folder.path());
    ck_assert_int_eq(tokenizer.pad(), 4);
    ck_assert(tokenizer.encode("ba b a") == std::vector<int64_t>({1, 2, 3, 2}));
    // The padding token is special: it is found inside words too.
    ck_assert(tokenizer.encode("babb") == std::vector<int64_t>({3, 4, 3}));
    ck_assert(tokenizer.encode("z") == std::vector<int64_t>({8}));
}

AIANIME_TEST(earlier_merges_go_first) {
    const TempFolder folder;
    write_small(folder, "a b\nab a\na b</w>\n");
    const ClipTokenizer tokenizer(folder.path());
    ck_assert(tokenizer.encode("abab") == std::vector<int64_t>({6, 3}));  // ab a b -> aba b
    ck_assert(tokenizer.encode("abaab") == std::vector<int64_t>({6, 5})); // aba, ab</w>
}

// transformers 5 writes everything into one file; older ones join the symbols of a merge with a space.
AIANIME_TEST(tokenizer_json_alone) {
    const std::string start = R"({"version": "1.0", "added_tokens": [{"id": 7, "content": "<|startoftext|>"}], "normalizer": null,
        "model": {"type": "BPE", "dropout": null, "vocab": {"a": 0, "b": 1, "a</w>": 2, "b</w>": 3, "ab": 4, "ab</w>": 5, "aba": 6,
        "<|startoftext|>": 7, "<|endoftext|>": 8}, "merges": )";
    for (const char *merges : {R"(["a b", "ab a", "a b</w>"])", R"([["a", "b"], ["ab", "a"], ["a", "b</w>"]])"}) {
        const TempFolder folder;
        write_file(folder.path("tokenizer.json"), start + merges + "}}");
        const ClipTokenizer tokenizer(folder.path());
        ck_assert(tokenizer.encode("abab") == std::vector<int64_t>({6, 3}));
        ck_assert_int_eq(tokenizer.bos(), 7);
    }
    const TempFolder folder;
    write_file(folder.path("tokenizer.json"), start + R"(["ab"]}})");
    expect_error([&] { ClipTokenizer tokenizer(folder.path()); }, AIANIME_BAD_DATA, "two symbols");
}

AIANIME_TEST(damaged_folders_are_refused) {
    const auto open = [](const std::string &path) { return [path] { ClipTokenizer tokenizer(path); }; };
    const TempFolder folder;
    expect_error(open(folder.path()), AIANIME_NOT_FOUND, "vocab.json");
    write_small(folder, "a b\nab c\n");
    expect_error(open(folder.path()), AIANIME_BAD_DATA, "merge 2");
    write_small(folder, "a b c\n");
    expect_error(open(folder.path()), AIANIME_BAD_DATA, "line 1");
    std::filesystem::remove(folder.path("merges.txt"));
    expect_error(open(folder.path()), AIANIME_NOT_FOUND, "merges.txt");
    write_small(folder, "a b\n", R"({"bos_token": "<s>"})");
    expect_error(open(folder.path()), AIANIME_BAD_DATA, "bos_token");
}

AIANIME_TEST(damaged_vocabularies_are_refused) {
    const TempFolder folder;
    write_file(folder.path("merges.txt"), "");
    const auto load = [&](const std::string &text) {
        return [&folder, text] {
            write_file(folder.path("vocab.json"), text);
            return nn::load_tokenizer_files(folder.path()).vocabulary;
        };
    };
    ck_assert_int_eq(load("{}")().size(), 0);
    ck_assert_int_eq(load(" {\"\\u00e9\\ud83d\\ude00\\\"\\n\": 7 } ")().at("\xc3\xa9\xf0\x9f\x98\x80\"\n"), 7);
    for (const char *text : {"", "[]", "{\"a\" 1}", "{\"a\": }", "{\"a\": -1}", "{\"a\": 1.5}", "{\"a\": 99999999999}",
                             "{\"a\": 1,}", "{\"a\": 1} x", "{\"a\": 1", "{\"a", "{\"\\x\": 1}", "{\"\\ud800\": 1}",
                             "{\"\\ud800\\u0041\": 1}", "{\"\\u12\": 1}", "{\"\\", "{\"a\nb\": 1}", "{\"\xff\": 1}"})
        expect_error(load(text), AIANIME_BAD_DATA, "vocab.json");
    expect_error(load("{\"a\": 1, \"a\": 2}"), AIANIME_BAD_DATA, "twice");
}

int main() {
    return run_suite("clip_tokenizer", {three_hundred_texts_agree_with_transformers, special_tokens, broken_utf8_is_replaced,
                                        a_very_long_word, small_tokenizer_and_its_settings, earlier_merges_go_first,
                                        tokenizer_json_alone, damaged_folders_are_refused, damaged_vocabularies_are_refused});
}
