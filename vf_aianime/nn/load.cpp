// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "io/error.h"
#include "nn/aten.h"
#include "nn/module.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

constexpr size_t max_listed = 20;

std::string shape_text(const std::vector<int64_t> &shape) {
    std::ostringstream text;
    text << '[';
    for (size_t i = 0; i < shape.size(); i++)
        text << (i ? "," : "") << shape[i];
    text << ']';
    return text.str();
}

// Up to twenty complaints of one kind, "missing a, b, and 7 more".
class Complaints {
public:
    explicit Complaints(const char *kind) : kind_(kind) {}
    void add(const std::string &text) {
        if (count_++ < max_listed)
            listed_ += (listed_.empty() ? "" : ", ") + text;
    }
    size_t count() const { return count_; }
    std::string text() const {
        if (!count_)
            return "";
        std::string more = count_ > max_listed ? " and " + std::to_string(count_ - max_listed) + " more" : "";
        return std::string("; ") + kind_ + " " + listed_ + more;
    }

private:
    const char *kind_;
    std::string listed_;
    size_t count_ = 0;
};

// The projections of an autoencoder's attention had other names in older diffusers versions; files with them are still common.
std::string current_name(const std::string &name) {
    static constexpr const char *renamed[][2] = {
        {".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}};
    for (const auto &[before, after] : renamed) {
        const size_t at = name.rfind(before);
        if (at != std::string::npos)
            return name.substr(0, at) + after + name.substr(at + std::char_traits<char>::length(before));
    }
    return name;
}

// The file's name of every tensor of the module; throws unless names and shapes agree.
std::map<std::string, std::string> bind(Module &module, const WeightSource &source, const Ignored &ignored) {
    std::map<std::string, std::vector<int64_t>> wanted;
    module.visit([&wanted](const std::string &name, at::Tensor &, const std::vector<int64_t> &shape) { wanted[name] = shape; });

    Complaints missing("missing"), unexpected("unexpected"), misshaped("wrong shape");
    std::map<std::string, std::string> found;
    for (const std::string &name : source.names()) {
        const std::string current = wanted.count(name) ? name : current_name(name);
        const auto place = wanted.find(current);
        if (place == wanted.end() || found.count(current)) {
            if (!ignored || !ignored(name))
                unexpected.add(name);
            continue;
        }
        found[current] = name;
        const std::vector<int64_t> shape = source.shape(name);
        if (shape != place->second)
            misshaped.add(name + " " + shape_text(shape) + " instead of " + shape_text(place->second));
    }
    for (const auto &entry : wanted)
        if (!found.count(entry.first))
            missing.add(entry.first);
    if (missing.count() || unexpected.count() || misshaped.count())
        throw Error(AIANIME_BAD_DATA, source.description() + ": the weights do not fit the network" + missing.text() +
                                          unexpected.text() + misshaped.text());
    return found;
}

// One value that is not finite makes the sum so. float16's own sum could overflow; bfloat16's cannot, and makes no larger copy.
bool has_finite_sum(const at::Tensor &tensor) {
    const at::Tensor sum = tensor.scalar_type() == at::kBFloat16 ? tensor.sum() : tensor.sum(at::kFloat);
    return std::isfinite(sum.item<float>());
}

} // namespace

void check_names(Module &module, const WeightSource &source, const Ignored &ignored) { bind(module, source, ignored); }

std::vector<std::string> load(Module &module, const WeightSource &source, at::ScalarType dtype, at::Device device,
                              const Ignored &ignored, const Patch &patch) {
    const std::map<std::string, std::string> names = bind(module, source, ignored);
    std::vector<std::string> not_finite;
    module.visit([&](const std::string &name, at::Tensor &tensor, const std::vector<int64_t> &) {
        const std::string &stored = names.at(name);
        tensor = patch ? patch(name, source.tensor(stored, source.dtype(stored), at::kCPU)).to(device, dtype)
                       : source.tensor(stored, dtype, device);
        if (tensor.dim() == 4)
            tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
        if (!tensor.is_meta() && !has_finite_sum(tensor))
            not_finite.push_back(stored);
    });
    module.call_loaded();
    return not_finite;
}

} // namespace aianime::nn
