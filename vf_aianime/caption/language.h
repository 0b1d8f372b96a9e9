// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace aianime::caption {

// The form of a text: tags with commas between them, as checkpoints trained on anime read ("1girl, smile"), or sentences.
enum class Language { tags, sentence };

} // namespace aianime::caption
