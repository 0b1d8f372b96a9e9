// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "pipeline/settings.h"

namespace aianime::pipeline {

// Where the settings allow commercial use only: throws Error (FORBIDDEN) for the first model file that is known as noncommercial,
// naming its licence and the substitute, before anything is loaded. Every file that a run reads weights from is asked about.
void check_licenses(const Settings &settings);

} // namespace aianime::pipeline
