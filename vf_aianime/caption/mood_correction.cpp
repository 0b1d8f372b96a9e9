// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/mood_words.h"
#include "caption/scene.h"

namespace aianime::caption {

namespace {

constexpr const char *smiling = " smiling grinning laughing beaming ";
constexpr const char *smiles = " smiles grins laughs ";
constexpr const char *smile = " smile grin ";
constexpr const char *happy = " happy cheerful joyful ";
constexpr const char *crying = " crying frowning weeping sobbing pouting scowling ";
constexpr const char *cries = " cries frowns weeps ";
constexpr const char *frown = " frown scowl ";
constexpr const char *unhappy = " sad unhappy upset angry furious scared frightened gloomy ";
constexpr const char *kinds_of_smile =
    " big bright wide broad happy warm slight little small sweet beautiful nice great gentle cheerful large ";
// What may stand before "smiling" or "happy" said of a person behind their noun.
constexpr const char *links =
    " is are was were and while who that be being also very so really looking looks look feeling seems appears ";

class MoodCorrection {
public:
    explicit MoodCorrection(Scene &scene) : scene_(scene), text_(scene.text) {}

    void run() {
        for (size_t i = 0; i < text_.size(); ++i)
            if (const std::string mood = unhappy_mood(i); !mood.empty())
                sadden(i, mood);
            else if (scene_.all_of(i, [](const Person &person) { return mood_of(person) == "happy"; }))
                cheer(i);
    }

private:
    // The one expression of all it may be about; "" where it is none that contradicts happiness.
    std::string unhappy_mood(size_t i) const {
        for (const char *mood : {"sad", "angry", "fearful", "disgusted"})
            if (scene_.all_of(i, [&](const Person &person) { return mood_of(person) == mood; }))
                return mood_adjective(mood);
        return "";
    }

    void sadden(size_t i, const std::string &mood) {
        const std::string &word = text_.at(i);
        if (is_one_of(word, smiling) && is_inside(i))
            text_.replace(i, mood);
        else if (is_one_of(word, smiling) && is_said_of_a_person(i))
            text_.replace(i, "looking " + mood);
        else if (is_one_of(word, smiles) && is_said_of_a_person(i))
            text_.replace(i, "looks " + mood);
        else if (is_one_of(word, happy) && (is_inside(i) || is_predicate(i) || before_expression(i)))
            text_.replace(i, mood);
        else if (is_one_of(word, smile))
            turn_smile(i, mood + " expression");
    }

    void cheer(size_t i) {
        const std::string &word = text_.at(i);
        if (is_one_of(word, unhappy) && (is_inside(i) || is_predicate(i) || before_expression(i)))
            text_.replace(i, "happy");
        else if (is_one_of(word, crying) && (is_inside(i) || is_said_of_a_person(i)))
            text_.replace(i, "smiling");
        else if (is_one_of(word, cries) && is_said_of_a_person(i))
            text_.replace(i, "smiles");
        else if (is_one_of(word, frown))
            turn_smile(i, "smile");
    }

    // Between the article and the noun of a person.
    bool is_inside(size_t i) const {
        for (const Entity &entity : scene_.entities)
            for (const Mention &mention : entity.mentions)
                if (i >= mention.begin && i < mention.noun)
                    return true;
        return false;
    }

    bool is_predicate(size_t i) const {
        return text_.follows(i) && is_one_of(text_.at(i - 1), links) && !scene_.creature_before(i);
    }

    bool before_expression(size_t i) const {
        return text_.follows(i + 1) && is_one_of(text_.at(i + 1), " expression expressions look ");
    }

    // Behind the noun: not of a cake or a cat.
    bool is_said_of_a_person(size_t i) const {
        if (scene_.creature_before(i) || (text_.follows(i + 1) && is_creature(text_.at(i + 1))))
            return false;
        if (i == 0 || text_.gap(i).find(',') != std::string::npos)
            return true;
        if (!text_.follows(i))
            return false;
        for (const Entity &entity : scene_.entities)
            for (const Mention &mention : entity.mentions)
                if (mention.noun + 1 == i)
                    return true;
        return is_one_of(text_.at(i - 1), links);
    }

    // "with a big smile" -> "with a sad expression".
    void turn_smile(size_t i, const std::string &text) {
        size_t begin = i;
        while (text_.follows(begin) && is_one_of(text_.at(begin - 1), kinds_of_smile))
            --begin;
        if (!text_.follows(begin) || !is_one_of(text_.at(begin - 1), " a his her their ") || scene_.creature_before(i))
            return;
        text_.remove(begin, i);
        text_.replace(i, text);
    }

    Scene &scene_;
    WordText &text_;
};

} // namespace

void correct_mood(Scene &scene) { MoodCorrection(scene).run(); }

} // namespace aianime::caption
