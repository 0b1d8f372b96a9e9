// SPDX-License-Identifier: LGPL-2.1-or-later
// Goldens of networks: folders that tests/golden/make_*.py wrote, see save_case() in tiny_networks.py.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "io/json.h"
#include "nn/module.h"

class NetworkGolden {
public:
    // `name` as the script gives it: "unet/heads".
    explicit NetworkGolden(const std::string &name);

    aianime::io::Json config() const;
    void load_into(aianime::nn::Module &module, at::ScalarType dtype) const;
    // A tensor of io.safetensors, float32.
    at::Tensor tensor(const std::string &name) const;

    const std::string &folder() const { return folder_; }

private:
    std::string folder_;
};

// max |a - b| / max |b|; fails the test when the shapes differ.
double relative_error(const at::Tensor &a, const at::Tensor &b);

// Fails the test unless relative_error(a, b) < limit, naming `what`.
void expect_close(const at::Tensor &a, const at::Tensor &b, double limit, const std::string &what);
