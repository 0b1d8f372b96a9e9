// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/mentions.h"

#include <algorithm>

namespace aianime::caption {

namespace {

// Words that end what belongs to a noun on its left.
constexpr const char *stops =
    " a an the this that these those his her their its my your our one another each every some any no of in on at with and or but "
    "by for "
    "from to into near behind beside under over is are was were be being as like than while who whose which has have had there "
    "it he she they him them two three four five six seven eight nine ten eleven twelve 2 3 4 5 6 7 8 9 several few many both "
    "other "
    "holding wearing watching hugging kissing carrying feeding facing touching ";
// What may stand behind a noun that is no part of a compound.
constexpr const char *followers =
    " is are was were has have had can will in on at with without and or but by for from to into near behind beside besides under "
    "over "
    "of off up down out through during while who whom whose which that as like than against around across along inside outside "
    "between above below before after next toward towards onto upon both all not there then together alone asleep apart outdoors "
    "indoors sits sit stands stand holds hold looks look smiles smile wears wear walks walk runs run plays play lies lie leans "
    "lean "
    "talks talk eats eat drinks drink laughs laugh rides ride poses pose stares stare sleeps sleep works work cries cry reads read "
    "dressed seated covered surrounded seen shown taken made sat posed photographed wrapped painted pictured portrayed caught "
    "lost wet naked topless shirtless barefoot blindfolded reclining half so just almost also very if because when where using "
    "he she they his her their the a an ";
constexpr const char *things_in_ing =
    " clothing building painting earring swing ring wedding king ceiling evening morning thing bedding string "
    "wing spring stocking room-sharing magazine dressing changing shoe-string ";
constexpr const char *body =
    " face faces eye eyes head heads hair hand hands mouth lips neck shoulder shoulders back beard smile smiles "
    "expression expressions body portrait arm arms leg legs feet finger fingers chest profile look gaze nose ";
// "a statue of a man" is nobody; "a painting of a man" is, unless somebody else looks at it.
constexpr const char *figures =
    " statue statues sculpture figurine doll dolls mannequin mannequins bust poster posters mural billboard toy tattoo "
    "mask magazine cover logo sign sticker puppet cutout silhouette reflection ";
constexpr const char *pictures =
    " picture pictures photo photos photograph portrait painting paintings drawing image images sketch illustration "
    "cartoon ";
constexpr const char *names_before =
    " iron spider gingerbread action pac snow super bat ant stick mr mrs old-time rain x cave hit marlboro "
    "michelin ";
constexpr const char *creatures = " cat kitten dog puppy bird horse pony foal bear cub owl fish lion tiger leopard rabbit bunny "
                                  "monkey cow calf bull sheep lamb goat pig "
                                  "elephant giraffe zebra deer fox wolf duck duckling swan goose hen chicken rooster parrot "
                                  "penguin panda koala kangaroo squirrel mouse "
                                  "rat hamster turtle frog snake lizard spider bee butterfly insect dolphin whale seal crocodile "
                                  "doll teddy toy statue mask puppet "
                                  "animal pumpkin emoji robot dinosaur dragon snowman scarecrow ";
constexpr const char *creature_plurals = " puppies ponies calves wolves bunnies geese mice dragonflies butterflies ";
// "a girl on a t-shirt" is printed there.
constexpr const char *printed_on = " t-shirt billboard poster screen tv television mug magazine postcard banner ";

bool ends_with(const std::string &word, const char *end) {
    const std::string tail = end;
    return word.size() > tail.size() && word.compare(word.size() - tail.size(), tail.size(), tail) == 0;
}

class Finder {
public:
    explicit Finder(const WordText &text) : text_(text) {}

    std::vector<Entity> run() {
        for (size_t i = 0; i < text_.size(); ++i)
            if (std::optional<Mention> mention = mention_at(i))
                add(*mention);
        // "a couple of zebras" is nobody.
        entities_.erase(
            std::remove_if(entities_.begin(), entities_.end(), [&](const Entity &e) { return is_group_of_things(e.first()); }),
            entities_.end());
        for (Entity &entity : entities_)
            entity.left = side_of(entity);
        return entities_;
    }

private:
    std::optional<Mention> mention_at(size_t i) const {
        std::string word = text_.at(i);
        bool possessive = ends_with(word, "'s");
        if (possessive)
            word.resize(word.size() - 2);
        const std::optional<FoundNoun> found = find_person_noun(word);
        if (!found)
            return {};
        possessive = possessive || (found->plural && text_.gap(i + 1).rfind("'", 0) == 0);
        if (possessive ? !is_body(i + 1) : !is_free(i))
            return {};
        Mention mention{i, i, found->noun, found->plural, possessive, 1, {}, found->noun->ages, {}, found->noun->gender};
        read_adjectives(mention);
        mention.count = count_of(mention);
        if (is_name(mention) || is_depicted(mention.begin) || is_printed(i + 1) || text_.reads(mention.begin - 1, {"its"}))
            return {};
        return mention;
    }

    bool is_body(size_t i) const {
        return is_one_of(text_.at(i), body) || (text_.follows(i + 1) && is_one_of(text_.at(i + 1), body));
    }

    // Not the first half of a compound.
    bool is_free(size_t i) const {
        if (!text_.follows(i + 1))
            return text_.gap(i + 1).find_first_of("/&+") == std::string::npos;
        const std::string &next = text_.at(i + 1);
        return is_one_of(next, followers) || ends_with(next, "ly") || (ends_with(next, "ing") && !is_one_of(next, things_in_ing));
    }

    // Goes left over the adjectives.
    void read_adjectives(Mention &mention) const {
        size_t at = mention.noun;
        for (int steps = 0; steps < 8 && text_.follows(at) && !is_stop(at - 1); ++steps) {
            --at;
            read_adjective(mention, at);
        }
        mention.begin = at;
    }

    // The number of "two year old" is no number of people.
    bool is_stop(size_t i) const {
        const bool counts_years = number_of(text_.at(i)) > 0 && (text_.at(i + 1) == "year" || text_.at(i + 1) == "years");
        return is_one_of(text_.at(i), stops) && !counts_years;
    }

    void read_adjective(Mention &mention, size_t at) const {
        const std::string &word = text_.at(at);
        if (mention.word->gender == Gender::unknown && (word == "male" || word == "female")) {
            mention.gender_adjective = at;
            mention.gender = word == "male" ? Gender::male : Gender::female;
        }
        if (const std::optional<double> years = years_at(mention, at))
            return narrow(mention, {*years - std::max(5.0, *years * 0.4), *years + std::max(5.0, *years * 0.4)}, false);
        const bool counts_years = text_.at(at - 1) == "year" || text_.at(at - 1) == "years";
        const AgeAdjective *adjective = counts_years ? nullptr : find_age_adjective(word);
        if (!adjective)
            return;
        mention.ages.push_back(at);
        narrow(mention, adjective->ages, adjective->replaces);
    }

    // "2-year-old", "two-year-old", or "two year old" from its first word on.
    std::optional<double> years_at(Mention &mention, size_t at) const {
        const std::string &word = text_.at(at);
        const std::string number = word.substr(0, word.find('-'));
        const bool in_one = ends_with(word, "-year-old") || ends_with(word, "-years-old");
        const bool in_three = (text_.at(at + 1) == "year" || text_.at(at + 1) == "years") && text_.at(at + 2) == "old";
        if (!in_one && !in_three)
            return {};
        int years = number_of(number);
        if (years == 0 && number.size() <= 2 && number.find_first_not_of("0123456789") == std::string::npos && !number.empty())
            years = std::stoi(number);
        if (years == 0)
            return {};
        for (size_t i = at; i <= at + (in_three ? 2 : 0); ++i)
            mention.ages.push_back(i);
        return years;
    }

    static void narrow(Mention &mention, AgeRange range, bool replaces) {
        const AgeRange both = {std::max(mention.range.low, range.low), std::min(mention.range.high, range.high)};
        mention.range = replaces ? range : both;
        if (mention.range.low > mention.range.high) // "a little man" says nothing about years
            mention.range = {0, 1000};
    }

    int count_of(const Mention &mention) const {
        if (!mention.plural)
            return mention.word->count;
        const size_t at = mention.begin;
        if (!text_.follows(at))
            return PersonNoun::many;
        const std::string &before = text_.at(at - 1);
        if (before == "both" || (before == "of" && (text_.at(at - 2) == "couple" || text_.at(at - 2) == "pair")))
            return 2;
        const int number = number_of(before);
        return number > 0 ? number : PersonNoun::many;
    }

    bool is_name(const Mention &mention) const {
        for (size_t i = mention.begin; i < mention.noun; ++i)
            if (is_one_of(text_.at(i), names_before))
                return true;
        return false;
    }

    // "a statue of a", "as a", "like a" stand before word i.
    bool is_depicted(size_t i) const {
        size_t at = i;
        while (text_.follows(at) && is_one_of(text_.at(at - 1), " a an the one two three his her their "))
            --at;
        if (!text_.follows(at))
            return false;
        const std::string &before = text_.at(at - 1);
        if (before == "as" || before == "like")
            return true;
        const std::string &thing = text_.at(at - 2);
        return (before == "of" || before == "with") && text_.follows(at - 1) &&
               ((before == "of" && is_one_of(thing, figures)) || (is_one_of(thing, pictures) && !entities_.empty()));
    }

    // "in a photo", "on a t-shirt" stand at word i.
    bool is_printed(size_t i) const {
        if (!text_.follows(i) || !text_.follows(i + 1) || !text_.follows(i + 2) || !is_one_of(text_.at(i + 1), " a the "))
            return false;
        return (text_.at(i) == "in" && is_one_of(text_.at(i + 2), pictures)) ||
               (text_.at(i) == "on" && is_one_of(text_.at(i + 2), printed_on));
    }

    // "a couple of women", "a group of men" are one thing; "the man" after "a man" is he again.
    void add(const Mention &mention) {
        const size_t number = mention.begin - (number_of(text_.at(mention.begin - 1)) > 0);
        const bool is_of = text_.follows(number) && (text_.at(number - 1) == "of" || text_.reads(number - 2, {"of", "the"}));
        if (is_of && !entities_.empty() && entities_.back().first().word->count != 1 &&
            entities_.back().first().noun + 4 >= mention.begin && mention.plural) {
            entities_.back().mentions = {mention};
            return;
        }
        if (text_.follows(mention.begin) && is_one_of(text_.at(mention.begin - 1), " the this that "))
            for (Entity &entity : entities_)
                if (entity.first().word == mention.word && entity.first().plural == mention.plural)
                    return entity.mentions.push_back(mention);
        entities_.push_back({{mention}, {}});
    }

    bool is_group_of_things(const Mention &mention) const {
        return mention.word->count != 1 && text_.reads(mention.noun, {text_.at(mention.noun).c_str(), "of"});
    }

    // Up to five words behind the mention, before anybody else.
    std::optional<bool> side_of(const Entity &entity) const {
        const size_t from = entity.mentions.back().noun + 1;
        for (size_t i = from; i < from + 5 && i < text_.size(); ++i) {
            for (const Entity &other : entities_)
                if (other.first().noun == i)
                    return {};
            if (text_.reads(i, {"on", "the", "left"}) || text_.reads(i, {"to", "the", "left"}))
                return true;
            if (text_.reads(i, {"on", "the", "right"}) || text_.reads(i, {"to", "the", "right"}))
                return false;
        }
        return {};
    }

    const WordText &text_;
    std::vector<Entity> entities_;
};

} // namespace

std::vector<Entity> find_entities(const WordText &text) { return Finder(text).run(); }

bool is_creature(const std::string &word) {
    const bool plural = word.size() > 1 && word.back() == 's';
    return is_one_of(word, creatures) || is_one_of(word, creature_plurals) ||
           (plural && is_one_of(word.substr(0, word.size() - 1), creatures));
}

} // namespace aianime::caption
