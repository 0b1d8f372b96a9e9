// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support_blip2.h"

#include "support.h"

using namespace aianime;
using nn::SearchSettings;

namespace {

SearchSettings settings_of(const io::Json &given) {
    SearchSettings settings;
    settings.beams = given.at("num_beams").integer(1, 100);
    settings.max_new_tokens = given.at("max_new_tokens").integer(1, 100);
    settings.min_new_tokens = given.has("min_new_tokens") ? given.at("min_new_tokens").integer(0, 100) : 0;
    for (const auto &[name, value] :
         {std::pair{"length_penalty", &settings.length_penalty}, std::pair{"repetition_penalty", &settings.repetition_penalty}})
        if (given.has(name))
            *value = given.at(name).number(-10, 10);
    const std::string early = given.at("early_stopping").choice({"false", "true", "never"});
    settings.early_stopping = early == "true"    ? SearchSettings::EarlyStopping::yes
                              : early == "never" ? SearchSettings::EarlyStopping::never
                                                 : SearchSettings::EarlyStopping::no;
    return settings;
}

} // namespace

std::vector<WantedCaption> wanted_captions(const std::string &name) {
    const io::Json list = io::Json::load(tests_folder() + "/golden/blip2/" + name + "/captions.json");
    std::vector<WantedCaption> captions;
    for (size_t i = 0; i < list.size(); ++i) {
        const io::Json entry = list.at(i);
        captions.push_back({entry.at("picture").integer(0, 9), entry.at("prompt").string(), settings_of(entry.at("settings")),
                            number_list(entry.at("tokens")), entry.at("text").string()});
    }
    return captions;
}

std::vector<int64_t> number_list(const io::Json &list) {
    std::vector<int64_t> found;
    for (size_t i = 0; i < list.size(); ++i)
        found.push_back(list.at(i).integer(0, 1 << 24));
    return found;
}

void expect_text(const std::string &found, const std::string &wanted) {
    ck_assert_msg(found == wanted, "\"%s\" instead of \"%s\"", found.c_str(), wanted.c_str());
}
