// SPDX-License-Identifier: LGPL-2.1-or-later
// Strict JSON: reliability section 4.2 and cases B1 to B6, B10, B11.
#include "support.h"

#include <clocale>
#include <cmath>
#include <ctime>
#include <unistd.h>

#include "io/json.h"

using aianime::io::Json;

namespace {

Json parse(const std::string &text) { return Json::parse(text, "t.json"); }

void expect_bad(const std::string &text, const char *part) {
    expect_error([&] { parse(text); }, AIANIME_BAD_DATA, part);
}

Json value(const std::string &text) { return parse("{\"v\":" + text + "}").at("v"); }

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

const std::vector<std::string> keys = {"model", "prompt", "sampling", "steps", "overlap"};

} // namespace

AIANIME_TEST(reads_a_document) {
    const Json json =
        parse("{ \"b\": {\"n\": -3, \"x\": 1.5e1, \"s\": \"\\u00e9\\n\\\"\", \"t\": true},\n \"a\": [1, null, []] }\n");
    ck_assert(json.is_object() && !json.is_array());
    ck_assert(json.keys() == std::vector<std::string>({"b", "a"}));
    ck_assert(json.has("a") && !json.has("c"));
    ck_assert_int_eq(json.at("b").at("n").integer(-10, 10), -3);
    ck_assert_double_eq(json.at("b").at("x").number(0, 100), 15);
    ck_assert(json.at("b").at("s").string() == "\xC3\xA9\n\"");
    ck_assert(json.at("b").at("t").boolean());
    ck_assert_uint_eq(json.at("a").size(), 3);
    ck_assert(json.at("a").at(1).is_null() && json.at("a").at(2).is_array());
    ck_assert(json.at("b").at("n").where() == "t.json: b.n");
    ck_assert(json.at("a").at(0).where() == "t.json: a[0]");
    ck_assert(parse("[{\"k\":1}]").at(0).at("k").where() == "t.json: [0].k");
}

AIANIME_TEST(outlives_its_document) {
    Json inner = value("[\"kept\"]").at(0);
    const Json copy = inner;
    inner = parse("3");
    ck_assert(copy.string() == "kept");
    ck_assert_int_eq(inner.integer(0, 9), 3);
    ck_assert(parse("null").is_null());
}

AIANIME_TEST(b1_sizes) {
    const TempFolder folder;
    const auto load = [&] { Json::load(folder.path("t.json")); };
    expect_error(load, AIANIME_NOT_FOUND, "t.json");
    write_file(folder.path("t.json"), "");
    expect_error(load, AIANIME_BAD_DATA, "ends too early");
    write_file(folder.path("t.json"), " \n\t ");
    expect_error(load, AIANIME_BAD_DATA, "ends too early");
    write_file(folder.path("t.json"), "{}" + std::string(256 * 1024 - 2, ' '));
    ck_assert(Json::load(folder.path("t.json")).is_object());
    write_file(folder.path("t.json"), "{}" + std::string(257 * 1024, ' '));
    expect_error(load, AIANIME_BAD_DATA, "too large");
    ck_assert_int_eq(truncate(folder.path("t.json").c_str(), off_t{1} << 31), 0);
    expect_error(load, AIANIME_BAD_DATA, "too large");
}

AIANIME_TEST(b2_syntax_with_line_and_column) {
    const std::string good = "{\"a\": [1, \"x\"], \"b\": {\"c\": true}}";
    parse(good);
    for (size_t cut = 0; cut < good.size(); cut++)
        expect_bad(good.substr(0, cut), "line 1, column");
    expect_bad("{\n  \"a\": 1,\n  b\n}", "t.json: line 3, column 3: unexpected \"b\"");
    expect_bad("{} {}", "line 1, column 4");
    expect_bad("{\"a\": 1} // x", "column 10");
    expect_bad("/* x */ {}", "column 1");
    expect_bad("{\"a\": 1,}", "column 9");
    expect_bad("[1,]", "column 4");
    expect_bad("{'a': 1}", "double quotes");
    expect_bad("{\"a\": 'x'}", "double quotes");
    expect_bad("{a: 1}", "column 2");
    expect_bad("{\"a\" 1}", "column 6");
    expect_bad("{\"a\": \"x\n\"}", "control byte");
    expect_bad("{\"a\": \"x", "has no end");
    expect_bad("{\"a\": \"\\x41\"}", "unknown escape");
    expect_bad("{\"a\": tru}", "unexpected \"tru\"");
    expect_bad("{\"a\": True}", "unexpected \"True\"");
    expect_bad("{\"a\": nullx}", "unexpected \"nullx\"");
}

AIANIME_TEST(b3_duplicate_keys) {
    expect_bad("{\"steps\": 1, \"a\": {}, \"steps\": 2}", "column 23: the key \"steps\" is there twice");
    expect_bad("{\"x\": [{\"a\": 1, \"\\u0061\": 1}]}", "\"a\" is there twice");
    parse("{\"a\": {\"a\": {\"a\": 1}}, \"b\": [{\"a\": 1}, {\"a\": 1}]}");
}

AIANIME_TEST(b4_numbers_that_are_none) {
    for (const char *number : {"NaN", "nan", "Infinity", "-Infinity", "inf", "1e400", "-1e400", "0x10", "01", "-", "+1", ".5", "1.",
                               "1e", "1.5.2", "--1", "1_000"})
        expect_bad("{\"v\": " + std::string(number) + "}", "column 7");
    ck_assert(value("1e-400").number(0, 1) == 0);
    ck_assert_double_eq(value("-0").number(-1, 1), 0);
    ck_assert_double_eq(value("1e308").number(0, 1e308), 1e308);
}

AIANIME_TEST(b5_integers) {
    expect_bad("{\"v\": 99999999999999999999}", "too large a number");
    expect_bad("{\"v\": 18446744073709551616}", "too large a number");
    expect_bad("{\"v\": -9223372036854775809}", "too large a number");
    expect_error([] { value("3.7").integer(0, 10); }, AIANIME_BAD_DATA, "t.json: v: expected a whole number");
    expect_error([] { value("3.0").integer(0, 10); }, AIANIME_BAD_DATA, "whole number");
    expect_error([] { value("\"12abc\"").integer(0, 100); }, AIANIME_BAD_DATA, "found a string");
    expect_error([] { value("\"12\"").number(0, 100); }, AIANIME_BAD_DATA, "found a string");
    expect_error([] { value("18446744073709551615").integer(INT64_MIN, INT64_MAX); }, AIANIME_OUT_OF_RANGE, "18446744073709551615");
    ck_assert_int_eq(value("9223372036854775807").integer(INT64_MIN, INT64_MAX), INT64_MAX);
    ck_assert_int_eq(value("-9223372036854775808").integer(INT64_MIN, INT64_MAX), INT64_MIN);
    ck_assert_uint_eq(value("18446744073709551615").unsigned_integer(), UINT64_MAX);
    ck_assert_uint_eq(value("0").unsigned_integer(), 0);
    expect_error([] { value("-1").unsigned_integer(); }, AIANIME_OUT_OF_RANGE, "-1 is outside 0 to 18446744073709551615");
    expect_error([] { value("1.5").unsigned_integer(); }, AIANIME_BAD_DATA, "whole number");
    expect_error([] { parse("{}").at("v"); }, AIANIME_BAD_DATA, "t.json: v: is missing");
}

AIANIME_TEST(b6_types_are_checked_first) {
    struct Kind {
        const char *text, *name;
    };
    const Kind kinds[] = {{"null", "null"}, {"[]", "array"},   {"{}", "object"},   {"\"x\"", "string"},
                          {"true", "true"}, {"3", "a number"}, {"3.5", "fraction"}};
    for (const Kind &kind : kinds) {
        const Json v = value(kind.text);
        const std::string name = kind.name;
        if (name != "array")
            expect_error([&] { v.size(); }, AIANIME_BAD_DATA, kind.name);
        if (name != "array")
            expect_error([&] { v.at(size_t{0}); }, AIANIME_BAD_DATA, kind.name);
        if (name != "object")
            expect_error([&] { v.keys(); }, AIANIME_BAD_DATA, kind.name);
        if (name != "object")
            expect_error([&] { v.at("k"); }, AIANIME_BAD_DATA, kind.name);
        if (name != "string")
            expect_error([&] { v.string(); }, AIANIME_BAD_DATA, kind.name);
        if (name != "true")
            expect_error([&] { v.boolean(); }, AIANIME_BAD_DATA, kind.name);
        if (name != "a number")
            expect_error([&] { v.integer(0, 9); }, AIANIME_BAD_DATA, kind.name);
        if (name != "a number" && name != "fraction")
            expect_error([&] { v.number(0, 9); }, AIANIME_BAD_DATA, kind.name);
    }
    expect_error([] { value("[1]").at(1); }, AIANIME_BAD_DATA, "v[1]: is missing");
}

AIANIME_TEST(ranges) {
    ck_assert_int_eq(value("1").integer(1, 5), 1);
    ck_assert_int_eq(value("5").integer(1, 5), 5);
    expect_error([] { value("0").integer(1, 5); }, AIANIME_OUT_OF_RANGE, "t.json: v: 0 is outside 1 to 5");
    expect_error([] { value("6").integer(1, 5); }, AIANIME_OUT_OF_RANGE, "6 is outside 1 to 5");
    ck_assert_double_eq(value("0.5").number(0.5, 1.5), 0.5);
    expect_error([] { value("1.51").number(0.5, 1.5); }, AIANIME_OUT_OF_RANGE, "1.51 is outside 0.5 to 1.5");
    expect_error([] { value("-1").number(0, 50); }, AIANIME_OUT_OF_RANGE, "-1 is outside 0 to 50");
}

AIANIME_TEST(b10_text_encoding) {
    expect_bad("{\"a\": \"\xff\"}", "line 1, column 8: not valid UTF-8");
    expect_bad("{\"a\": \"\xc0\x80\"}", "UTF-8");         // overlong NUL
    expect_bad("{\"a\": \"\xe0\x80\xaf\"}", "UTF-8");     // overlong
    expect_bad("{\"a\": \"\xed\xa0\x80\"}", "UTF-8");     // surrogate
    expect_bad("{\"a\": \"\xf4\x90\x80\x80\"}", "UTF-8"); // above U+10FFFF
    expect_bad("{\"a\": \"\xc3", "UTF-8");                // cut
    expect_bad("{\"a\": \"\\ud800\"}", "surrogate");
    expect_bad("{\"a\": \"\\udc00\"}", "surrogate");
    expect_bad("{\"a\": \"\\ud800\\u0041\"}", "surrogate");
    expect_bad("{\"a\": \"\\u12g4\"}", "hexadecimal");
    expect_bad("{\"a\": \"\\u-123\"}", "hexadecimal");
    expect_bad("{\"a\": \"\\u12", "hexadecimal");
    expect_bad("{\"a\": \"\\u0000\"}", "NUL");
    expect_bad(std::string("{\"a\": \"\0\"}", 10), "control byte");
    expect_bad(std::string("{}\0", 3), "unexpected");
    ck_assert(value("\"\\ud83d\\ude00\"").string() == "\xF0\x9F\x98\x80");
    ck_assert(value("\"\xF0\x9F\x98\x80\"").string() == "\xF0\x9F\x98\x80");
}

AIANIME_TEST(b11_depth_and_many_keys) {
    ck_assert(parse(nested(8)).is_array());
    expect_bad(nested(9), "too many levels");
    expect_bad(nested(1000), "too many levels");
    expect_bad(std::string(200000, '['), "too many levels");
    std::string many = "{\"key0\": 0";
    for (int i = 1; i < 100000; i++)
        many += ",\"key" + std::to_string(i) + "\": 0";
    const std::clock_t begin = std::clock();
    expect_error([&] { parse(many + "}").only(keys); }, AIANIME_BAD_DATA, "unknown key \"key0\"");
    ck_assert_double_lt(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 1.0);
}

AIANIME_TEST(unknown_keys_name_the_nearest) {
    parse("{\"steps\": 1, \"x_mine\": 2}").only(keys);
    expect_error([] { parse("{\"stpes\": 1}").only(keys); }, AIANIME_BAD_DATA, "unknown key \"stpes\"; did you mean \"steps\"?");
    expect_error([] { parse("{\"Model\": 1}").only(keys); }, AIANIME_BAD_DATA, "did you mean \"model\"?");
    expect_error([] { parse("{\"quality\": 1}").only(keys); }, AIANIME_BAD_DATA, "known: model, prompt");
    expect_error([] { parse("{\"a\\nb\": 1}").only(keys); }, AIANIME_BAD_DATA, "\"a?b\"");
    expect_error(
        [] {
            value("\"popp\"").choice({"pop", "ink"});
        },
        AIANIME_BAD_DATA, "v: unknown value \"popp\"; did you mean \"pop\"?");
    ck_assert(value("\"ink\"").choice({"pop", "ink"}) == "ink");
}

AIANIME_TEST(nearest_word) {
    using aianime::io::nearest;
    ck_assert(nearest("sampleing", keys) == "sampling");
    ck_assert(nearest("OVERLAP", keys) == "overlap");
    ck_assert(nearest("verlapo", keys) == "overlap");
    ck_assert(nearest("xyz", keys).empty());
    ck_assert(nearest("", keys).empty());
    ck_assert(nearest(std::string(100000, 'a'), keys).empty());
    ck_assert(nearest("steps", {}).empty());
}

// Numbers are read with a point whatever the program's locale says (case C10).
AIANIME_TEST(locale_with_decimal_comma) {
    const bool comma = std::setlocale(LC_ALL, "de_DE.UTF-8") || std::setlocale(LC_ALL, "fr_FR.UTF-8");
    if (!comma)
        print_skip("no locale with a decimal comma is installed");
    ck_assert_double_eq(value("0.25").number(0, 1), 0.25);
    expect_error([] { value("2.5").number(0, 1.5); }, AIANIME_OUT_OF_RANGE, "2.5 is outside 0 to 1.5");
}

int main() {
    return run_suite("json", {reads_a_document, outlives_its_document, b1_sizes, b2_syntax_with_line_and_column, b3_duplicate_keys,
                              b4_numbers_that_are_none, b5_integers, b6_types_are_checked_first, ranges, b10_text_encoding,
                              b11_depth_and_many_keys, unknown_keys_name_the_nearest, nearest_word, locale_with_decimal_comma});
}
