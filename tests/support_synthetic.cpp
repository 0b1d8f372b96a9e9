// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support_synthetic.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "nn/aten.h"
#include "support.h"

namespace {

uint32_t crc32(const std::string &text) {
    uint32_t crc = ~uint32_t{0};
    for (const char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

int64_t elements(const std::vector<int64_t> &shape) {
    int64_t count = 1;
    for (int64_t side : shape)
        count *= side;
    return count;
}

int64_t element_bytes(const std::string &dtype) { return dtype == "F32" ? 4 : dtype == "I64" ? 8 : 2; }

at::ScalarType scalar_type(const std::string &dtype) {
    return dtype == "F32" ? at::kFloat : dtype == "BF16" ? at::kBFloat16 : dtype == "I64" ? at::kLong : at::kHalf;
}

// Length and header; `size` receives the number of bytes that follow.
std::string make_header(const std::vector<ListedTensor> &tensors, int64_t &size) {
    std::ostringstream header;
    size = 0;
    for (const ListedTensor &tensor : tensors) {
        header << (size || header.tellp() > 0 ? "," : "{") << '"' << tensor.stored << "\":{\"dtype\":\"" << tensor.dtype
               << "\",\"shape\":[";
        for (size_t i = 0; i < tensor.shape.size(); i++)
            header << (i ? "," : "") << tensor.shape[i];
        const int64_t end = size + elements(tensor.shape) * element_bytes(tensor.dtype);
        header << "],\"data_offsets\":[" << size << ',' << end << "]}";
        size = end;
    }
    const std::string text = header.str() + "}";
    const uint64_t length = text.size();
    return std::string(reinterpret_cast<const char *>(&length), sizeof length) + text;
}

} // namespace

std::vector<ListedTensor> read_tensor_list(const std::string &list) {
    std::ifstream in(tests_folder() + "/golden/" + list + ".txt");
    ck_assert_msg(in.good(), "no list %s", list.c_str());
    std::vector<ListedTensor> tensors;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string name, dtype, sides;
        words >> name >> dtype >> sides;
        std::vector<int64_t> shape;
        std::istringstream numbers(sides);
        for (std::string side; std::getline(numbers, side, ',');)
            shape.push_back(std::stoll(side));
        tensors.push_back({name, dtype, shape, name});
    }
    return tensors;
}

at::Tensor synthetic_tensor(const std::string &name, const std::vector<int64_t> &shape) {
    const at::Tensor tensor = at::empty(shape, at::kFloat);
    const uint64_t start = crc32(name);
    const bool matrix = shape.size() > 1, norm = !matrix && name.size() >= 6 && name.compare(name.size() - 6, 6, "weight") == 0;
    const double fan = matrix ? static_cast<double>(elements({shape.begin() + 1, shape.end()})) : 1;
    const double scale = matrix ? std::exp2(1 - std::ceil(std::log2(std::sqrt(fan)))) / 128 : 1.0 / 1024;
    float *out = tensor.data_ptr<float>();
    for (int64_t i = 0; i < tensor.numel(); i++) {
        uint32_t state = static_cast<uint32_t>(start + static_cast<uint64_t>(i) * 2654435761U);
        state = (state ^ (state >> 15)) * 0x85EBCA6BU;
        state ^= state >> 13;
        const double steps = static_cast<double>(state & 255) - 128;
        out[i] = static_cast<float>(norm ? 1 + std::floor(steps / 16) / 32 : steps * scale);
    }
    return tensor;
}

void write_synthetic(const std::string &path, const std::vector<ListedTensor> &tensors) {
    int64_t size = 0;
    std::string bytes = make_header(tensors, size);
    bytes.reserve(bytes.size() + static_cast<size_t>(size));
    for (const ListedTensor &tensor : tensors) {
        const at::Tensor values = synthetic_tensor(tensor.name, tensor.shape).mul(tensor.gain).to(scalar_type(tensor.dtype));
        bytes.append(static_cast<const char *>(values.data_ptr()), static_cast<size_t>(values.nbytes()));
    }
    write_file(path, bytes);
}

void write_hollow(const std::string &path, const std::vector<ListedTensor> &tensors) {
    int64_t size = 0;
    const std::string header = make_header(tensors, size);
    write_file(path, header);
    std::filesystem::resize_file(path, header.size() + static_cast<uint64_t>(size));
}
