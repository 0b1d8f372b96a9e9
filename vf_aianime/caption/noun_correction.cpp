// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "caption/scene.h"

namespace aianime::caption {

namespace {

// A face this tall leaves no room for a second one that was missed.
constexpr double close_face = 0.45;
constexpr const char *needs_two =
    " kissing kiss hugging hug embracing cuddling talking dancing together other another arguing shaking cheek ";
constexpr const char *beards = " beard bearded mustache moustache goatee stubble beards ";

// What becomes of a mention.
struct Verdict {
    std::string noun;        // "" leaves it
    bool drop_ages = false;  // the age adjectives go
    std::string adjective;   // and this one comes
    std::string gender_word; // for "male" in "a male singer"
    Gender gender = Gender::unknown;

    bool operator==(const Verdict &other) const {
        return noun == other.noun && drop_ages == other.drop_ages && adjective == other.adjective &&
               gender_word == other.gender_word && gender == other.gender;
    }
};

bool claims_beard(const WordText &text) {
    for (size_t i = 0; i < text.size(); ++i)
        if (is_one_of(text.at(i), beards) && !is_one_of(text.at(i - 1), " no without ") && text.at(i - 2) != "without")
            return true;
    return false;
}

// "like a woman", "dressed as a boy": two genders for one person.
bool compares(const WordText &text) {
    for (size_t i = 0; i < text.size(); ++i) {
        if (!is_one_of(text.at(i), " like as ") || !is_one_of(text.at(i + 1), " a an "))
            continue;
        for (size_t at = i + 2; at <= i + 3; ++at)
            if (const std::optional<FoundNoun> found = find_person_noun(text.at(at));
                found && found->noun->gender != Gender::unknown)
                return true;
    }
    return false;
}

std::string form(const PersonNoun &noun, bool plural) { return plural ? noun.plural : noun.singular; }

bool is_word_for_children(const PersonNoun &noun) { return noun.ages.low < 12 && noun.ages.high < 100; }

class NounCorrection {
public:
    explicit NounCorrection(Scene &scene)
        : scene_(scene), text_(scene.text), claims_beard_(claims_beard(scene.text)), compares_(compares(scene.text)) {}

    void run() {
        if (scene_.entities.size() == 1)
            if (correct_number())
                return;
        for (size_t entity = 0; entity < scene_.entities.size(); ++entity)
            if (scene_.entities[entity].is_single())
                correct_single(entity);
            else
                correct_plural(entity);
        if (scene_.entities.size() == 2 && text_.changed())
            join_pair(scene_.entities[0].first(), scene_.entities[1].first());
    }

private:
    void correct_single(size_t entity) {
        const Match &match = scene_.matches[entity];
        if (!match.certain || match.people.empty())
            return;
        for (const Mention &mention : scene_.entities[entity].mentions) {
            const Verdict verdict = verdict_on(mention, match.people[0]);
            const bool agreed = std::all_of(match.people.begin(), match.people.end(),
                                            [&](size_t person) { return verdict_on(mention, person) == verdict; });
            if (!agreed)
                return;
            apply(mention, verdict);
            scene_.genders[entity] = verdict.gender;
        }
    }

    Verdict verdict_on(const Mention &mention, size_t index) const {
        const Person &person = scene_.people[index];
        const bool changeable = !compares_ && (mention.word->opposite || mention.gender_adjective);
        const bool bearded = claims_beard_ && mention.gender == Gender::male && beard_of(person) != false;
        const bool wrong_gender = changeable && !bearded && contradicts_gender(mention.gender, gender_of(person));
        const bool wrong_age = !mention.range.holds(person.age);
        Verdict verdict;
        verdict.gender = wrong_gender || mention.gender == Gender::unknown ? gender_of(person) : mention.gender;
        if (wrong_gender && mention.gender_adjective)
            verdict.gender_word = verdict.gender == Gender::male ? "male" : "female";
        else if (wrong_gender)
            verdict.noun = form(*opposite_of(*mention.word), mention.plural);
        if (!verdict.noun.empty() && !says_baby(mention) && !opposite_of(*mention.word)->ages.holds(person.age))
            verdict.noun = noun_for(person.age, verdict.gender, mention.plural);
        if (wrong_age)
            correct_age(mention, person.age, verdict);
        return verdict;
    }

    void correct_age(const Mention &mention, double age, Verdict &verdict) const {
        const bool is_adult = age >= 18;
        const bool wrong_noun =
            !mention.word->ages.holds(age) || (is_adult && is_word_for_children(*mention.word)) || says_baby(mention);
        if (wrong_noun)
            verdict.noun = noun_for(age, verdict.gender, mention.plural);
        verdict.drop_ages = !mention.ages.empty();
        if (verdict.drop_ages && is_adult)
            verdict.adjective = age_adjective_for(age);
    }

    bool says_baby(const Mention &mention) const {
        return std::any_of(mention.ages.begin(), mention.ages.end(), [&](size_t i) {
            const AgeAdjective *adjective = find_age_adjective(text_.at(i));
            return adjective && adjective->replaces;
        });
    }

    void apply(const Mention &mention, const Verdict &verdict) {
        if (!verdict.noun.empty())
            text_.replace(mention.noun, verdict.noun + (mention.possessive ? possessive_end(mention, verdict.noun) : ""));
        if (!verdict.gender_word.empty())
            text_.replace(*mention.gender_adjective, verdict.gender_word);
        if (!verdict.drop_ages)
            return;
        for (const size_t i : mention.ages)
            text_.remove(i);
        const size_t first = *std::min_element(mention.ages.begin(), mention.ages.end());
        if (!verdict.adjective.empty())
            text_.replace(first, verdict.adjective);
    }

    // The ending of the word as written: "'s", or its typographic form; none where the apostrophe stands behind the word.
    std::string possessive_end(const Mention &mention, const std::string &noun) const {
        if (text_.at(mention.noun).find('\'') == std::string::npos)
            return noun.back() == 's' ? "" : "'s";
        return "'s";
    }

    // "a woman and a woman" -> "two women".
    void join_pair(const Mention &a, const Mention &b) {
        const bool neighbours = a.begin == a.noun && b.noun == a.noun + 3 && text_.reads(a.noun + 1, {"and"}) &&
                                text_.follows(a.noun + 1) && text_.follows(b.noun) && text_.follows(b.noun - 1) &&
                                is_one_of(text_.at(a.noun - 1), " a an ") && text_.follows(a.noun) &&
                                is_one_of(text_.at(b.noun - 1), " a an ");
        const std::optional<FoundNoun> found = find_person_noun(lower_case(text_.now(a.noun)));
        if (!neighbours || !found || !*found->noun->plural || text_.now(a.noun) != text_.now(b.noun))
            return;
        text_.replace(a.noun - 1, "two");
        text_.replace(a.noun, found->noun->plural);
        text_.remove(a.noun + 1, b.noun + 1);
    }

    // A text with several people, and nobody else.
    void correct_plural(size_t entity) {
        const Match &match = scene_.matches[entity];
        const Mention &mention = scene_.entities[entity].first();
        if (!match.certain || !mention.plural)
            return;
        const Verdict verdict = verdict_on(mention, 0);
        const bool agreed = std::all_of(match.people.begin(), match.people.end(),
                                        [&](size_t person) { return verdict_on(mention, person) == verdict; });
        if (agreed)
            apply(mention, verdict);
        else if (somebody_contradicts(mention))
            make_mixed(mention);
        scene_.genders[entity] = agreed ? verdict.gender : Gender::unknown;
    }

    bool somebody_contradicts(const Mention &mention) const {
        return mention.word->opposite && std::any_of(scene_.people.begin(), scene_.people.end(), [&](const Person &person) {
                   return contradicts_gender(mention.gender, gender_of(person));
               });
    }

    // "two women" are "a man and a woman", in the order of their faces; larger groups are people.
    void make_mixed(const Mention &mention) {
        const std::vector<Person> &people = scene_.people;
        const bool is_pair = mention.count == 2 && people.size() == 2 && mention.begin == mention.noun && !mention.possessive &&
                             number_of(text_.at(mention.begin - 1)) == 2 && gender_of(people[0]) != Gender::unknown &&
                             gender_of(people[1]) != Gender::unknown;
        if (!is_pair)
            return text_.replace(mention.noun, neutral_plural(mention));
        const auto word = [&](const Person &person) {
            return std::string(gender_of(person) == mention.gender ? mention.word->singular : mention.word->opposite);
        };
        text_.replace(mention.begin - 1, article_for(word(people[0])));
        text_.replace(mention.noun, word(people[0]) + " and " + article_for(word(people[1])) + " " + word(people[1]));
    }

    std::string neutral_plural(const Mention &mention) const {
        const bool are_children =
            std::all_of(scene_.people.begin(), scene_.people.end(), [](const Person &p) { return p.age < 16; });
        return are_children && is_word_for_children(*mention.word) ? "children" : "people";
    }

    // How many they are, where the text has a number that the faces contradict. Returns whether it was changed.
    bool correct_number() {
        const Mention mention = scene_.entities[0].first();
        const int seen = static_cast<int>(scene_.people.size());
        if (mention.possessive || !text_.follows(mention.begin))
            return false;
        const bool is_one = mention.count == 1 && text_.at(mention.begin - 1) == "one" && text_.at(mention.noun + 1) != "of";
        if (seen >= 2 && (is_one || (mention.count >= 2 && seen > mention.count)))
            return raise_number(mention, seen);
        if (seen == 1 && mention.plural && (mention.count == 2 || mention.count == 3) && tallest_face(scene_.people) >= close_face)
            return make_single(mention);
        return false;
    }

    bool raise_number(const Mention &mention, int seen) {
        const size_t before = mention.begin - 1;
        if (number_of(text_.at(before)) > 0)
            text_.replace(before, number_word(seen));
        else if (text_.at(before) == "of" && is_one_of(text_.at(mention.begin - 3), " a an ")) {
            text_.replace(mention.begin - 3, number_word(seen));
            text_.remove(mention.begin - 2, mention.begin);
        } else if (mention.word->count == 2 && text_.at(before) == "a")
            text_.replace(before, number_word(seen));
        else
            return false;
        if (mention.word->count == 2 || somebody_contradicts(mention))
            text_.replace(mention.noun, neutral_plural(mention));
        else if (!mention.plural)
            text_.replace(mention.noun, *mention.word->plural ? mention.word->plural : "people");
        agree(mention.noun + 1, true);
        return true;
    }

    // "two women" are one, whose face fills the picture.
    bool make_single(const Mention &mention) {
        for (size_t i = 0; i < text_.size(); ++i)
            if (is_one_of(text_.at(i), needs_two))
                return false;
        const size_t before = mention.begin - 1;
        if (number_of(text_.at(before)) == 0 || !*mention.word->singular)
            return false;
        Mention single = mention;
        single.plural = false;
        Verdict verdict = verdict_on(single, 0);
        if (verdict.noun.empty())
            verdict.noun = mention.word->singular;
        apply(single, verdict);
        size_t next = mention.begin;
        while (next < mention.noun && text_.is_removed(next))
            ++next;
        text_.replace(before, article_for(next < mention.noun ? text_.now(next) : verdict.noun));
        agree(mention.noun + 1, false);
        scene_.genders[0] = verdict.gender;
        return true;
    }

    // The verb behind the noun.
    void agree(size_t verb, bool plural) {
        if (!text_.follows(verb))
            return;
        constexpr const char *forms[][2] = {{"is", "are"},       {"was", "were"},     {"has", "have"},   {"sits", "sit"},
                                            {"stands", "stand"}, {"smiles", "smile"}, {"looks", "look"}, {"holds", "hold"},
                                            {"walks", "walk"},   {"wears", "wear"}};
        for (const auto &form : forms)
            if (text_.at(verb) == form[!plural])
                text_.replace(verb, form[plural]);
    }

    Scene &scene_;
    WordText &text_;
    bool claims_beard_, compares_;
};

} // namespace

void correct_nouns(Scene &scene) { NounCorrection(scene).run(); }

} // namespace aianime::caption
