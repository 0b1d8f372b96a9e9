// SPDX-License-Identifier: LGPL-2.1-or-later
#include <map>
#include <regex>
#include <string>
#include <utility>

#include "io/error.h"
#include "nn/raft.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

const std::string wrapped = "module."; // of networks trained on several devices

bool begins(const std::string &text, const std::string &with) { return text.compare(0, with.size(), with) == 0; }

std::string plain(const std::string &name) { return begins(name, wrapped) ? name.substr(wrapped.size()) : name; }

// The first rule that fits a name says what it is called in torchvision.
const std::pair<const char *, const char *> encoder_rules[] = {
    {"(.*)\\.conv1\\.(weight|bias)", "$1.convnormrelu.0.$2"},
    {"(.*)\\.norm1\\.(.*)", "$1.convnormrelu.1.$2"},
    {"(.*)\\.conv2\\.(weight|bias)", "$1.conv.$2"},
};

const std::pair<const char *, const char *> block_rules[] = {
    {"(.*layer[123]\\.[01])\\.conv([123])\\.(.*)", "$1.convnormrelu$2.0.$3"},
    {"(.*layer[123]\\.[01])\\.norm([123])\\.(.*)", "$1.convnormrelu$2.1.$3"},
};

const std::pair<const char *, const char *> update_rules[] = {
    {"update_block\\.encoder\\.convc([12])\\.(.*)", "update_block.motion_encoder.convcorr$1.0.$2"},
    {"update_block\\.encoder\\.convf([12])\\.(.*)", "update_block.motion_encoder.convflow$1.0.$2"},
    {"update_block\\.encoder\\.conv\\.(.*)", "update_block.motion_encoder.conv.0.$1"},
    {"update_block\\.gru\\.conv([zrq])([12])\\.(.*)", "update_block.recurrent_block.convgru$2.conv$1.$3"},
    {"update_block\\.gru\\.conv([zrq])\\.(.*)", "update_block.recurrent_block.convgru1.conv$1.$2"},
    {"update_block\\.mask\\.0\\.(.*)", "mask_predictor.convrelu.0.$1"},
    {"update_block\\.mask\\.2\\.(.*)", "mask_predictor.conv.$1"},
};

template <size_t n>
std::string renamed_by(const std::pair<const char *, const char *> (&list)[n], const std::string &name) {
    for (const auto &[from, to] : list) {
        const std::regex rule(from);
        if (std::regex_match(name, rule))
            return std::regex_replace(name, rule, to);
    }
    return name;
}

std::string encoder_name(const std::string &name) {
    const std::string rest = name.substr(4), side = begins(name, "fnet") ? "feature_encoder" : "context_encoder";
    return side + (begins(rest, ".layer") ? renamed_by(block_rules, rest) : renamed_by(encoder_rules, rest));
}

std::string new_name(const std::string &name) {
    return begins(name, "fnet.") || begins(name, "cnet.") ? encoder_name(name) : renamed_by(update_rules, name);
}

// The norm of a block's way around is in the file twice, as a member and in the sequence that uses it.
bool is_second_copy(const std::string &name, const WeightSource &source, const std::string &stored) {
    const size_t norm = name.find(".norm3.");
    if (norm == std::string::npos)
        return false;
    const std::string block = stored.substr(0, stored.size() - (name.size() - norm));
    return !source.has(block + ".conv3.weight") && source.has(block + ".downsample.1" + name.substr(norm + 6));
}

} // namespace

WeightSource raft_names(const WeightSource &source) {
    std::map<std::string, WeightView> views;
    bool original = false, known = false;
    for (const std::string &stored : source.names()) {
        const std::string name = plain(stored);
        original = original || name == "fnet.conv1.weight";
        known = known || name == "feature_encoder.convnormrelu.0.weight";
        if (!raft_ignores(name) && !is_second_copy(name, source, stored))
            views[new_name(name)] = {stored, source.shape(stored)};
    }
    if (!original && !known)
        throw Error(AIANIME_BAD_DATA,
                    source.description() +
                        ": not a RAFT network; wanted is torchvision's raft_large or raft_small as safetensors, with "
                        "the key feature_encoder.convnormrelu.0.weight, or the original with fnet.conv1.weight");
    return source.renamed(views);
}

} // namespace aianime::nn
