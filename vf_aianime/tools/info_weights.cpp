// SPDX-License-Identifier: LGPL-2.1-or-later
#include <map>
#include <string>

#include "include/aianime.h"
#include "io/file.h"
#include "io/finite.h"
#include "io/safetensors.h"
#include "io/text.h"
#include "tools/info.h"
#include "tools/licence_text.h"
#include "tools/report.h"
#include "tools/weight_kind.h"

namespace aianime::tools {

namespace {

constexpr size_t most_shown = 12;

struct Sum {
    uint64_t tensors = 0;
    uint64_t parameters = 0;
    uint64_t bytes = 0;

    void add(const io::TensorInfo &info) {
        tensors++;
        parameters += info.bytes / static_cast<uint64_t>(io::dtype_size(info.dtype));
        bytes += info.bytes;
    }
    std::string text() const {
        return plural(tensors, "tensor") + ", " + count_text(parameters) + " parameters, " + bytes_text(bytes);
    }
};

void print_sums(const char *label, const std::map<std::string, Sum> &sums) {
    size_t shown = 0;
    for (const auto &[name, sum] : sums)
        if (shown++ < most_shown)
            print_line(shown == 1 ? label : "", io::printable(name) + ": " + sum.text());
    if (sums.size() > most_shown)
        print_line("", "and " + std::to_string(sums.size() - most_shown) + " more");
}

void check_numbers(Verdict &verdict, const io::SafetensorsFile &file) {
    size_t bad = 0;
    std::string first;
    for (const auto &entry : file.tensors())
        if (io::has_not_finite(file, entry.first) && bad++ == 0)
            first = entry.first;
    if (bad)
        verdict.fail(AIANIME_NOT_FINITE,
                     plural(bad, "tensor") + " with values that are not finite, the first is " + io::printable(first),
                     "fetch the file again; if it is as it was published, it needs another precision or is broken");
}

} // namespace

int describe_weights(const std::string &path) {
    const io::SafetensorsFile file(path);
    Verdict verdict;
    Sum all;
    std::map<std::string, Sum> by_type, by_part;
    for (const auto &[name, info] : file.tensors()) {
        all.add(info);
        by_type[io::dtype_name(info.dtype)].add(info);
        by_part[name.substr(0, name.find('.'))].add(info);
    }
    const WeightKind kind = weight_kind(file);
    const std::string hash = io::sha256_of_file(path);
    print_line("file", io::printable(path) + ", safetensors, complete");
    print_line("kind", kind.kind);
    if (!kind.dialect.empty())
        print_line("dialect", kind.dialect);
    print_sums("precision", by_type);
    verdict.check([&] { print_line("license", licence_of(file, io::Manifest::shipped(), hash).text); });
    print_line("fits", kind.fits);
    print_line("holds", all.text());
    print_sums("parts", by_part);
    size_t shown = 0;
    for (const auto &[key, value] : file.metadata())
        if (shown++ < most_shown)
            print_line(shown == 1 ? "metadata" : "", io::printable(key) + ": " + io::printable(value, 80));
    print_line("sha256", hash);
    check_numbers(verdict, file);
    return verdict.code();
}

} // namespace aianime::tools
