// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/module.h"

#include "nn/aten.h"

namespace aianime::nn {

void Module::visit(const Visitor &visitor, const std::string &prefix) {
    for (Parameter &parameter : parameters_)
        visitor(prefix + parameter.name, *parameter.tensor, parameter.shape);
    for (auto &[name, module] : children_)
        module->visit(visitor, prefix + name + ".");
}

void Module::call_loaded() {
    for (auto &entry : children_)
        entry.second->call_loaded();
    loaded();
}

void Module::release() {
    visit([](const std::string &, at::Tensor &tensor, const std::vector<int64_t> &) { tensor.reset(); });
}

int64_t Module::parameter_count() {
    int64_t count = 0;
    visit([&count](const std::string &, at::Tensor &, const std::vector<int64_t> &shape) {
        int64_t elements = 1;
        for (int64_t side : shape)
            elements *= side;
        count += elements;
    });
    return count;
}

void Module::parameter(const std::string &name, at::Tensor &tensor, std::vector<int64_t> shape) {
    parameters_.push_back({name, &tensor, std::move(shape)});
}

void Module::child(const std::string &name, Module &module) { children_.emplace_back(name, &module); }

} // namespace aianime::nn
