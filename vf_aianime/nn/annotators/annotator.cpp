// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/annotators/annotator.h"

#include <array>
#include <map>

#include "io/error.h"
#include "nn/annotators/body_pose.h"
#include "nn/annotators/depth.h"
#include "nn/annotators/dpt_names.h"
#include "nn/annotators/lineart.h"
#include "nn/annotators/lineart_anime.h"
#include "nn/annotators/softedge.h"
#include "nn/aten.h"
#include "nn/weights.h"

namespace aianime::nn {

namespace {

template <typename Network>
std::unique_ptr<Annotator> make(const WeightSource &source) {
    return std::make_unique<Network>(source);
}

struct Kind {
    const char *type;
    const char *key;                                                // one that no other kind has
    const char *file;                                               // as people know it
    std::unique_ptr<Annotator> (*make)(const WeightSource &source); // null: no Annotator
};

constexpr std::array<Kind, 5> kinds = {{
    {"lineart", "model2.0.conv_block.1.weight", "sk_model or sk_model2", make<LineartGenerator>},
    {"lineart_anime", "model.model.1.model.1.weight", "netG", make<LineartAnimeGenerator>},
    {"softedge", "block1.convs.0.weight", "ControlNetHED", make<SoftEdge>},
    {"depth", "pretrained.model.patch_embed.backbone.stem.conv.weight", "dpt_hybrid-midas-501f0c75 or Intel/dpt-hybrid-midas",
     make<DepthHybrid>},
    {"openpose", "Mconv7_stage6_L2.weight", "body_pose_model", nullptr},
}};

// Annotators that people have beside ours, by how one of their names begins.
struct Stranger {
    const char *name;
    const char *file;
};

constexpr std::array<Stranger, 6> strangers = {{
    {"Mconv7_stage6.", "hand_pose_model or facenet"},
    {"block1_1.conv1.", "table5_pidinet"},
    {"block23.conv3.", "mlsd_large_512_fp32"},
    {"core.core.pretrained.", "ZoeD_M12_N"},
    {"encoder.original_model.", "scannet"},
    {"pretrained.model.patch_embed.proj.", "DPT-Large"},
}};

const char *find_stranger(const WeightSource &source) {
    for (const Stranger &stranger : strangers)
        for (const std::string &name : source.names())
            if (name.rfind(stranger.name, 0) == 0)
                return stranger.file;
    return nullptr;
}

const Kind &find_kind(const std::string &type) {
    for (const Kind &kind : kinds)
        if (type == kind.type)
            return kind;
    throw Error(AIANIME_INTERNAL, "\"" + type + "\" is no type of annotator");
}

// Networks trained on several devices have "module." in front of every name; DPT-Hybrid comes in two dialects.
WeightSource own_names(const WeightSource &source) {
    static const std::string prefix = "module.";
    std::map<std::string, WeightView> views;
    for (const std::string &name : source.names())
        if (!source.shape(name).empty()) // no annotator has a tensor without dimensions
            views[name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : name] = {name, source.shape(name)};
    return dpt_names(source.renamed(views));
}

const Kind *kind_of(const WeightSource &source) {
    const WeightSource plain = own_names(source), poses = body_pose_names(source);
    for (const Kind &kind : kinds)
        if (plain.has(kind.key) || (!kind.make && poses.has(kind.key)))
            return &kind;
    return nullptr;
}

std::string description(const WeightSource &source, const Kind *kind) {
    if (kind)
        return std::string("has the network of type \"") + kind->type + "\" (" + kind->file + ")";
    // Told by the last names, as some are filed by parts.
    const WeightSource poses = body_pose_names(source), plain = own_names(source);
    const char *in_plain = find_stranger(plain), *stranger = in_plain ? in_plain : find_stranger(poses);
    return stranger ? std::string("is ") + stranger + ", which is not among the annotators that are known here"
                    : "is no annotator that is known here";
}

} // namespace

std::string annotator_type(const WeightSource &source) {
    const Kind *kind = kind_of(source);
    return kind ? kind->type : "";
}

std::string annotator_file(const std::string &type) { return find_kind(type).file; }

void expect_annotator(const std::string &type, const WeightSource &source) {
    const Kind &wanted = find_kind(type);
    const Kind *found = kind_of(source);
    if (found == &wanted)
        return;
    throw Error(AIANIME_BAD_DATA, source.description() + " " + description(source, found) + "; type \"" + type + "\" wants " +
                                      wanted.file + " as safetensors, with the key " + wanted.key);
}

std::unique_ptr<Annotator> load_annotator(const std::string &type, const WeightSource &source, at::Device device) {
    const Kind &kind = find_kind(type);
    if (!kind.make)
        throw Error(AIANIME_INTERNAL, "\"" + type + "\" is no type of annotator that draws by itself");
    expect_annotator(type, source);
    const WeightSource plain = own_names(source);
    std::unique_ptr<Annotator> annotator = kind.make(plain);
    load(*annotator, plain, at::kFloat, device, [&](const std::string &name) { return annotator->ignores(name); });
    return annotator;
}

int64_t check_annotator(const WeightSource &source) {
    const Kind *kind = kind_of(source);
    if (!kind)
        throw Error(AIANIME_BAD_DATA, source.description() + " " + description(source, kind));
    if (!kind->make) {
        const WeightSource plain = body_pose_names(source);
        BodyPose network(plain);
        check_names(network, plain);
        return network.parameter_count();
    }
    const WeightSource plain = own_names(source);
    const std::unique_ptr<Annotator> annotator = kind->make(plain);
    check_names(*annotator, plain, [&](const std::string &name) { return annotator->ignores(name); });
    return annotator->parameter_count();
}

} // namespace aianime::nn
