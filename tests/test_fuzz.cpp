// SPDX-License-Identifier: LGPL-2.1-or-later
// The fuzz target without a fuzzer: the corpus, every cut of its files, and mutations of them by a fixed seed (reliability A32).
#include "support.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <vector>

#include "fuzz/safetensors_target.h"
#include "io/file.h"

namespace {

void feed(const std::string &bytes) { fuzz::safetensors(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()); }

std::vector<std::string> corpus() {
    std::vector<std::string> paths, files;
    for (const auto &entry : std::filesystem::directory_iterator(tests_folder() + "/fuzz/corpus"))
        paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    for (const std::string &path : paths)
        files.push_back(aianime::io::read_file(path, 65536));
    ck_assert_uint_ge(files.size(), 20);
    return files;
}

} // namespace

AIANIME_TEST(corpus_and_its_cuts) {
    for (const std::string &file : corpus()) {
        feed(file);
        for (size_t size = 0; size < file.size(); size += 1 + file.size() / 200)
            feed(file.substr(0, size));
    }
}

AIANIME_TEST(a32_crossed_and_mutated) {
    const std::vector<std::string> files = corpus();
    std::mt19937 random(32);
    for (int run = 0; run < 5000; run++) {
        std::string bytes = files[random() % files.size()];
        const std::string &other = files[random() % files.size()];
        if (bytes.empty() || other.empty())
            continue;
        const size_t at = random() % bytes.size();
        if (random() % 2)
            bytes.replace(at, random() % 9, other.substr(random() % other.size(), random() % 40));
        else
            bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
        feed(bytes);
    }
}

int main() { return run_suite("fuzz", {corpus_and_its_cuts, a32_crossed_and_mutated}); }
