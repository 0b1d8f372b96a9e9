// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/weight_keys.h"

#include <algorithm>

namespace aianime::tools {

bool WeightKeys::has_prefix(const std::string &prefix) const {
    const auto first = tensors_.lower_bound(prefix);
    return first != tensors_.end() && first->first.compare(0, prefix.size(), prefix) == 0;
}

std::string WeightKeys::find(const std::string &piece) const {
    for (const auto &entry : tensors_)
        if (entry.first.find(piece) != std::string::npos)
            return entry.first;
    return "";
}

int64_t WeightKeys::side(std::initializer_list<const char *> pieces, int number) const {
    for (const auto &[name, info] : tensors_) {
        if (!std::all_of(pieces.begin(), pieces.end(), [&](const char *piece) { return name.find(piece) != std::string::npos; }))
            continue;
        const int count = static_cast<int>(info.shape.size()), place = number < 0 ? count + number : number;
        if (place >= 0 && place < count)
            return info.shape[static_cast<size_t>(place)];
    }
    return 0;
}

std::string family_of_width(int64_t width) {
    switch (width) {
    case 768:
        return "Stable Diffusion 1";
    case 1024:
        return "Stable Diffusion 2";
    case 2048:
        return "Stable Diffusion XL";
    default:
        return "";
    }
}

} // namespace aianime::tools
