// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support_networks.h"

#include "nn/aten.h"
#include "nn/weights.h"
#include "support.h"

using namespace aianime;

NetworkGolden::NetworkGolden(const std::string &name) : folder_(tests_folder() + "/golden/" + name) {}

io::Json NetworkGolden::config() const { return io::Json::load(folder_ + "/config.json"); }

void NetworkGolden::load_into(nn::Module &module, at::ScalarType dtype) const {
    nn::load(module, nn::WeightSource::from_folder(folder_), dtype, at::kCPU);
}

at::Tensor NetworkGolden::tensor(const std::string &name) const {
    return nn::WeightSource::from_file(folder_ + "/io.safetensors").tensor(name, at::kFloat, at::kCPU);
}

double relative_error(const at::Tensor &a, const at::Tensor &b) {
    if (!a.sizes().equals(b.sizes()))
        ck_abort_msg("%zu and %zu dimensions, or of other lengths", static_cast<size_t>(a.dim()), static_cast<size_t>(b.dim()));
    const at::Tensor difference = at::sub(a.to(at::kFloat), b.to(at::kFloat));
    return difference.abs().max().item<double>() / b.abs().max().item<double>();
}

void expect_close(const at::Tensor &a, const at::Tensor &b, double limit, const std::string &what) {
    const double error = relative_error(a, b);
    if (!(error < limit))
        ck_abort_msg("%s: relative error %g, limit %g", what.c_str(), error, limit);
}
