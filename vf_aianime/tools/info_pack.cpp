// SPDX-License-Identifier: LGPL-2.1-or-later
#include <filesystem>
#include <string>

#include "diffusion/scheduler.h"
#include "include/aianime.h"
#include "io/error.h"
#include "io/json.h"
#include "io/pack.h"
#include "io/text.h"
#include "nn/aten.h"
#include "nn/weights.h"
#include "pipeline/models.h"
#include "tools/info.h"
#include "tools/report.h"

namespace aianime::tools {

namespace fs = std::filesystem;

namespace {

// "UNet2DConditionModel".
std::string class_of(const io::Json &config) {
    if (config.has("_class_name"))
        return config.at("_class_name").string();
    if (config.has("architectures") && config.at("architectures").size() > 0)
        return config.at("architectures").at(0).string();
    return "class not named";
}

uint64_t parameters_in(const std::string &folder) {
    const nn::WeightSource source = nn::WeightSource::from_folder(folder);
    uint64_t total = 0;
    for (const std::string &name : source.names()) {
        uint64_t count = 1;
        for (int64_t side : source.shape(name))
            count *= static_cast<uint64_t>(side);
        total += count;
    }
    return total;
}

uint64_t bytes_in(const std::string &folder) {
    uint64_t total = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (std::error_code unreadable; entry->is_regular_file(unreadable))
            total += entry->file_size(unreadable);
    return total;
}

uint64_t print_network(Verdict &verdict, const std::string &folder, const std::string &part) {
    uint64_t parameters = 0;
    verdict.check([&] {
        const std::string name = class_of(io::Json::load(folder + "/" + part + "/config.json"));
        parameters = parameters_in(folder + "/" + part);
        print_line(part, io::printable(name) + ", " + count_text(parameters) + " parameters, " +
                             bytes_text(bytes_in(folder + "/" + part)));
    });
    return parameters;
}

void print_manifest(const io::Pack &pack) {
    print_line("pack", io::printable(pack.name) + ", " + io::printable(pack.folder));
    if (!pack.description.empty())
        print_line("description", io::printable(pack.description));
    print_line("license", pack.license.empty() ? "not stated (no pack.json)" : io::printable(pack.license));
    print_line("defaults", plural(static_cast<uint64_t>(pack.steps), "step") + ", guidance " + number_text(pack.guidance) +
                               ", strength " + number_text(pack.strength) +
                               (pack.noise_offset > 0 ? ", noise offset " + number_text(pack.noise_offset) : "") + ", size " +
                               std::to_string(pack.size) +
                               (pack.scheduler.empty() ? "" : ", scheduler " + io::printable(pack.scheduler)));
}

void print_hashes(Verdict &verdict, const io::Pack &pack) {
    if (pack.files.empty())
        return print_line("hashes", "none listed");
    verdict.check([&] {
        io::verify_pack(pack);
        print_line("hashes", plural(pack.files.size(), "file") + ", all as pack.json says");
    });
}

// Goes through all that a run does when it loads the models, on a device that keeps no numbers: names and shapes are compared with
// the configurations, the parts with each other, in memory of one tensor.
void load_everything(const io::Pack &pack) {
    pipeline::Settings settings;
    settings.pack = pack;
    settings.tokenizer = pack.folder + "/tokenizer";
    settings.scheduler = pack.scheduler;
    for (const io::PackControl &control : pack.controls) {
        // What it is shown makes no difference to loading.
        settings.controls.push_back({{}, pack.folder + "/" + control.folder, ""});
    }
    const pipeline::Models models(settings, at::kFloat, at::Device(at::kMeta));
    models.make_scheduler();
    print_line("pictures", "sides are worked on at multiples of " + std::to_string(models.stride()));
}

} // namespace

int describe_pack(const std::string &folder) {
    const io::Pack pack = io::load_pack(folder);
    Verdict verdict;
    print_manifest(pack);
    uint64_t parameters = 0;
    for (const char *part : {"unet", "vae", "text_encoder"})
        parameters += print_network(verdict, folder, part);
    if (fs::exists(folder + "/cfa"))
        parameters += print_network(verdict, folder, "cfa");
    for (const io::PackControl &control : pack.controls)
        parameters += print_network(verdict, folder, control.folder);
    if (pack.controls.empty() && fs::exists(folder + "/controlnet"))
        print_line("controlnet", "there, but unused: without pack.json nobody knows what it is to be shown (docs/models.md)");
    verdict.check([&] {
        print_line("scheduler",
                   io::printable(class_of(diffusion::load_scheduler_json(folder + "/scheduler/scheduler_config.json"))));
    });
    print_line("total", count_text(parameters) + " parameters, " + bytes_text(bytes_in(folder)));
    print_hashes(verdict, pack);
    if (verdict.code() == AIANIME_OK)
        verdict.check([&] { load_everything(pack); });
    print_line("complete", verdict.code() == AIANIME_OK ? "yes, it loads" : "no");
    return verdict.code();
}

} // namespace aianime::tools
