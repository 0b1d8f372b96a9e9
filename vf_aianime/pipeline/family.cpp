// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline/family.h"

#include "pipeline/atlas.h"
#include "pipeline/grid.h"

namespace aianime::pipeline {

std::unique_ptr<Family> Family::make(Method method, Painter &painter) {
    switch (method) {
    case Method::atlas:
        return std::make_unique<Atlas>(painter);
    case Method::grid:
        return std::make_unique<Grid>(painter);
    case Method::attention:
    case Method::temporalnet:
        break;
    }
    return nullptr;
}

} // namespace aianime::pipeline
