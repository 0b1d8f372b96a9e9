// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/scene.h"

namespace aianime::caption {

namespace {

constexpr const char *articles = " a an his the any no some ";
constexpr const char *kinds =
    " long short full thick bushy big large small trimmed white grey gray black brown red blonde ginger dark light "
    "neat scruffy heavy great goatee very ";
constexpr const char *beard_things = " trimmer oil comb style net man's grooming ";

class BeardCorrection {
public:
    explicit BeardCorrection(Scene &scene) : scene_(scene), text_(scene.text) {}

    void run() {
        for (size_t i = 0; i < text_.size(); ++i) {
            const std::string &word = text_.at(i);
            if (word == "beard" && !(text_.follows(i + 1) && is_one_of(text_.at(i + 1), beard_things)))
                beard(i);
            else if (word == "bearded" && is(i, false))
                text_.remove(i);
            else if ((word == "clean-shaven" || word == "beardless") && is(i, true))
                text_.replace(i, "bearded");
            else if (text_.reads(i, {"clean", "shaven"}) && is(i, true)) {
                text_.replace(i, "bearded");
                text_.remove(i + 1);
            }
        }
    }

private:
    bool is(size_t i, bool bearded) const {
        return scene_.all_of(i, [&](const Person &person) { return beard_of(person) == bearded; });
    }

    // "[with] [a long] beard"
    void beard(size_t noun) {
        size_t begin = noun;
        while (text_.follows(begin) && (is_one_of(text_.at(begin - 1), kinds) || is_one_of(text_.at(begin - 1), articles)))
            --begin;
        const std::string &before = text_.follows(begin) ? text_.at(begin - 1) : text_.at(text_.size());
        if (before == "without" || text_.at(begin) == "no")
            grant(begin, noun, before);
        else if (is(noun, false))
            take(begin, noun, before);
    }

    void grant(size_t begin, size_t noun, const std::string &before) {
        if (!is(noun, true))
            return;
        if (before == "without") {
            text_.replace(begin - 1, "with");
            if (begin == noun)
                text_.replace(noun, "a beard");
            if (text_.at(begin) != "any")
                return;
        }
        text_.replace(begin, "a");
    }

    void take(size_t begin, size_t noun, const std::string &before) {
        const bool has_more = text_.follows(noun + 1) && text_.at(noun + 1) == "and";
        if (before == "has" && !has_more) {
            text_.replace(begin, "no");
            text_.remove(begin + 1, noun);
            if (begin == noun)
                text_.replace(noun, "no beard");
        } else if (before == "and")
            text_.remove(begin - 1, noun + 1);
        else if (before == "with" && (has_more || text_.gap(noun + 1).find(',') == 0) && is_listed(noun + 1 + has_more))
            remove_listed(begin, noun, has_more);
        else if (before == "with")
            text_.remove(begin - 1, noun + 1);
        else if (before.empty() && begin > 0 && text_.gap(begin).find(',') == 0)
            text_.remove(begin, noun + 1);
    }

    // Another thing that "with" is said of, not a verb or a new clause.
    bool is_listed(size_t i) const {
        const std::string &word = text_.at(i);
        const bool is_verb = word.size() > 3 && word.compare(word.size() - 3, 3, "ing") == 0;
        return i < text_.size() && !is_verb && !is_one_of(word, " in on at is are was who holding by and ");
    }

    // "with a beard and glasses" -> "with glasses"; after a comma: "with a beard, glasses and a hat".
    void remove_listed(size_t begin, size_t noun, bool has_more) {
        if (has_more)
            return text_.remove(begin, noun + 2);
        text_.remove(begin - 1, noun + 1);
    }

    Scene &scene_;
    WordText &text_;
};

} // namespace

void correct_beard(Scene &scene) { BeardCorrection(scene).run(); }

} // namespace aianime::caption
