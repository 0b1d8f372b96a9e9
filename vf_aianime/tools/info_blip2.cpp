// SPDX-License-Identifier: LGPL-2.1-or-later
#include <filesystem>
#include <string>

#include "include/aianime.h"
#include "io/json.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/blip2/model.h"
#include "nn/byte_level_tokenizer.h"
#include "tools/info_blip2.h"

namespace aianime::tools {

bool is_blip2(const std::string &folder) {
    std::error_code ignored;
    const std::string path = folder + "/config.json";
    if (std::filesystem::exists(folder + "/pack.json", ignored) || !std::filesystem::exists(path, ignored))
        return false;
    const io::Json config = io::Json::load(path);
    return config.has("model_type") && config.at("model_type").string() == "blip-2";
}

void describe_blip2(const std::string &folder, Verdict &verdict) {
    print_line("kind", "BLIP-2");
    verdict.check([&] {
        const io::Json json = io::Json::load(folder + "/config.json");
        const nn::Blip2Config config(json);
        print_line("pictures", std::to_string(config.vision.image_size) + " x " + std::to_string(config.vision.image_size) + ", " +
                                   plural(static_cast<uint64_t>(config.queries), "token"));
        print_line("language", "OPT, " + plural(static_cast<uint64_t>(config.text.layers), "layer") + ", width " +
                                   std::to_string(config.text.width));
        print_line("license", "noncommercial: OPT's own licence, whatever the folder's card says");
        const nn::WeightSource source = nn::WeightSource::from_folder(folder);
        nn::Blip2Model model(json, source);
        model.check(source);
        const auto parameters = static_cast<uint64_t>(model.parameter_count());
        print_line("weights", count_text(parameters) + " parameters, " + bytes_text(4 * parameters) + " in float32, about " +
                                  bytes_text(2 * parameters) + " in bfloat16");
    });
    verdict.check([&] {
        print_line("tokenizer", plural(static_cast<uint64_t>(nn::ByteLevelTokenizer(folder).size()), "token") + ", bytes");
    });
    if (verdict.code() == AIANIME_OK)
        print_line("fits", "auto_caption blip2 of a template, as caption_model");
}

} // namespace aianime::tools
