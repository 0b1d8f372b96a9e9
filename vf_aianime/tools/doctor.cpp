// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <sched.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "include/aianime.h"
#include "io/pack.h"
#include "io/paths.h"
#include "io/text.h"
#include "media/process.h"
#include "nn/aten.h"
#include "pipeline/precision.h"
#include "pipeline/settings.h"
#include "pipeline/template_search.h"
#include "tools/report.h"
#include "tools/verbs.h"

namespace aianime::tools {

namespace fs = std::filesystem;

namespace {

constexpr const char *engine_name = "libaianime.so.1";

std::string yes_no(bool yes) { return yes ? "yes" : "no"; }

int usable_cores() {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

void print_processor() {
    const pipeline::CpuFeatures features = pipeline::cpu_features();
    print_line("libtorch", TORCH_VERSION);
    print_line("processor", plural(static_cast<uint64_t>(usable_cores()), "core") + " usable, LibTorch uses " +
                                at::get_cpu_capability() + " and " +
                                plural(static_cast<uint64_t>(at::get_num_threads()), "thread"));
    print_line("bfloat16", "avx512_bf16 " + yes_no(features.avx512_bf16) + ", amx " + yes_no(features.amx_bf16));
    print_line("precision", pipeline::cpu_precision() == at::kBFloat16 ? "bfloat16, the faster one on this processor"
                                                                       : "float32, the faster one on this processor");
}

// This version has no CUDA part; a driver is named so that nobody looks for the reason elsewhere.
void print_device() {
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    print_line("device", driver ? "cpu; an NVIDIA driver is there, but this version does not use it" : "cpu");
    if (driver)
        dlclose(driver);
}

// Where the filter looks too: the environment, ../lib beside the programs, the system's folders.
std::string engine_path() {
    const char *given = std::getenv("AIANIME_ENGINE");
    if (given && *given)
        return given;
    const std::string beside = (fs::path(io::library_folder()).parent_path() / "lib" / engine_name).string();
    std::error_code ignored;
    return fs::exists(beside, ignored) ? beside : engine_name;
}

void check_engine(Verdict &verdict) {
    constexpr const char *mend = "make engine (in the source tree) or make install; or name it with AIANIME_ENGINE=PATH";
    const std::string path = engine_path();
    // Stays open: LibTorch keeps threads that must not lose their code.
    void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        const char *why = dlerror();
        print_line("engine", "not found");
        return verdict.fail(AIANIME_NOT_FOUND, io::printable(why ? why : path), mend);
    }
    const auto get_api = reinterpret_cast<aianime_get_api_fn>(dlsym(library, AIANIME_GET_API_NAME));
    const aianime_api *api = get_api ? get_api(AIANIME_API_VERSION) : nullptr;
    print_line("engine", io::printable(path) + (api ? std::string(", ") + api->version_text() : ""));
    if (!api)
        verdict.fail(AIANIME_INTERNAL, "it has another API version than this command", mend);
}

bool has_filter(const std::string &ffmpeg) {
    return media::output_of({ffmpeg, "-hide_banner", "-h", "filter=aianime"}).rfind("Filter aianime", 0) == 0;
}

void check_ffmpeg(Verdict &verdict) {
    const std::string beside = (fs::path(io::library_folder()) / "ffmpeg").string();
    const std::string in_path = media::find_program("ffmpeg");
    std::string found;
    for (const std::string &ffmpeg : {beside, in_path})
        if (found.empty() && !ffmpeg.empty() && access(ffmpeg.c_str(), X_OK) == 0 && has_filter(ffmpeg))
            found = ffmpeg;
    if (found.empty()) {
        print_line("ffmpeg", "none with the filter");
        const std::string stock = in_path.empty() ? "" : "; " + io::printable(in_path) + " is one without it";
        return verdict.fail(AIANIME_NOT_FOUND, "no ffmpeg beside this command or in PATH has the filter aianime" + stock,
                            "make ffmpeg (in the source tree) or make install");
    }
    const std::string version = media::output_of({found, "-version"});
    print_line("ffmpeg", io::printable(found) + ", " + io::printable(version.substr(0, version.find(" Copyright"))));
    if (!in_path.empty() && in_path != found && !has_filter(in_path))
        print_line("", "the ffmpeg in PATH, " + io::printable(in_path) + ", has no filter aianime: call the one above by its path");
}

// Every template is read and its pack looked up, as a run would.
void check_templates(Verdict &verdict) {
    const std::vector<std::string> paths = pipeline::installed_templates();
    if (paths.empty()) {
        print_line("templates", "none");
        return verdict.fail(AIANIME_NOT_FOUND, "no template in " + io::joined(io::template_folders()),
                            "make install, or name their folder with AIANIME_TEMPLATES");
    }
    for (const std::string &path : paths) {
        print_line(path == paths.front() ? "templates" : "", io::printable(pipeline::template_name(path) + ", " + path));
        verdict.check([&] {
            aianime_settings given = {};
            given.struct_size = sizeof(given);
            given.template_path = path.c_str();
            std::vector<std::string> overrides;
            pipeline::resolve_settings(given, overrides);
        });
    }
}

std::vector<std::string> packs_below(const std::string &folder) {
    std::vector<std::string> packs;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string path = entry->path().string();
        if (!io::find_in({path}, "pack.json").empty() || !io::find_in({path}, "model_index.json").empty())
            packs.push_back(path);
    }
    std::sort(packs.begin(), packs.end());
    return packs;
}

void check_packs(Verdict &verdict) {
    const std::vector<std::string> folders = io::model_folders();
    size_t found = 0;
    for (const std::string &folder : folders)
        for (const std::string &path : packs_below(folder)) {
            print_line(found++ == 0 ? "packs" : "", io::printable(path));
            verdict.check([&] {
                const io::Pack pack = io::load_pack(path);
                print_line("", io::printable(pack.name) + ", license " +
                                   (pack.license.empty() ? "not stated" : io::printable(pack.license)));
            });
        }
    if (found > 0)
        return print_line("", "`aianime info FOLDER` checks one to the last tensor");
    print_line("packs", "none");
    verdict.fail(AIANIME_NOT_FOUND, "no pack in " + io::joined(folders), "make install, or name their folder with AIANIME_MODELS");
}

int run_doctor(const Arguments &arguments) {
    if (!arguments.empty())
        throw Error(AIANIME_INVALID, "doctor: takes no arguments");
    Verdict verdict;
    print_line("version", aianime_get_api(AIANIME_API_VERSION)->version_text());
    print_processor();
    print_device();
    check_engine(verdict);
    check_ffmpeg(verdict);
    check_templates(verdict);
    check_packs(verdict);
    std::printf("\n");
    print_line("all in all",
               verdict.code() == AIANIME_OK ? "everything a run needs is there" : "something is missing, see the lines with !");
    return verdict.code();
}

} // namespace

const Verb doctor_verb = {
    "doctor", "what is installed, which device and precision are used, what is missing and how to mend it",
    "usage: aianime doctor\n\n"
    "Lists LibTorch, processor, precision, device, engine, ffmpeg, templates and packs as a run would find them. A line\n"
    "with ! says what is missing, the line below it how to mend that. The exit status is 0 when nothing is missing.\n",
    run_doctor};

} // namespace aianime::tools
