// SPDX-License-Identifier: LGPL-2.1-or-later
#include "io/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "io/error.h"
#include "io/json_cursor.h"
#include "io/text.h"

namespace aianime::io {

namespace {

constexpr size_t max_tensors = 20000;
constexpr size_t max_name_bytes = 512;
constexpr size_t max_rank = 8;
constexpr uint64_t max_dimension = std::numeric_limits<int32_t>::max();

struct DTypeEntry {
    const char *name;
    DType dtype;
    int64_t bytes;
};

constexpr DTypeEntry dtypes[] = {{"F32", DType::f32, 4}, {"F16", DType::f16, 2}, {"BF16", DType::bf16, 2},   {"I64", DType::i64, 8},
                                 {"I32", DType::i32, 4}, {"U8", DType::u8, 1},   {"BOOL", DType::boolean, 1}};

const DTypeEntry &entry_of(DType dtype) {
    return *std::find_if(std::begin(dtypes), std::end(dtypes), [&](const DTypeEntry &entry) { return entry.dtype == dtype; });
}

class HeaderParser {
public:
    HeaderParser(const std::string &text, const std::string &name) : in_(text, name) {}

    SafetensorsHeader parse() {
        object([this](const std::string &key) {
            if (key == "__metadata__")
                metadata();
            else
                tensor(key);
        });
        in_.end();
        return std::move(header_);
    }

private:
    // Calls member(key) with the cursor on the value of each member of an object.
    template <typename Member>
    void object(Member member) {
        in_.expect('{');
        if (in_.accept('}'))
            return;
        do {
            const std::string key = in_.string();
            in_.expect(':');
            member(key);
        } while (in_.accept(','));
        in_.expect('}');
    }

    void metadata() {
        if (has_metadata_)
            in_.refuse("__metadata__ is there twice");
        has_metadata_ = true;
        object([this](const std::string &key) {
            if (!header_.metadata.emplace(key, in_.string()).second)
                in_.refuse("__metadata__ key " + quoted(key) + " is there twice");
        });
    }

    void tensor(const std::string &name) {
        if (name.empty() || name.size() > max_name_bytes || printable(name, max_name_bytes) != name)
            in_.refuse("the tensor name " + quoted(name) + " is empty, too long or holds control bytes");
        if (header_.tensors.size() >= max_tensors)
            in_.refuse("more than " + std::to_string(max_tensors) + " tensors");
        TensorInfo info{};
        bool has_dtype = false, has_shape = false, has_offsets = false;
        const auto once = [&](bool &seen, const std::string &key) {
            if (seen)
                in_.refuse("tensor " + quoted(name) + ": " + key + " is there twice");
            seen = true;
        };
        object([&](const std::string &key) {
            if (key == "dtype") {
                once(has_dtype, key);
                info.dtype = dtype(name);
            } else if (key == "shape") {
                once(has_shape, key);
                info.shape = shape(name);
            } else if (key == "data_offsets") {
                once(has_offsets, key);
                offsets(name, info);
            } else {
                in_.refuse("tensor " + quoted(name) + ": unknown key " + quoted(key));
            }
        });
        if (!has_dtype || !has_shape || !has_offsets)
            in_.refuse("tensor " + quoted(name) + ": dtype, shape and data_offsets are all needed");
        check_size(name, info);
        if (!header_.tensors.emplace(name, info).second)
            in_.refuse("tensor " + quoted(name) + " is there twice");
    }

    DType dtype(const std::string &name) {
        const std::string text = in_.string();
        for (const DTypeEntry &entry : dtypes)
            if (text == entry.name)
                return entry.dtype;
        in_.refuse("tensor " + quoted(name) + ": dtype " + quoted(text) +
                   " is not read; known: F32, F16, BF16, I64, I32, U8, BOOL");
    }

    std::vector<int64_t> shape(const std::string &name) {
        std::vector<int64_t> result;
        in_.expect('[');
        if (in_.accept(']'))
            return result;
        do {
            const uint64_t dimension = in_.unsigned_integer();
            if (dimension > max_dimension)
                in_.refuse("tensor " + quoted(name) + ": dimension " + std::to_string(dimension) + " is above 2^31 - 1");
            if (dimension == 0)
                in_.refuse("tensor " + quoted(name) + ": a dimension is 0");
            if (result.size() >= max_rank)
                in_.refuse("tensor " + quoted(name) + ": more than " + std::to_string(max_rank) + " dimensions");
            result.push_back(static_cast<int64_t>(dimension));
        } while (in_.accept(','));
        in_.expect(']');
        return result;
    }

    void offsets(const std::string &name, TensorInfo &info) {
        in_.expect('[');
        const uint64_t begin = in_.unsigned_integer();
        in_.expect(',');
        const uint64_t end = in_.unsigned_integer();
        in_.expect(']');
        if (end < begin)
            in_.refuse("tensor " + quoted(name) + ": data_offsets are reversed");
        info.begin = begin;
        info.bytes = end - begin;
    }

    void check_size(const std::string &name, const TensorInfo &info) {
        uint64_t bytes = static_cast<uint64_t>(dtype_size(info.dtype));
        for (int64_t dimension : info.shape)
            if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(dimension), &bytes))
                in_.refuse("tensor " + quoted(name) + ": its shape is larger than any file");
        if (bytes != info.bytes)
            in_.refuse("tensor " + quoted(name) + ": shape and dtype need " + std::to_string(bytes) + " bytes, data_offsets give " +
                       std::to_string(info.bytes));
    }

    JsonCursor in_;
    SafetensorsHeader header_;
    bool has_metadata_ = false;
};

// Makes sure that the tensors lie one after the other from 0 to `data_bytes`, and counts their offsets from the file's begin.
void place(std::map<std::string, TensorInfo> &tensors, uint64_t data_offset, uint64_t data_bytes, const std::string &file) {
    std::vector<std::pair<const std::string, TensorInfo> *> order;
    for (auto &tensor : tensors)
        order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [](const auto *a, const auto *b) { return a->second.begin < b->second.begin; });

    uint64_t end = 0;
    for (auto *tensor : order) {
        TensorInfo &info = tensor->second;
        if (info.begin != end)
            throw Error(AIANIME_BAD_DATA, printable(file) + ": tensor " + quoted(tensor->first) + " begins at byte " +
                                              std::to_string(info.begin) + ", the one before it ends at " + std::to_string(end) +
                                              (info.begin < end ? ": they overlap" : ": a hole"));
        end += info.bytes; // begin + bytes is an offset that was read as 64 bits
        info.begin += data_offset;
    }
    if (end == data_bytes)
        return;
    const std::string sizes =
        "the header describes " + std::to_string(end) + " bytes of tensors, the file holds " + std::to_string(data_bytes);
    throw Error(AIANIME_BAD_DATA,
                printable(file) + (end > data_bytes ? ": incomplete file: " : ": bytes after the last tensor: ") + sizes);
}

} // namespace

int64_t dtype_size(DType dtype) { return entry_of(dtype).bytes; }

const char *dtype_name(DType dtype) { return entry_of(dtype).name; }

SafetensorsHeader parse_safetensors_header(const std::string &text, uint64_t data_offset, uint64_t data_bytes,
                                           const std::string &name) {
    SafetensorsHeader header = HeaderParser(text, name).parse();
    place(header.tensors, data_offset, data_bytes, name);
    return header;
}

} // namespace aianime::io
