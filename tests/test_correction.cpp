// SPDX-License-Identifier: LGPL-2.1-or-later
// Captions are put right where faces contradict them, and left alone where they do not.
#include "support.h"

#include "caption/correction.h"
#include "caption/mentions.h"
#include "caption/tag_correction.h"
#include "io/json.h"
#include "io/text.h"

using namespace aianime;
using namespace aianime::caption;

namespace {

Person person_of(const io::Json &json) {
    json.only({"male", "age", "box", "eyes_open", "mouth_open", "mood", "beard"});
    Person person;
    person.male = json.at("male").number(0, 1);
    person.age = json.at("age").number(0, 120);
    const io::Json box = json.at("box");
    const auto side = [&](size_t i) { return static_cast<float>(box.at(i).number(-1, 1)); };
    person.box = {side(0), side(1), side(2), side(3)};
    person.eyes_open = !json.has("eyes_open") || json.at("eyes_open").boolean();
    person.mouth_open = json.has("mouth_open") && json.at("mouth_open").boolean();
    if (json.has("mood"))
        person.expression = json.at("mood").string();
    if (json.has("beard"))
        person.attributes.push_back({"beard", json.at("beard").string(), 0.9});
    return person;
}

std::vector<Person> people_of(const io::Json &json) {
    std::vector<Person> people;
    for (size_t i = 0; i < json.size(); ++i)
        people.push_back(person_of(json.at(i)));
    return people;
}

Person person(double male, double age, double middle = 0.5, double height = 0.2) {
    Person person;
    person.male = male;
    person.age = age;
    person.box =
        cv::Rect2f(static_cast<float>(middle - height * 0.4), 0.2f, static_cast<float>(height * 0.8), static_cast<float>(height));
    return person;
}

std::string sentence(const std::string &text, const std::vector<Person> &people) {
    return corrected(text, people, Language::sentence);
}

void expect(const std::string &found, const std::string &expected) {
    ck_assert_msg(found == expected, "\"%s\", expected \"%s\"", found.c_str(), expected.c_str());
}

} // namespace

AIANIME_TEST(table) {
    const io::Json rows = io::Json::load(tests_folder() + "/golden/correction/table.json").at("rows");
    size_t changed = 0, kept = 0, wrong = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
        const io::Json row = rows.at(i);
        row.only({"caption", "people", "form", "expected", "why"});
        const std::string caption = row.at("caption").string(), expected = row.at("expected").string();
        const Language form = row.at("form").choice({"tags", "sentence"}) == "tags" ? Language::tags : Language::sentence;
        const std::string found = corrected(caption, people_of(row.at("people")), form);
        (caption == expected ? kept : changed)++;
        if (found == expected)
            continue;
        wrong++;
        std::printf("row %zu: \"%s\"\n   gives \"%s\"\nexpected \"%s\"\n", i, caption.c_str(), found.c_str(), expected.c_str());
        std::fflush(stdout);
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_ge(changed, 60);
    ck_assert_uint_ge(kept, 20);
}

// A text that was corrected agrees with the people.
AIANIME_TEST(corrected_once_is_corrected) {
    const io::Json rows = io::Json::load(tests_folder() + "/golden/correction/table.json").at("rows");
    for (size_t i = 0; i < rows.size(); ++i) {
        const Language form = rows.at(i).at("form").string() == "tags" ? Language::tags : Language::sentence;
        const std::vector<Person> people = people_of(rows.at(i).at("people"));
        const std::string once = corrected(rows.at(i).at("caption").string(), people, form);
        expect(corrected(once, people, form), once);
    }
}

// The thresholds of gender and beards.
AIANIME_TEST(margins) {
    expect(sentence("a man", {person(0.36, 30)}), "a man");
    expect(sentence("a man", {person(0.34, 30)}), "a woman");
    expect(sentence("a woman", {person(0.64, 30)}), "a woman");
    expect(sentence("a woman", {person(0.66, 30)}), "a man");
    expect(sentence("a boy", {person(0.2, 3.5)}), "a boy"); // small children's faces tell little
    expect(sentence("a boy", {person(0.05, 3.5)}), "a girl");
    Person bearded = person(0.9, 40);
    bearded.attributes = {{"beard", "no beard", 0.79}};
    expect(sentence("a man with a beard", {bearded}), "a man with a beard");
    bearded.attributes[0].probability = 0.81;
    expect(sentence("a man with a beard", {bearded}), "a man");
    bearded.attributes[0].name = "glasses";
    expect(sentence("a man with a beard", {bearded}), "a man with a beard");
}

// Nothing said about an age that is not known.
AIANIME_TEST(unknown_age) {
    expect(sentence("a baby", {person(0.5, 0)}), "a baby");
    expect(sentence("an old man", {person(0.9, 0)}), "an old man");
}

AIANIME_TEST(people_of_a_text) {
    const auto count = [](const std::string &text) { return find_entities(WordText(text)).size(); };
    ck_assert_uint_eq(count("a man and a woman"), 2);
    ck_assert_uint_eq(count("a man sits, the man smiles"), 1);
    ck_assert_uint_eq(count("a couple of young women"), 1);
    ck_assert_uint_eq(count("a group of three men in a boat"), 1);
    ck_assert_uint_eq(count("a statue of a man"), 0);
    ck_assert_uint_eq(count("a woman's hat"), 0);
    ck_assert_uint_eq(count("a woman's left hand"), 1);
    ck_assert_uint_eq(count("boys' toys"), 0);
    ck_assert_uint_eq(count("a painting of a man"), 1);
    ck_assert_int_eq(find_entities(WordText("a group of three men in a boat"))[0].first().count, 3);
    ck_assert_int_eq(find_entities(WordText("a 25 year old woman"))[0].first().count, 1);
}

AIANIME_TEST(forms) {
    ck_assert(form_of("1girl, solo, smile") == Language::tags);
    ck_assert(form_of("long hair, smile, outdoors, red dress") == Language::tags);
    ck_assert(form_of("solo") == Language::tags);
    ck_assert(form_of("a woman with headphones, in front of a blurred forest") == Language::sentence);
    ck_assert(form_of("a woman") == Language::sentence);
    ck_assert(form_of("") == Language::sentence);
}

AIANIME_TEST(counts) {
    ck_assert(count_tags(1, 0) == std::vector<std::string>{"1girl"});
    ck_assert((count_tags(2, 1) == std::vector<std::string>{"2girls", "1boy"}));
    ck_assert((count_tags(0, 7) == std::vector<std::string>{"6+boys"}));
    ck_assert(count_tags(0, 0).empty());
}

// Forty faces, long texts, bytes that are no UTF-8: no crash, and well-formed text stays so.
AIANIME_TEST(hostile_texts) {
    std::vector<Person> crowd;
    for (int i = 0; i < 40; ++i)
        crowd.push_back(person(i % 2, 1 + 2 * i, i / 40.0));
    const std::vector<std::string> pieces = {"a",   "woman", "two", "men's",   "’",     "with", "closed", "eyes",   "beard",
                                             "and", "no",    ",",   "smiling", "1girl", "her",  "of",     "couple", "year",
                                             "old", "—",     "é",   "日",      "(",     "'",    "one",    "is"};
    unsigned state = 1;
    for (int round = 0; round < 4000; ++round) {
        std::string text;
        for (int i = 0; i < 12; ++i) {
            state = state * 1664525u + 1013904223u;
            text += pieces[(state >> 16) % pieces.size()] + (state & 0x4000 ? " " : "");
        }
        const std::vector<Person> some(crowd.begin(), crowd.begin() + round % 5);
        for (const Language form : {Language::tags, Language::sentence})
            for (const std::vector<Person> &people : {some, crowd})
                ck_assert(io::invalid_utf8(corrected(text, people, form)) == std::string::npos);
    }
    std::string broken = "a woman, \xff\xfe with \xe2\x80";
    expect(sentence(broken, {person(0.9, 30)}), "a man, \xff\xfe with \xe2\x80");
    const std::string huge(100000, 'a');
    expect(sentence(huge, crowd), huge);
}

int main() {
    return run_suite("correction",
                     {table, corrected_once_is_corrected, margins, unknown_age, people_of_a_text, forms, counts, hostile_texts});
}
