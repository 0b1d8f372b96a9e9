// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/verbs.h"

#include "include/aianime.h"

namespace aianime::tools {

const std::vector<const Verb *> &verbs() {
    static const std::vector<const Verb *> table = {
        &image_verb, &caption_verb, &faces_verb, &contact_verb, &eval_verb, &info_verb, &models_verb, &train_verb, &doctor_verb,
    };
    return table;
}

int exit_status(int result) {
    switch (result) {
    case AIANIME_OK:
        return 0;
    case AIANIME_INVALID:
        return 234;
    case AIANIME_OUT_OF_RANGE:
        return 222;
    case AIANIME_NO_MEMORY:
        return 244;
    case AIANIME_IO:
        return 251;
    case AIANIME_NO_DEVICE:
        return 237;
    case AIANIME_NOT_FOUND:
        return 254;
    case AIANIME_BAD_DATA:
        return 183;
    case AIANIME_FORBIDDEN:
        return 243;
    case AIANIME_NOT_FINITE:
        return 223;
    default:
        return 187;
    }
}

} // namespace aianime::tools
