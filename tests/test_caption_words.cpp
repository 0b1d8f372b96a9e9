// SPDX-License-Identifier: LGPL-2.1-or-later
// Facts become words: the built-in captioner, prompts within their chunks, prompts over time.
#include "support.h"

#include "caption/attributes.h"
#include "caption/person_words.h"
#include "caption/timed_prompts.h"
#include "caption/word_text.h"
#include "diffusion/prompt.h"

using namespace aianime;
using namespace aianime::caption;

namespace {

Person person(double male, double age, double top = 0.2, double height = 0.2, double middle = 0.5) {
    Person person;
    person.male = male;
    person.age = age;
    person.box = cv::Rect2f(static_cast<float>(middle - height * 0.4), static_cast<float>(top), static_cast<float>(height * 0.8),
                            static_cast<float>(height));
    return person;
}

// A token a word and a comma, and nothing for the notation: as CLIP counts short words.
int64_t count_tokens(const std::string &prompt) {
    int64_t tokens = 0;
    for (const diffusion::WeightedText &piece : diffusion::parse_prompt(prompt)) {
        tokens += static_cast<int64_t>(WordText(piece.text).size());
        for (const char c : piece.text)
            tokens += c == ',';
    }
    return tokens;
}

std::string words(int number, const std::string &word = "word") {
    std::string text;
    for (int i = 0; i < number; ++i)
        text += (i ? " " : "") + word;
    return text;
}

PromptParts parts_of(const std::string &style, const std::string &caption, std::vector<std::string> said = {}) {
    PromptParts parts;
    parts.style = style;
    parts.caption = caption;
    parts.words = std::move(said);
    parts.words_weight = 1;
    return parts;
}

void expect(const std::string &found, const std::string &expected) {
    ck_assert_msg(found == expected, "\"%s\", expected \"%s\"", found.c_str(), expected.c_str());
}

void expect_prompts(const std::vector<TimedText> &found, const std::vector<TimedText> &expected) {
    for (size_t i = 0; i < std::max(found.size(), expected.size()); ++i) {
        ck_assert_msg(i < found.size(), "nothing at %g", expected[std::min(i, expected.size() - 1)].time);
        ck_assert_msg(i < expected.size(), "\"%s\" at %g", found[i].text.c_str(), found[i].time);
        ck_assert_double_eq_tol(found[i].time, expected[i].time, 1e-9);
        expect(found[i].text, expected[i].text);
    }
}

} // namespace

AIANIME_TEST(describes_one_person) {
    Person woman = person(0.05, 27, 0.15, 0.6);
    woman.eyes_open = false;
    woman.expression = "happy";
    vision::PictureFacts facts;
    facts.place = vision::Place::outdoors;
    facts.cast = vision::Cast::warm;
    expect(described({woman}, facts, Language::tags), "1girl, solo, closed eyes, smile, close-up, outdoors, warm light");
    expect(described({woman}, facts, Language::sentence),
           "a close-up of a smiling young woman with closed eyes, outdoors, warm light");
    expect(described({woman}, facts, Language::tags, false), "1girl, solo, close-up, outdoors, warm light");
    expect(described({woman}, facts, Language::sentence, false), "a close-up of a young woman, outdoors, warm light");
}

AIANIME_TEST(describes_ages) {
    const vision::PictureFacts none;
    const auto tags = [&](double male, double age) { return described({person(male, age, 0.2, 0)}, none, Language::tags); };
    const auto sentence = [&](double male, double age) { return described({person(male, age, 0.2, 0)}, none, Language::sentence); };
    expect(tags(0.5, 1), "solo, baby");
    expect(sentence(0.5, 1), "a baby");
    expect(tags(0.05, 8), "1girl, solo, child");
    expect(sentence(0.05, 8), "a girl");
    expect(tags(0.95, 15), "1boy, solo");
    expect(sentence(0.95, 15), "a teenage boy");
    expect(sentence(0.95, 45), "a man");
    expect(tags(0.95, 70), "1boy, solo, old man");
    expect(sentence(0.95, 70), "an old man");
    expect(tags(0.5, 30), "solo"); // nobody guesses
    expect(sentence(0.5, 30), "a person");
    expect(sentence(0.5, 70), "an old person");
    expect(tags(0.95, 0), "1boy, solo");
}

AIANIME_TEST(describes_several_people) {
    const vision::PictureFacts none;
    const Person left = person(0.95, 40, 0.2, 0.1, 0.2), middle = person(0.05, 30, 0.2, 0.1),
                 right = person(0.1, 35, 0.2, 0.1, 0.8);
    expect(described({middle, left}, none, Language::tags), "1girl, 1boy, full body");
    expect(described({middle, left}, none, Language::sentence), "a man and a woman");
    expect(described({left, middle, right}, none, Language::sentence), "two women and a man");
    expect(described({left, middle, right}, none, Language::tags), "2girls, 1boy, full body");
    expect(described(std::vector<Person>(40, middle), none, Language::tags), "6+girls, full body");
    expect(described(std::vector<Person>(40, middle), none, Language::sentence), "a group of people");
    Person blind = middle, other = right;
    blind.eyes_open = false;
    expect(described({blind, right}, none, Language::tags), "2girls, full body"); // one of them only
    other.eyes_open = false;
    expect(described({blind, other}, none, Language::tags), "2girls, closed eyes, full body");
}

AIANIME_TEST(framings) {
    const auto of = [](double top, double height) { return framing({person(0, 30, top, height)}); };
    expect(framing({}), "");
    expect(of(0.1, 0.6), "close-up");
    expect(of(0.25, 0.3), "portrait");
    expect(of(0.15, 0.2), "upper body");
    expect(of(0.15, 0.15), "cowboy shot");
    expect(of(0.2, 0.11), "");
    expect(of(0.1, 0.1), "full body");
    expect(of(0.8, 0.1), "portrait"); // a small face at the lower border
    expect(of(0.1, 0), "");
}

// Nobody is a claim only where there is no place for somebody.
AIANIME_TEST(describes_scenery) {
    vision::PictureFacts facts;
    expect(described({}, facts, Language::tags), "");
    expect(described({}, facts, Language::sentence), "");
    facts.place = vision::Place::outdoors;
    facts.sky = 0.2;
    facts.plants = 0.1;
    expect(described({}, facts, Language::tags), "outdoors");
    facts.plants = 0.3;
    expect(described({}, facts, Language::tags), "scenery, outdoors");
    expect(described({}, facts, Language::sentence), "a landscape, outdoors");
    facts.plants = 0.6;
    expect(described({}, facts, Language::tags), "no humans, scenery, outdoors");
}

AIANIME_TEST(describes_colors) {
    vision::PictureFacts facts;
    facts.palette = {{"blue", 0.6, {}}, {"gray", 0.2, {}}, {"orange", 0.15, {}}};
    facts.blurred_background = true;
    expect(described({person(0.9, 40, 0.2, 0)}, facts, Language::tags), "1boy, solo, blurry background, blue theme");
    expect(described({person(0.9, 40, 0.2, 0)}, facts, Language::sentence), "a man, blurred background, blue and orange colors");
    facts.grey = facts.monochrome = true;
    expect(described({}, facts, Language::tags), "greyscale, monochrome");
}

AIANIME_TEST(words_of_a_person) {
    Person man = person(0.95, 30);
    expect(person_text(man, Language::tags), "1boy");
    expect(person_text(man, Language::sentence), "a young man");
    man.eyes_open = false;
    man.mouth_open = true;
    man.expression = "fearful";
    man.attributes = {{"beard", "yes", 0.95}};
    expect(person_text(man, Language::tags), "1boy, closed eyes, scared, open mouth, beard");
    expect(person_text(man, Language::sentence),
           "a young man with a beard with closed eyes, looking frightened with an open mouth");
}

// The network calls most faces with closed eyes sad.
AIANIME_TEST(closed_eyes_are_not_sad) {
    Person woman = person(0.05, 45);
    woman.expression = "sad";
    expect(person_text(woman, Language::tags), "1girl, sad");
    woman.eyes_open = false;
    expect(person_text(woman, Language::tags), "1girl, closed eyes");
    woman.expression = "happy";
    expect(person_text(woman, Language::tags), "1girl, closed eyes, smile");
}

AIANIME_TEST(same_in_other_words) {
    ck_assert(says("a woman with her eyes closed", "closed eyes"));
    ck_assert(says("closed_eyes, hat", "with closed eyes"));
    ck_assert(says("a man closing his eyes", "closed eyes"));
    ck_assert(says("a smiling man", "smile"));
    ck_assert(says("(big smile:1.2)", "smiling"));
    ck_assert(!says("a man with open eyes", "closed eyes"));
    ck_assert(!says("closed door, blue eyes", "closed eyes"));
    ck_assert(!says("smileys", "smile"));
    ck_assert(says("scared cat", "scared"));
}

AIANIME_TEST(assembles) {
    expect(assembled(parts_of("anime style", "1girl, hat"), count_tokens), "anime style, 1girl, hat");
    expect(assembled(parts_of("anime style, ", "hat"), count_tokens), "anime style, hat");
    expect(assembled(parts_of("", "1girl, hat", {"smile"}), count_tokens), "1girl, hat, smile");
    expect(assembled(parts_of("", "", {"smile"}), count_tokens), "smile");
    expect(assembled(parts_of("", ""), count_tokens), "");
    expect(assembled(parts_of("(anime:1.3) [x", ""), count_tokens), "(anime:1.3) [x");
    PromptParts parts = parts_of("anime", "1girl, hat (red)", {"closed eyes", "smile"});
    parts.caption_weight = 0.8;
    parts.words_weight = 1.25;
    expect(assembled(parts, count_tokens), "anime, (1girl, hat \\(red\\):0.8), (closed eyes, smile:1.25)");
    parts.caption_weight = 0;
    parts.words_weight = 0;
    expect(assembled(parts, count_tokens), "anime");
}

// What was said is not said again.
AIANIME_TEST(assembles_without_doubles) {
    expect(assembled(parts_of("anime, (1girl:1.2), Long_Hair", "1girl, long hair, 1girl, hat, Hat"), count_tokens),
           "anime, (1girl:1.2), Long_Hair, hat");
    expect(assembled(parts_of("a (smiling) girl", "hat", {"smile"}), count_tokens), "a (smiling) girl, hat");
    expect(assembled(parts_of("anime", "a woman with her eyes closed", {"with closed eyes", "smiling"}), count_tokens),
           "anime, a woman with her eyes closed, smiling");
    expect(assembled(parts_of("scarf", "car"), count_tokens), "scarf, car"); // whole words
}

AIANIME_TEST(notation) {
    expect(weighted("x", 1), "x");
    expect(weighted("x", 1.2), "(x:1.2)");
    expect(weighted("x", 1.25), "(x:1.25)");
    expect(weighted("x", 2), "(x:2)");
    expect(weighted("x", 1.001), "x");
    expect(weighted("x", -1), "");
    expect(weighted("x", std::nan("")), "");
    expect(weighted("", 1.2), "");
    expect(escaped("a (b) [c] \\ \\(d\\)"), "a \\(b\\) \\[c\\] \\\\ \\(d\\)");
    expect(escaped("tea BREAK\nnow"), "tea break now");
    // What the parser reads is what was meant, whatever stands in the caption.
    for (const std::string text : {"plain", "a (b:1.3) c", "((", "]", "a\\b", "3:1.2)", "\\("}) {
        const std::vector<diffusion::WeightedText> pieces = diffusion::parse_prompt(weighted(escaped(text), 1.5));
        ck_assert_uint_eq(pieces.size(), 1);
        ck_assert_double_eq_tol(pieces[0].weight, 1.5, 1e-9);
        expect(pieces[0].text, text == "\\(" ? "(" : text);
    }
}

// The style stays; the last of the caption goes first.
AIANIME_TEST(fits_into_chunks) {
    expect(assembled(parts_of(words(72), "one, two three, four"), count_tokens), words(72) + ", one");
    expect(assembled(parts_of(words(75), "one, two"), count_tokens), words(75));
    expect(assembled(parts_of(words(76), "one, two"), count_tokens), words(76) + ", one, two"); // its second chunk has room
    expect(assembled(parts_of(words(400), "one"), count_tokens), words(400) + ", one");
    expect(assembled(parts_of(words(71), "hat, coat", {"closed eyes"}), count_tokens), words(71) + ", closed eyes");
    expect(assembled(parts_of(words(74), "hat", {"closed eyes"}), count_tokens), words(74));
    expect(assembled(parts_of(words(66), "a woman with a hat in a very large garden"), count_tokens),
           words(66) + ", a woman with a hat");
    expect(assembled(parts_of("x BREAK y", words(74, "z")), count_tokens), "x BREAK y"); // the last chunk has one word already
    expect(assembled(parts_of("x BREAK y", words(73, "z")), count_tokens), "x BREAK y, " + words(73, "z"));
    ck_assert_int_eq(chunks_of("", count_tokens), 1);
    ck_assert_int_eq(chunks_of(words(75), count_tokens), 1);
    ck_assert_int_eq(chunks_of(words(76), count_tokens), 2);
    ck_assert_int_eq(chunks_of("a BREAK b", count_tokens), 2);
    ck_assert_int_eq(chunks_of("a BREAKFAST b", count_tokens), 1);
}

AIANIME_TEST(closed_eyes_while_they_are_closed) {
    ShotWords shot;
    shot.style = "anime";
    shot.caption = "1girl, looking at viewer, hat";
    shot.people = {person(0.05, 25)};
    shot.words_weight = 1;
    shot.begin = 2;
    shot.end = 10;
    shot.changes = {{2, 0, true, false, "neutral"},
                    {4, 0, false, false, "neutral"},
                    {5.5, 0, true, false, "happy"},
                    {9, 0, true, false, "neutral"}};
    expect_prompts(prompts_over_time(shot, count_tokens), {{2, "anime, 1girl, looking at viewer, hat"},
                                                           {4, "anime, 1girl, closed eyes, hat"},
                                                           {5.5, "anime, 1girl, looking at viewer, hat, smile"},
                                                           {9, "anime, 1girl, looking at viewer, hat"}});
    shot.form = shot.language = Language::sentence;
    shot.caption = "a woman with her eyes open";
    expect_prompts(prompts_over_time(shot, count_tokens), {{2, "anime, a woman with her eyes open"},
                                                           {4, "anime, a woman with her eyes closed"},
                                                           {5.5, "anime, a woman with her eyes open, smiling"},
                                                           {9, "anime, a woman with her eyes open"}});
    expect_prompts(
        person_texts_over_time(shot, 0),
        {{2, "a young woman"}, {4, "a young woman with closed eyes"}, {5.5, "a young woman, smiling"}, {9, "a young woman"}});
    ck_assert(person_texts_over_time(shot, 5).empty());
}

AIANIME_TEST(short_states_pass) {
    ShotWords shot;
    shot.caption = "1girl";
    shot.people = {person(0.05, 25)};
    shot.words_weight = 1;
    const auto eyes = [](double time, bool open) { return StateChange{time, 0, open, false, "neutral"}; };
    shot.changes = {eyes(0, true), eyes(1, false), eyes(1.1, true), eyes(3, false), eyes(3.2, true)};
    expect_prompts(prompts_over_time(shot, count_tokens), {{0, "1girl"}, {3, "1girl, closed eyes"}, {3.2, "1girl"}});
    shot.changes = {eyes(0, false), eyes(0.1, true)}; // the first state holds before
    expect_prompts(prompts_over_time(shot, count_tokens), {{0, "1girl"}});
    shot.changes = {eyes(0, false), eyes(5, true), eyes(5.05, false)};
    expect_prompts(prompts_over_time(shot, count_tokens), {{0, "1girl, closed eyes"}});
    shot.end = 6;
    shot.changes = {eyes(0, true), eyes(5.95, false)}; // cut off by the shot's end
    expect_prompts(prompts_over_time(shot, count_tokens), {{0, "1girl"}});
    shot.changes = {};
    shot.people[0].eyes_open = false; // as on the key frame
    expect_prompts(prompts_over_time(shot, count_tokens), {{0, "1girl, closed eyes"}});
    shot.people = {};
    expect_prompts(prompts_over_time(shot, count_tokens), {{0, "1girl"}});
}

// Words for all hold for all.
AIANIME_TEST(two_people_over_time) {
    ShotWords shot;
    shot.caption = "1boy, 1girl";
    shot.people = {person(0.95, 25, 0.2, 0.2, 0.3), person(0.05, 25, 0.2, 0.2, 0.7)};
    shot.people[1].track = 4;
    shot.words_weight = 1;
    shot.changes = {{0, 0}, {0, 4}, {1, 0, false}, {2, 4, false}, {3, 0, true}, {3, 9, false}};
    expect_prompts(prompts_over_time(shot, count_tokens),
                   {{0, "1boy, 1girl"}, {2, "1boy, 1girl, closed eyes"}, {3, "1boy, 1girl"}});
    expect_prompts(person_texts_over_time(shot, 4), {{0, "1girl"}, {2, "1girl, closed eyes"}});
}

int main() {
    return run_suite("caption_words",
                     {describes_one_person, describes_ages, describes_several_people, framings, describes_scenery, describes_colors,
                      words_of_a_person, closed_eyes_are_not_sad, same_in_other_words, assembles, assembles_without_doubles,
                      notation, fits_into_chunks, closed_eyes_while_they_are_closed, short_states_pass, two_people_over_time});
}
