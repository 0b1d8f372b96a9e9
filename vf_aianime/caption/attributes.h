// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "caption/language.h"
#include "caption/person.h"
#include "vision/picture_facts.h"

namespace aianime::caption {

// How much of a person is seen, by the tallest face: "close-up" (half of the picture's height), else by how many times its height
// fits below its chin: "portrait" (less than 1.8), "upper body" (3.6), "cowboy shot" (5.5), "" (6.5), "full body". "" for nobody.
std::string framing(const std::vector<Person> &people);

// The built-in captioner: what faces and statistics tell of a picture, and nothing else. Danbooru tags ("1girl, solo, close-up,
// smile, closed eyes, outdoors, warm light") or a sentence ("a close-up of a smiling young woman with closed eyes, outdoors, warm
// light"). Without faces only "scenery" is ever said, with "no humans" where sky and plants leave no room for one. "" where nothing
// is known. `says_state`: eyes, mouths and moods are told; false where they are told by the time. Thread safety: any.
std::string described(const std::vector<Person> &people, const vision::PictureFacts &facts, Language language,
                      bool says_state = true);

} // namespace aianime::caption
