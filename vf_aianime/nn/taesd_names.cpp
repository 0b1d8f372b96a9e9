// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/taesd_names.h"

#include <filesystem>

#include "io/error.h"

namespace aianime::nn {

namespace {

bool starts_with(const std::string &text, const std::string &start) { return text.compare(0, start.size(), start) == 0; }

// "3.conv.0.weight" -> "2.conv.0.weight" for shift -1.
std::string shifted(const std::string &name, int shift) {
    const size_t dot = name.find('.');
    const std::string number = name.substr(0, dot);
    if (dot == std::string::npos || number.empty() || number.size() > 3 ||
        number.find_first_not_of("0123456789") != std::string::npos)
        return name;
    return std::to_string(std::stoi(number) + shift) + name.substr(dot);
}

void add_stack(const WeightSource &source, const std::string &prefix, const std::string &stack, int shift,
               std::map<std::string, WeightView> &views) {
    for (const std::string &name : source.names())
        if (starts_with(name, prefix))
            views[stack + ".layers." + shifted(name.substr(prefix.size()), shift)] = {name, source.shape(name)};
}

} // namespace

std::map<std::string, WeightView> taesd_views(const WeightSource &source) {
    std::map<std::string, WeightView> views;
    if (source.has("encoder.layers.1.conv.0.weight") && source.has("decoder.layers.0.weight")) {
        add_stack(source, "encoder.layers.", "encoder", 0, views);
        add_stack(source, "decoder.layers.", "decoder", 0, views);
        return views;
    }
    for (const std::string name : {"", "taesd_"})
        if (source.has(name + "encoder.1.conv.0.weight") && source.has(name + "decoder.1.weight")) {
            add_stack(source, name + "encoder.", "encoder", 0, views);
            add_stack(source, name + "decoder.", "decoder", -1, views);
            return views;
        }
    return views;
}

WeightSource with_taesd_partner(WeightSource source, const std::string &path) {
    const bool encoder = source.has("0.weight") && source.has("1.conv.0.weight");
    const bool decoder = source.has("1.weight") && source.has("3.conv.0.weight");
    if (!encoder && !decoder)
        return source;
    const std::string own = encoder ? "encoder" : "decoder", other = encoder ? "decoder" : "encoder";
    const std::filesystem::path file(path);
    std::string name = file.filename().string();
    const size_t at = name.rfind(own);
    if (at != std::string::npos)
        name.replace(at, own.size(), other);
    const std::string partner = (file.parent_path() / name).string();
    std::error_code ignored;
    if (at == std::string::npos || !std::filesystem::exists(partner, ignored))
        throw Error(AIANIME_NOT_FOUND, path + ": the " + own + " of a tiny autoencoder; its " + other +
                                           " must lie beside it under the same name with \"" + other + "\" for \"" + own + "\"");
    return source.joined(own + ".", WeightSource::from_file(partner), other + ".");
}

} // namespace aianime::nn
