// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <filesystem>
#include <string>

#include "caption/selected_tags.h"
#include "io/json.h"
#include "io/text.h"
#include "nn/clip_model.h"
#include "nn/module.h"
#include "nn/vit_tagger.h"
#include "nn/weights.h"
#include "tools/info.h"
#include "tools/info_blip2.h"
#include "tools/report.h"

namespace aianime::tools {

namespace {

using caption::TagCategory;
using caption::TagName;

bool exists(const std::string &path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

bool is_tagger(const std::string &folder) { return exists(folder + "/selected_tags.csv"); }

bool is_clip(const std::string &folder) {
    if (!exists(folder + "/config.json"))
        return false;
    try {
        const io::Json config = io::Json::load(folder + "/config.json");
        return config.is_object() && config.has("model_type") && config.at("model_type").string() == "clip";
    } catch (const Error &) {
        return false; // described as what else the folder may be
    }
}

void print_tags(const std::vector<TagName> &tags) {
    const auto count = [&tags](TagCategory category) {
        const auto is_one = [category](const TagName &tag) { return tag.category == category; };
        return std::to_string(std::count_if(tags.begin(), tags.end(), is_one));
    };
    print_line("tags", count(TagCategory::general) + " general, " + count(TagCategory::character) + " of characters, " +
                           count(TagCategory::rating) + " ratings (left out)");
}

void describe_tagger(const std::string &folder, Verdict &verdict) {
    print_line("kind", "WD tagger");
    print_line("fits", "captioner \"wd\"");
    size_t listed = 0;
    verdict.check([&] {
        const std::vector<TagName> tags = caption::read_tag_list(folder + "/selected_tags.csv");
        listed = tags.size();
        print_tags(tags);
    });
    verdict.check([&] {
        const nn::WeightSource source = nn::WeightSource::from_folder(folder);
        const bool configured = exists(folder + "/config.json");
        nn::VitTagger network(configured ? io::Json::load(folder + "/config.json") : nn::VitTagger::config_of(source));
        network.check(source);
        print_line("network", "vision transformer, " + count_text(static_cast<uint64_t>(network.module().parameter_count())) +
                                  " parameters, pictures of " + std::to_string(network.image_size()) + "x" +
                                  std::to_string(network.image_size()) + (configured ? "" : ", read off its shapes"));
        if (listed && static_cast<int64_t>(listed) != network.classes())
            verdict.fail(AIANIME_BAD_DATA,
                         std::to_string(listed) + " tags, but the network tells " + std::to_string(network.classes()),
                         "fetch selected_tags.csv and model.safetensors from the same place");
    });
}

void describe_clip(const std::string &folder, Verdict &verdict) {
    print_line("kind", "CLIP, text and vision towers");
    print_line("fits", "captioner \"clip\"");
    verdict.check([&] {
        nn::ClipModel network(io::Json::load(folder + "/config.json"));
        network.check(nn::WeightSource::from_folder(folder));
        print_line("network", count_text(static_cast<uint64_t>(network.parameter_count())) + " parameters, embeddings of " +
                                  std::to_string(network.projection()) + " numbers");
    });
    const bool own = exists(folder + "/vocab.json") || exists(folder + "/tokenizer.json");
    print_line("tokenizer", own ? "its own" : "none; that of the pack \"pocket\" is taken");
}

} // namespace

bool is_captioner(const std::string &folder) {
    if (exists(folder + "/pack.json") || exists(folder + "/model_index.json"))
        return false;
    return is_tagger(folder) || is_clip(folder) || is_blip2(folder);
}

int describe_captioner(const std::string &folder) {
    Verdict verdict;
    print_line("folder", io::printable(folder));
    if (is_tagger(folder))
        describe_tagger(folder, verdict);
    else if (is_blip2(folder))
        describe_blip2(folder, verdict);
    else
        describe_clip(folder, verdict);
    print_line("complete", verdict.code() == AIANIME_OK ? "yes, it loads" : "no");
    return verdict.code();
}

} // namespace aianime::tools
