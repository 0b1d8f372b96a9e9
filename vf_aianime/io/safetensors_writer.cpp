// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/safetensors_writer.h"

#include <algorithm>
#include <cstdio>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/safetensors_header.h"
#include "io/text.h"

namespace aianime::io {

namespace {

using Entry = std::pair<const std::string, TensorData>;

constexpr size_t alignment = 8; // of the header's end, for the widest type

// The order in which the format's library lays types down.
int rank_of(DType dtype) {
    constexpr DType order[] = {DType::i64, DType::f32, DType::i32, DType::bf16, DType::f16, DType::u8, DType::boolean};
    return static_cast<int>(std::find(std::begin(order), std::end(order), dtype) - std::begin(order));
}

std::vector<const Entry *> in_order(const std::map<std::string, TensorData> &tensors) {
    std::vector<const Entry *> order;
    for (const Entry &entry : tensors)
        order.push_back(&entry);
    std::stable_sort(order.begin(), order.end(),
                     [](const Entry *a, const Entry *b) { return rank_of(a->second.dtype) < rank_of(b->second.dtype); });
    return order;
}

uint64_t size_of(const std::string &path, const Entry &entry) {
    uint64_t bytes = static_cast<uint64_t>(dtype_size(entry.second.dtype));
    for (int64_t side : entry.second.shape)
        if (side < 1 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(side), &bytes))
            throw Error(AIANIME_BAD_DATA,
                        printable(path) + ": tensor " + quoted(entry.first) + " has no shape that can be written");
    return bytes;
}

std::string escaped(char c) {
    constexpr const char *plain = "\b\f\n\r\t\"\\", *letters = "bfnrt\"\\";
    const std::string all = plain;
    if (const size_t at = all.find(c); at != std::string::npos)
        return std::string("\\") + letters[at];
    if (static_cast<unsigned char>(c) >= 0x20)
        return std::string(1, c);
    char code[8];
    std::snprintf(code, sizeof(code), "\\u%04x", static_cast<unsigned>(c));
    return code;
}

std::string json(const std::string &text) {
    std::string result = "\"";
    for (char c : text)
        result += escaped(c);
    return result + "\"";
}

std::string json(const std::map<std::string, std::string> &metadata) {
    std::string result;
    for (const auto &[key, value] : metadata)
        result += (result.empty() ? "{" : ",") + json(key) + ":" + json(value);
    return result + "}";
}

std::string json(const TensorData &tensor, uint64_t begin, uint64_t end) {
    std::string shape;
    for (int64_t side : tensor.shape)
        shape += (shape.empty() ? "" : ",") + std::to_string(side);
    return "{\"dtype\":\"" + std::string(dtype_name(tensor.dtype)) + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
}

// 64 bits, the low byte first.
std::string length_field(uint64_t length) {
    std::string bytes;
    for (int i = 0; i < 8; i++)
        bytes += static_cast<char>(length >> (8 * i));
    return bytes;
}

std::string header_of(const std::string &path, const std::vector<const Entry *> &order,
                      const std::map<std::string, std::string> &metadata) {
    std::string text = metadata.empty() ? "" : "{\"__metadata__\":" + json(metadata);
    uint64_t end = 0;
    for (const Entry *entry : order) {
        const uint64_t begin = end;
        if (__builtin_add_overflow(end, size_of(path, *entry), &end))
            throw Error(AIANIME_BAD_DATA, printable(path) + ": its tensors are larger than any file");
        text += (text.empty() ? "{" : ",") + json(entry->first) + ":" + json(entry->second, begin, end);
    }
    text += text.empty() ? "{}" : "}";
    text.resize((text.size() + alignment - 1) / alignment * alignment, ' ');
    if (text.size() > max_header_bytes)
        throw Error(AIANIME_BAD_DATA, printable(path) + ": its header would have " + std::to_string(text.size()) +
                                          " bytes, at most " + std::to_string(max_header_bytes) + " are read");
    parse_safetensors_header(text, 0, end, path); // refuses names and shapes that the reader would refuse
    return text;
}

} // namespace

void write_safetensors(const std::string &path, const std::map<std::string, TensorData> &tensors,
                       const std::map<std::string, std::string> &metadata) {
    const std::vector<const Entry *> order = in_order(tensors);
    const std::string header = header_of(path, order, metadata);
    AtomicFile file(path);
    const std::string start = length_field(header.size()) + header;
    file.write(start.data(), start.size());
    for (const Entry *entry : order)
        file.write(entry->second.data, static_cast<size_t>(size_of(path, *entry)));
    file.commit();
}

} // namespace aianime::io
