// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support_safetensors.h"

#include <sstream>

#include "nn/aten.h"
#include "support.h"

void write_safetensors(const std::string &path, const std::map<std::string, at::Tensor> &tensors) {
    std::ostringstream header;
    std::string data;
    header << '{';
    for (const auto &[name, tensor] : tensors) {
        const at::Tensor whole = tensor.contiguous();
        const at::ScalarType type = whole.scalar_type();
        header << (data.empty() ? "" : ",") << '"' << name << "\":{\"dtype\":\""
               << (type == at::kHalf       ? "F16"
                   : type == at::kBFloat16 ? "BF16"
                                           : "F32")
               << "\",\"shape\":[";
        for (int64_t i = 0; i < whole.dim(); i++)
            header << (i ? "," : "") << whole.size(i);
        header << "],\"data_offsets\":[" << data.size() << ',' << data.size() + whole.nbytes() << "]}";
        data.append(static_cast<const char *>(whole.data_ptr()), whole.nbytes());
    }
    header << '}';
    const std::string text = header.str();
    const uint64_t length = text.size();
    write_file(path, std::string(reinterpret_cast<const char *>(&length), sizeof length) + text + data);
}
