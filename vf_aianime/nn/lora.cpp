// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/lora.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "io/error.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/lora_file.h"
#include "nn/lora_keys.h"
#include "nn/lora_names.h"

namespace aianime::nn {

namespace {

constexpr size_t max_listed = 20;

// A change of one tensor of a network.
struct Change {
    std::shared_ptr<const LoraFile> file;
    std::string layer; // in the file
    double weight;
};

struct Network {
    explicit Network(Module *module) {
        if (module)
            names = std::make_unique<LayerNames>(*module);
    }
    const NamedLayer *find(const std::string &plain_name) const { return names ? names->find(plain_name) : nullptr; }

    std::unique_ptr<LayerNames> names;
    std::map<std::string, std::vector<Change>> changes; // by the tensor's name
};

std::string listed(const std::vector<std::string> &names) {
    std::vector<std::string> some;
    for (const std::string &name : names)
        if (some.size() < max_listed)
            some.push_back(io::printable(name));
    return io::joined(some) + (names.size() > max_listed ? " and " + std::to_string(names.size() - max_listed) + " more" : "");
}

// Throws where the layer's tensors do not fit those of the network.
void check_shapes(const LoraFile &file, const std::string &name, const NamedLayer &layer) {
    const LoraParts &parts = file.layers().at(name);
    const auto meta = at::TensorOptions(at::kMeta).dtype(at::kFloat);
    const PartReader read = [&](const std::string &part) { return at::empty(file.shape(parts.tensors.at(part)), meta); };
    if ((parts.changes_weight() && layer.weight.empty()) || (parts.changes_bias() && layer.bias.empty()))
        throw Error(AIANIME_BAD_DATA, "there is no such tensor");
    if (parts.changes_weight())
        weight_delta(parts, read, at::empty(layer.weight, meta));
    if (parts.changes_bias())
        bias_delta(read, at::empty(layer.bias, meta));
}

at::Tensor delta(const Change &change, const at::Tensor &original, bool bias) {
    const LoraParts &parts = change.file->layers().at(change.layer);
    const PartReader read = [&](const std::string &part) { return change.file->tensor(parts.tensors.at(part)); };
    at::Tensor result = bias ? bias_delta(read, original) : weight_delta(parts, read, original);
    // One value that is not a number makes the sum none, and a sum takes no memory.
    if (!std::isfinite(result.sum().item<double>()))
        throw Error(AIANIME_BAD_DATA, change.file->path() + ": " + io::printable(change.layer) +
                                          " has values that are not numbers; the file is damaged, or its training failed");
    return change.weight == 1 ? result : result.mul_(change.weight);
}

at::Tensor patch(const Network &network, const std::string &name, const at::Tensor &weight) {
    const auto found = network.changes.find(name);
    if (found == network.changes.end())
        return weight;
    const bool bias = name.size() > 5 && name.compare(name.size() - 5, 5, ".bias") == 0;
    const at::Tensor original = weight.to(at::kCPU, at::kFloat);
    // In place: the largest weights have 118 MB in float32.
    at::Tensor sum;
    for (const Change &change : found->second) {
        const at::Tensor more = delta(change, original, bias);
        sum = sum.defined() ? sum.add_(more) : more;
    }
    return sum.add_(original);
}

} // namespace

struct LoraStack::Impl {
    Impl(Module &unet_module, Module *text_module, Module *motion_module)
        : unet(&unet_module), text(text_module), motion(motion_module) {}

    void add(const LoraUse &use);

    Network unet, text, motion;
    std::vector<LoraReport> reports;

private:
    Network *network_of(const LoraLayer &layer);
    // Puts the layer's changes down; false when it belongs to no network or does not fit.
    bool resolve(const std::shared_ptr<const LoraFile> &file, const std::string &name, const LoraUse &use, LoraReport &report);
    void refuse(const LoraFile &file, const LoraReport &report);

    std::set<std::string> changed_; // tensors that the present file changes
};

Network *LoraStack::Impl::network_of(const LoraLayer &layer) {
    if (layer.target != LoraTarget::text && unet.find(layer.name))
        return &unet;
    if (layer.target != LoraTarget::text && motion.find(layer.name))
        return &motion;
    return layer.target != LoraTarget::unet && text.find(layer.name) ? &text : nullptr;
}

bool LoraStack::Impl::resolve(const std::shared_ptr<const LoraFile> &file, const std::string &name, const LoraUse &use,
                              LoraReport &report) {
    const LoraLayer plain = plain_layer(name);
    Network *network = network_of(plain);
    if (!network) {
        report.unmatched.push_back(name);
        return false;
    }
    const NamedLayer &layer = *network->find(plain.name);
    try {
        check_shapes(*file, name, layer);
    } catch (const Error &error) {
        report.unmatched.push_back(name + " (" + error.what() + ")");
        return false;
    }
    const double weight = network == &text ? use.text_weight : use.weight;
    const LoraParts &parts = file->layers().at(name);
    for (const auto &[ending, changes] : {std::pair(".weight", parts.changes_weight()), std::pair(".bias", parts.changes_bias())}) {
        if (!changes)
            continue;
        const std::string tensor = layer.name + ending;
        if (!changed_.insert((network == &text ? "text " : "unet ") + tensor).second)
            throw Error(AIANIME_BAD_DATA, file->path() + ": " + io::printable(name) + " is there twice, under two names");
        if (weight != 0)
            network->changes[tensor].push_back({file, name, weight});
    }
    (network == &unet ? report.unet : network == &text ? report.text : report.motion)++;
    return true;
}

void LoraStack::Impl::refuse(const LoraFile &file, const LoraReport &report) {
    const NamedLayer *keys = unet.find("down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k");
    std::string family = file.family();
    if (!family.empty() && keys && keys->weight.size() == 2 && file.text_width() != keys->weight[1])
        family = "; it was made for " + family + ", and the U-Net here reads texts of width " + std::to_string(keys->weight[1]);
    else
        family = report.matched() ? "; \"partial\": true leaves these out" : "";
    throw Error(AIANIME_BAD_DATA, file.path() + ": " + std::to_string(report.unmatched.size()) + " of " +
                                      std::to_string(report.unmatched.size() + static_cast<size_t>(report.matched())) +
                                      " layers do not fit these networks: " + listed(report.unmatched) + family);
}

void LoraStack::Impl::add(const LoraUse &use) {
    if (!std::isfinite(use.weight) || !std::isfinite(use.text_weight))
        throw Error(AIANIME_OUT_OF_RANGE, use.file + ": its weight is not a number");
    const auto file = std::make_shared<const LoraFile>(use.file);
    LoraReport report;
    report.file = use.file;
    report.dialect = file->dialect();
    report.unmatched = file->unknown();
    changed_.clear();
    for (const auto &entry : file->layers())
        resolve(file, entry.first, use, report);
    if (!report.matched() || (!report.unmatched.empty() && !use.partial))
        refuse(*file, report);
    reports.push_back(report);
}

LoraStack::LoraStack(const std::vector<LoraUse> &uses, Module &unet, Module *text_encoder, Module *motion)
    : impl_(std::make_unique<Impl>(unet, text_encoder, motion)) {
    for (const LoraUse &use : uses)
        impl_->add(use);
}

LoraStack::~LoraStack() = default;
LoraStack::LoraStack(LoraStack &&) noexcept = default;

std::vector<LoraReport> LoraStack::reports() const { return impl_->reports; }

at::Tensor LoraStack::patch_unet(const std::string &name, const at::Tensor &weight) const {
    return patch(impl_->unet, name, weight);
}

at::Tensor LoraStack::patch_text(const std::string &name, const at::Tensor &weight) const {
    static const std::string prefix = "text_model.";
    return patch(impl_->text, name.compare(0, prefix.size(), prefix) == 0 ? name.substr(prefix.size()) : name, weight);
}

at::Tensor LoraStack::patch_motion(const std::string &name, const at::Tensor &weight) const {
    return patch(impl_->motion, name, weight);
}

} // namespace aianime::nn
