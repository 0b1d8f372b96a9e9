// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/tag_correction.h"

#include <algorithm>

#include "caption/mood_words.h"
#include "caption/person_nouns.h"
#include "caption/tag_list.h"
#include "caption/word_text.h"

namespace aianime::caption {

namespace {

constexpr double close_face = 0.45; // as for sentences
constexpr int at_least_two = 2;     // "multiple girls"

// A tag for people of a gender or an age.
struct PersonTag {
    const char *tag;
    Gender gender;
    AgeRange ages;
    const char *opposite; // of the other gender; "": it goes
};

constexpr double oldest = 200;
constexpr PersonTag person_tags[] = {
    {"mature female", Gender::female, {22, oldest}, "mature male"},
    {"mature male", Gender::male, {22, oldest}, "mature female"},
    {"old woman", Gender::female, {45, oldest}, "old man"},
    {"old man", Gender::male, {45, oldest}, "old woman"},
    {"old", Gender::unknown, {45, oldest}, ""},
    {"baby", Gender::unknown, {0, 5}, ""},
    {"toddler", Gender::unknown, {0, 8}, ""},
    {"child", Gender::unknown, {0, 17}, ""},
    {"female child", Gender::female, {0, 17}, "male child"},
    {"male child", Gender::male, {0, 17}, "female child"},
    {"teenage girl", Gender::female, {8, 27}, "teenage boy"},
    {"teenage boy", Gender::male, {8, 27}, "teenage girl"},
    {"girl", Gender::female, {3, 32}, "boy"},
    {"boy", Gender::male, {3, 28}, "girl"},
    {"little girl", Gender::female, {2, 14}, "little boy"},
    {"little boy", Gender::male, {2, 14}, "little girl"},
    {"woman", Gender::female, {12, oldest}, "man"},
    {"man", Gender::male, {12, oldest}, "woman"},
    {"young woman", Gender::female, {12, 45}, "young man"},
    {"young man", Gender::male, {12, 45}, "young woman"},
    {"female", Gender::female, {0, oldest}, "male"},
    {"male", Gender::male, {0, oldest}, "female"},
    {"male focus", Gender::male, {0, oldest}, ""},
    {"female focus", Gender::female, {0, oldest}, ""},
};

// Nouns that stand for a person of any age.
constexpr const char *nouns = " girl boy woman man ";

constexpr const char *happy_tags[] = {"smile", "smiling", "light smile", "happy", "grin", "laughing", "evil smile"};
constexpr const char *unhappy_tags[] = {
    "sad", "crying", "tears", "angry", "frown", "scared", "upset", "v-shaped eyebrows", "crying with eyes open"};
constexpr const char *open_eyes_tags[] = {"open eyes", "eyes open", "wide-eyed", "half-closed eyes", "looking at viewer"};
constexpr const char *closed_eyes_tags[] = {"closed eyes", "eyes closed"};
constexpr const char *beard_tags[] = {"beard", "full beard", "long beard", "thick beard", "white beard", "black beard", "bearded"};
constexpr const char *no_beard_tags[] = {"no beard", "clean-shaven", "clean shaven", "beardless"};

template <size_t n>
bool is_among(const std::string &key, const char *const (&list)[n]) {
    return std::any_of(std::begin(list), std::end(list), [&](const char *tag) { return key == tag; });
}

const PersonTag *find_person_tag(const std::string &key) {
    for (const PersonTag &tag : person_tags)
        if (key == tag.tag)
            return &tag;
    return nullptr;
}

// "3girls" -> 3, "multiple girls" -> 2, 0 for others; `noun` is "girl" or "boy".
int counted(const std::string &key, const std::string &noun) {
    if (key == "multiple " + noun + "s")
        return at_least_two;
    if (key == "6+" + noun + "s")
        return 6;
    const bool numbered = !key.empty() && key[0] >= '1' && key[0] <= '9' && (key.substr(1) == noun || key.substr(1) == noun + "s");
    return numbered ? key[0] - '0' : 0;
}

// The expression of all people; "" where they differ.
std::string common_expression(const std::vector<Person> &people) {
    for (const Person &person : people)
        if (mood_of(person) != mood_of(people[0]))
            return "";
    return mood_of(people[0]);
}

class TagCorrection {
public:
    TagCorrection(const std::string &text, const std::vector<Person> &people) : text_(text), people_(people) {
        for (const std::string &tag : split_tags(text))
            tags_.push_back({tag, tag_key(tag)});
        underscores_ = text.find('_') != std::string::npos;
    }

    std::string run() {
        correct_count();
        correct_people();
        correct_eyes();
        correct_beard();
        correct_mood();
        correct_mouth();
        if (!changed_)
            return text_;
        std::vector<std::string> result;
        for (const Tag &tag : tags_)
            if (!tag.text.empty() && std::find(result.begin(), result.end(), tag.text) == result.end())
                result.push_back(tag.text);
        return joined_tags(result);
    }

private:
    struct Tag {
        std::string text, key; // both empty: taken away
    };

    bool has(const std::string &key) const {
        return std::any_of(tags_.begin(), tags_.end(), [&](const Tag &tag) { return tag.key == key; });
    }

    void set(Tag &tag, const std::string &text) {
        changed_ = true;
        tag = {text, text};
        if (underscores_)
            std::replace(tag.text.begin(), tag.text.end(), ' ', '_');
    }

    // The first of them becomes `by` (unless that is there already, or ""), the others go.
    template <size_t n>
    void exchange(const char *const (&list)[n], const std::string &by) {
        for (Tag &tag : tags_)
            if (is_among(tag.key, list))
                set(tag, has(by) ? "" : by);
    }

    int sum(const std::string &noun) const {
        int count = 0;
        for (const Tag &tag : tags_)
            count = std::max(count, counted(tag.key, noun));
        return count;
    }

    int seen(Gender gender) const {
        return static_cast<int>(
            std::count_if(people_.begin(), people_.end(), [&](const Person &person) { return gender_of(person) == gender; }));
    }

    void correct_count() {
        const int girls = sum("girl"), boys = sum("boy"), faces = static_cast<int>(people_.size());
        const int women = seen(Gender::female), men = seen(Gender::male), tagged = girls + boys;
        if (has("no humans"))
            return replace_counts(women, men);
        if (tagged == 0)
            return drop_solo();
        const bool many = has("multiple girls") || has("multiple boys");
        if (faces == tagged && (men > boys || women > girls)) {
            const int right_boys = std::max(men, std::min(boys, faces - women));
            replace_counts(faces - right_boys, right_boys);
        } else if (faces > tagged && women + men == faces &&
                   !(many && women >= girls && men >= boys && (girls > 0) == (women > 0) && (boys > 0) == (men > 0)))
            replace_counts(women, men);
        else if (faces == 1 && tagged > 1 && women + men == 1 && tallest_face(people_) >= close_face)
            replace_counts(women, men);
        drop_solo();
    }

    void drop_solo() {
        for (Tag &tag : tags_)
            if ((tag.key == "solo" || tag.key == "solo focus") && people_.size() > 1)
                set(tag, "");
    }

    // The new tags stand where the first old one stood.
    void replace_counts(int girls, int boys) {
        std::vector<std::string> counts = count_tags(girls, boys);
        for (size_t i = 0; i < tags_.size(); ++i) {
            const std::string key = tags_[i].key;
            if (counted(key, "girl") == 0 && counted(key, "boy") == 0 && key != "no humans" && key != "multiple boys")
                continue;
            set(tags_[i], counts.empty() ? "" : counts[0]);
            if (counts.size() == 2) {
                tags_.insert(tags_.begin() + static_cast<std::ptrdiff_t>(i) + 1, Tag{counts[1], "."});
                ++i;
            }
            counts.clear();
        }
    }

    // Whether this tag is wrong of everybody.
    bool wrong_gender(const PersonTag &tag) const {
        return tag.gender != Gender::unknown &&
               seen(tag.gender == Gender::male ? Gender::female : Gender::male) == static_cast<int>(people_.size());
    }
    bool wrong_age(const PersonTag &tag) const {
        return std::none_of(people_.begin(), people_.end(), [&](const Person &person) { return tag.ages.holds(person.age); });
    }

    void correct_people() {
        for (Tag &tag : tags_) {
            const PersonTag *known = find_person_tag(tag.key);
            if (!known)
                continue;
            if (wrong_age(*known))
                set(tag, age_tag(*known));
            else if (wrong_gender(*known))
                set(tag, has(known->opposite) ? "" : known->opposite);
        }
    }

    // What says the age of all people instead of this tag; "" where they differ.
    std::string age_tag(const PersonTag &tag) const {
        const std::string first = age_tag(tag, people_[0]);
        const bool alike = std::all_of(people_.begin(), people_.end(), [&](const Person &p) { return age_tag(tag, p) == first; });
        return alike && !has(first) ? first : "";
    }

    // Danbooru has no tag for grown-ups before they are old; "girl" and the like become "woman".
    std::string age_tag(const PersonTag &tag, const Person &person) const {
        const Gender gender = wrong_gender(tag) || tag.gender == Gender::unknown ? gender_of(person) : tag.gender;
        if (person.age >= 60)
            return gender == Gender::unknown ? "old" : gender == Gender::male ? "old man" : "old woman";
        if (person.age < 13 && tag.gender == Gender::unknown)
            return noun_for(person.age, Gender::unknown, false);
        const bool is_noun = is_one_of(tag.tag, nouns);
        return person.age < 18 || is_noun ? noun_for(person.age, gender, false) : "";
    }

    void correct_eyes() {
        if (all_eyes_open(people_))
            exchange(closed_eyes_tags, "");
        if (all_eyes_closed(people_))
            exchange(open_eyes_tags, "closed eyes");
    }

    void correct_beard() {
        const auto all = [&](bool bearded) {
            return std::all_of(people_.begin(), people_.end(), [&](const Person &person) { return beard_of(person) == bearded; });
        };
        if (all(false)) {
            exchange(beard_tags, "");
            if (!has("mustache") && !has("goatee") && !has("stubble"))
                exchange({"facial hair"}, "");
        }
        if (all(true))
            exchange(no_beard_tags, "beard");
    }

    void correct_mood() {
        const std::string mood = common_expression(people_);
        if (is_unhappy(mood))
            exchange(happy_tags, mood_tag(mood));
        if (mood == "happy")
            exchange(unhappy_tags, "smile");
    }

    void correct_mouth() {
        const auto all = [&](bool open) {
            return std::all_of(people_.begin(), people_.end(), [&](const Person &person) { return person.mouth_open == open; });
        };
        if (all(true))
            exchange({"closed mouth"}, "open mouth");
        if (all(false))
            exchange({"open mouth"}, "closed mouth");
    }

    const std::string &text_;
    const std::vector<Person> &people_;
    std::vector<Tag> tags_;
    bool underscores_ = false, changed_ = false;
};

} // namespace

bool is_count_tag(const std::string &key) {
    return counted(key, "girl") > 0 || counted(key, "boy") > 0 || key == "solo" || key == "no humans" || key == "solo focus";
}

std::vector<std::string> count_tags(int girls, int boys) {
    std::vector<std::string> tags;
    const auto add = [&](int count, const std::string &noun) {
        if (count == 1)
            tags.push_back("1" + noun);
        else if (count > 1)
            tags.push_back((count > 5 ? "6+" : std::to_string(count)) + noun + "s");
    };
    add(girls, "girl");
    add(boys, "boy");
    return tags;
}

std::string corrected_tags(const std::string &tags, const std::vector<Person> &people) { return TagCorrection(tags, people).run(); }

} // namespace aianime::caption
