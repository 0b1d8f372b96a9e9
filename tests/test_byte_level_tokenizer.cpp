// SPDX-License-Identifier: LGPL-2.1-or-later
// GPT-2's byte-level tokenizer with OPT's settings against transformers (tests/golden/make_blip2.py).
#include <filesystem>

#include "io/json.h"
#include "nn/byte_level_pieces.h"
#include "nn/byte_level_tokenizer.h"
#include "nn/byte_symbols.h"
#include "support.h"
#include "support_blip2.h"

using namespace aianime;
using nn::ByteLevelTokenizer;

namespace {

std::string golden(const std::string &name) { return tests_folder() + "/golden/blip2/" + name; }

std::string listed(const std::vector<int64_t> &tokens) {
    std::string text;
    for (int64_t token : tokens)
        text += std::to_string(token) + " ";
    return text;
}

void check_folder(const std::string &folder) {
    const ByteLevelTokenizer tokenizer(folder);
    const io::Json wanted = io::Json::load(golden("tokenizer.json"));
    const io::Json texts = wanted.at("encode"), decoded = wanted.at("decode");
    ck_assert_uint_ge(texts.size(), 60);
    for (size_t i = 0; i < texts.size(); ++i) {
        const std::string text = texts.at(i).at("text").string();
        const std::string found = listed(tokenizer.encode(text)), expected = listed(number_list(texts.at(i).at("tokens")));
        ck_assert_msg(found == expected, "\"%s\": %s instead of %s", text.c_str(), found.c_str(), expected.c_str());
    }
    for (size_t i = 0; i < decoded.size(); ++i) {
        const std::vector<int64_t> tokens = number_list(decoded.at(i).at("tokens"));
        expect_text(tokenizer.decode(tokens, false), decoded.at(i).at("all").string());
        expect_text(tokenizer.decode(tokens, true), decoded.at(i).at("shown").string());
    }
    ck_assert_int_eq(tokenizer.bos(), 2);
    ck_assert_int_eq(tokenizer.size(), 395);
}

// The files of `sharded` without one of them.
void copy_without(const std::string &left_out, const std::string &to) {
    for (const char *name : {"vocab.json", "merges.txt", "tokenizer_config.json"})
        if (name != left_out)
            std::filesystem::copy_file(golden("sharded/") + name, to + "/" + name);
}

} // namespace

AIANIME_TEST(as_in_python_from_vocabulary_and_merges) { check_folder(golden("sharded")); }
AIANIME_TEST(as_in_python_from_one_file) { check_folder(golden("own_head")); }

AIANIME_TEST(pieces_are_the_text) {
    const std::u32string text = U"  it's\n\n 12 a'b!?  x \t";
    std::u32string joined;
    for (const std::u32string &piece : nn::byte_level_pieces(text))
        joined += piece;
    ck_assert(joined == text);
}

AIANIME_TEST(every_byte_has_a_symbol_of_its_own) {
    for (int byte = 0; byte < 256; ++byte)
        ck_assert_int_eq(nn::symbol_byte(nn::byte_symbol(static_cast<unsigned char>(byte))), byte);
    for (const char32_t other : {U' ', U'\n', U'\u00ad', U'\u0144', U'\uffff'})
        ck_assert_int_eq(nn::symbol_byte(other), -1);
}

AIANIME_TEST(broken_text_and_unknown_numbers) {
    const ByteLevelTokenizer tokenizer(golden("sharded"));
    expect_text(tokenizer.decode(tokenizer.encode("a\xff\xe2\x82z"), true), "a\uFFFD\uFFFDz");
    expect_text(tokenizer.decode({-1, 100000, 4}, true), "!");
}

AIANIME_TEST(without_settings_opt_is_meant) {
    const TempFolder folder;
    copy_without("tokenizer_config.json", folder.path());
    ck_assert_int_eq(ByteLevelTokenizer(folder.path()).encode("a").front(), 2);
}

AIANIME_TEST(what_is_refused) {
    const TempFolder none, no_merges, other_bytes, no_start, broken;
    expect_error([&] { ByteLevelTokenizer(none.path()); }, AIANIME_NOT_FOUND, "vocab.json");
    copy_without("merges.txt", no_merges.path());
    expect_error([&] { ByteLevelTokenizer(no_merges.path()); }, AIANIME_NOT_FOUND, "merges.txt");
    write_file(other_bytes.path("vocab.json"), R"({"</s>": 0, "a": 1})");
    write_file(other_bytes.path("merges.txt"), "");
    expect_error([&] { ByteLevelTokenizer(other_bytes.path()); }, AIANIME_BAD_DATA, "not one of bytes");
    copy_without("tokenizer_config.json", no_start.path());
    write_file(no_start.path("tokenizer_config.json"), R"({"bos_token": "<begin>"})");
    expect_error([&] { ByteLevelTokenizer(no_start.path()); }, AIANIME_BAD_DATA, "<begin>");
    copy_without("tokenizer_config.json", broken.path());
    write_file(broken.path("tokenizer_config.json"), R"({"added_tokens_decoder": {"x": {"content": "<y>"}}})");
    expect_error([&] { ByteLevelTokenizer(broken.path()); }, AIANIME_BAD_DATA, "no token number");
}

int main() {
    return run_suite("byte_level_tokenizer", {as_in_python_from_vocabulary_and_merges, as_in_python_from_one_file,
                                              pieces_are_the_text, every_byte_has_a_symbol_of_its_own,
                                              broken_text_and_unknown_numbers, without_settings_opt_is_meant, what_is_refused});
}
