// SPDX-License-Identifier: LGPL-2.1-or-later
// What lies in the model folders, one line each.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "io/error.h"
#include "io/manifest.h"
#include "io/pack.h"
#include "io/paths.h"
#include "io/text.h"
#include "tools/licence_text.h"
#include "tools/report.h"
#include "tools/verbs.h"
#include "tools/weight_kind.h"

namespace aianime::tools {

namespace fs = std::filesystem;

namespace {

struct Row {
    std::string name, kind, precision, size, license, problem;
};

bool holds(const fs::path &folder, const char *name) {
    std::error_code ignored;
    return fs::exists(folder / name, ignored);
}

bool is_pack(const fs::path &folder) {
    return holds(folder, "pack.json") || holds(folder, "model_index.json") || holds(folder / "unet", "config.json");
}

bool is_pickle(const fs::path &path) {
    const std::string ending = path.extension().string();
    return ending == ".ckpt" || ending == ".pt" || ending == ".pth" || ending == ".bin";
}

uint64_t bytes_below(const fs::path &folder) {
    uint64_t total = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (std::error_code unreadable; entry->is_regular_file(unreadable))
            total += entry->file_size(unreadable);
    return total;
}

// "F16", "F16 + F32".
std::string precision_of(const io::SafetensorsFile &file) {
    std::set<std::string> types;
    for (const auto &entry : file.tensors())
        if (const std::string type = io::dtype_name(entry.second.dtype); type[0] == 'F' || type[0] == 'B')
            types.insert(type);
    std::string text;
    for (const std::string &type : types)
        text += (text.empty() ? "" : " + ") + type;
    return text;
}

void fill_pack(Row &row, const fs::path &path) {
    const io::Pack pack = io::load_pack(path.string());
    row.kind = holds(path, "pack.json") ? "pack" : "diffusers folder";
    row.size = bytes_text(bytes_below(path));
    const io::LicenseClass license = io::class_of_license(pack.license);
    row.license =
        pack.license.empty() || license == io::LicenseClass::noncommercial ? io::to_string(license) : io::printable(pack.license);
}

void fill_weights(Row &row, const fs::path &path, const io::Manifest &manifest) {
    const io::SafetensorsFile file(path.string());
    const WeightKind kind = weight_kind(file);
    row.kind = kind.kind + (kind.dialect.empty() ? "" : " (" + kind.dialect + ")");
    row.precision = precision_of(file);
    row.size = bytes_text(file.bytes());
    row.license = io::to_string(licence_of(file, manifest).license_class);
    if (kind.fits.compare(0, 8, "not read") == 0)
        row.problem = kind.fits;
}

class Listing {
public:
    explicit Listing(const io::Manifest &manifest) : manifest_(manifest) {}

    // A pack is one model; what lies in other folders is listed file by file.
    void add_folder(const fs::path &folder, const std::string &prefix) {
        if (!seen_.insert(io::real_path(folder.string())).second) // a link that leads back
            return;
        std::vector<fs::path> entries;
        std::error_code error;
        for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
            entries.push_back(entry->path());
        std::sort(entries.begin(), entries.end());
        for (const fs::path &path : entries)
            add(path, prefix + path.filename().string());
    }

    const std::vector<Row> &rows() const { return rows_; }

private:
    void add(const fs::path &path, const std::string &name) {
        Row row{io::printable(name), "", "", "", "", ""};
        try {
            if (io::is_folder(path.string())) {
                if (!is_pack(path))
                    return add_folder(path, name + "/");
                fill_pack(row, path);
            } else if (path.extension() == ".safetensors") {
                fill_weights(row, path, manifest_);
            } else if (is_pickle(path)) {
                row.kind = "pickle";
                row.problem = "never opened; convert it with tools/convert_pickle.py (aianime info tells the command)";
            } else {
                return;
            }
        } catch (const Error &failure) {
            row.kind = row.kind.empty() ? "unusable" : row.kind;
            row.problem = failure.what();
        }
        rows_.push_back(row);
    }

    const io::Manifest &manifest_;
    std::set<std::string> seen_;
    std::vector<Row> rows_;
};

void print_rows(const std::vector<Row> &rows) {
    size_t name = 0, kind = 0, precision = 0, size = 0;
    for (const Row &row : rows) {
        name = std::max(name, row.name.size());
        kind = std::max(kind, row.kind.size());
        precision = std::max(precision, row.precision.size());
        size = std::max(size, row.size.size());
    }
    const auto width = [](size_t columns) { return static_cast<int>(columns); };
    for (const Row &row : rows) {
        std::printf("  %-*s  %-*s  %-*s  %*s  %s\n", width(name), row.name.c_str(), width(kind), row.kind.c_str(), width(precision),
                    row.precision.c_str(), width(size), row.size.c_str(), row.license.c_str());
        if (!row.problem.empty())
            print_problem(row.problem);
    }
}

int run_models(const Arguments &arguments) {
    if (!arguments.empty())
        throw Error(AIANIME_INVALID, "models: takes no arguments");
    const io::Manifest manifest = io::Manifest::shipped();
    size_t found = 0;
    for (const std::string &folder : io::model_folders()) {
        if (!io::is_folder(folder))
            continue;
        Listing listing(manifest);
        listing.add_folder(folder, "");
        found += listing.rows().size();
        std::printf("%s%s\n", io::printable(folder, 4096).c_str(), listing.rows().empty() ? ": nothing" : "");
        print_rows(listing.rows());
    }
    if (found == 0)
        throw Error(AIANIME_NOT_FOUND,
                    "models: nothing in " + io::joined(io::model_folders()) + "; name their folder with AIANIME_MODELS");
    return AIANIME_OK;
}

} // namespace

const Verb models_verb = {
    "models", "what lies in the model folders: kind, precision, size, licence",
    "usage: aianime models\n\n"
    "Lists packs, diffusers folders and weight files below each model folder (AIANIME_MODELS, the installed one, the source\n"
    "tree) under the names that a template gives them. Files are told by their tensors. The last column is the licence or its\n"
    "class: commercial, noncommercial or unknown. A line with ! says why a file is not read. `aianime info FILE` tells more.\n",
    run_models};

} // namespace aianime::tools
