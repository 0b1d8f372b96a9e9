// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caption/scene.h"

namespace aianime::caption {

namespace {

constexpr const char *owners = " his her their the its ";
constexpr const char *open_words = " open opened wide-open ";
constexpr const char *closed_words = " closed shut ";
constexpr const char *degrees = " wide fully tightly firmly completely both ";
constexpr const char *in_part = " half slightly partially partly almost one not half-open half-closed ";

class EyeCorrection {
public:
    explicit EyeCorrection(Scene &scene) : scene_(scene), text_(scene.text) {}

    void run() {
        for (size_t i = 0; i < text_.size(); ++i)
            if (text_.at(i) == "eyes" && !scene_.creature_before(i) && !in_part_only(i))
                eyes(i);
            else if (looks_at_camera(i) && !scene_.creature_before(i))
                look(i);
    }

private:
    bool open(size_t i) const {
        return scene_.all_of(i, [](const Person &person) { return person.eyes_open; });
    }
    bool closed(size_t i) const {
        return scene_.all_of(i, [](const Person &person) { return !person.eyes_open; });
    }

    // "half closed eyes", "one of her eyes", "eyes slightly open": neither.
    bool in_part_only(size_t i) const {
        for (size_t at = i >= 3 ? i - 3 : 0; at <= i + 3; ++at)
            if (is_one_of(text_.at(at), in_part))
                return true;
        return false;
    }

    // Words at `eyes` and around it.
    void eyes(size_t i) {
        const size_t before = text_.follows(i) ? i - 1 : text_.size();
        if (set_state(before, before))
            return;
        if (text_.follows(i) && is_one_of(text_.at(before), owners) && text_.follows(before) && closing(before - 1))
            return;
        if (text_.follows(i) && closing(before))
            return;
        for (size_t at = i + 1; at <= i + 3 && text_.follows(at); ++at) {
            if (set_state(at, i))
                return;
            if (!is_one_of(text_.at(at), degrees) && !is_one_of(text_.at(at), " are is were "))
                return;
        }
    }

    // `state` says that they are open or closed, and it is not so.
    bool set_state(size_t state, size_t who) {
        const std::string &word = text_.at(state);
        if (is_one_of(word, closed_words) && open(who))
            text_.replace(state, "open");
        else if (is_one_of(word, open_words) && closed(who))
            text_.replace(state, "closed");
        else
            return is_one_of(word, closed_words) || is_one_of(word, open_words);
        if (text_.follows(state) && is_one_of(text_.at(state - 1), degrees) && text_.at(state - 1) != "both")
            text_.remove(state - 1);
        return true;
    }

    // "closing her eyes" -> "with her eyes open", "is closing her eyes" -> "has her eyes open".
    bool closing(size_t verb) {
        if (text_.at(verb) != "closing" && text_.at(verb) != "closes")
            return false;
        const size_t eyes = text_.at(verb + 1) == "eyes" ? verb + 1 : verb + 2;
        if (!open(verb))
            return true;
        const bool is_finite = text_.follows(verb) && is_one_of(text_.at(verb - 1), " is are ");
        if (is_finite)
            text_.replace(verb - 1, text_.at(verb - 1) == "is" ? "has" : "have");
        if (is_finite)
            text_.remove(verb);
        else
            text_.replace(verb, text_.at(verb) == "closes" ? "has" : "with");
        text_.replace(eyes, "eyes open");
        return true;
    }

    bool looks_at_camera(size_t i) const {
        const bool looks = is_one_of(text_.at(i), " looking staring gazing looks stares gazes ");
        const size_t at = i + (text_.at(i + 1) == "straight" || text_.at(i + 1) == "directly" ? 2 : 1);
        const bool at_it =
            is_one_of(text_.at(at), " at into ") && text_.at(at + 1) == "the" && is_one_of(text_.at(at + 2), " camera viewer ");
        return looks && at_it && text_.follows(at) && text_.follows(at + 1) && text_.follows(at + 2);
    }

    // "looking at the camera" -> "with closed eyes", "is looking at the camera" -> "has closed eyes".
    void look(size_t i) {
        if (!closed(i) || says_closed())
            return;
        const size_t end = text_.at(i + 1) == "straight" || text_.at(i + 1) == "directly" ? i + 5 : i + 4;
        const bool has_verb = text_.follows(i) && is_one_of(text_.at(i - 1), " is are was were ");
        const bool is_one = text_.at(i).back() == 's' || is_one_of(text_.at(i - 1), " is was ");
        if (has_verb)
            text_.remove(i - 1);
        text_.replace(i, has_verb || text_.at(i).back() == 's' ? (is_one ? "has closed" : "have closed") : "with closed");
        text_.replace(i + 1, "eyes");
        text_.remove(i + 2, end);
    }

    // The text has closed eyes already.
    bool says_closed() const {
        for (size_t i = 0; i < text_.size(); ++i)
            if (text_.reads(i, {"closed", "eyes"}) || text_.reads(i, {"eyes", "closed"}) || text_.reads(i, {"eyes", "shut"}))
                return true;
        return false;
    }

    Scene &scene_;
    WordText &text_;
};

} // namespace

void correct_eyes(Scene &scene) { EyeCorrection(scene).run(); }

} // namespace aianime::caption
