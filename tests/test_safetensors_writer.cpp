// SPDX-License-Identifier: LGPL-2.1-or-later
// The safetensors writer against files of the safetensors package (tests/golden/make_safetensors.py), its refusals, and that a file
// under its name is always a whole one.
#include "support.h"

#include <csignal>
#include <filesystem>
#include <numeric>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/atomic_file.h"
#include "io/file.h"
#include "io/safetensors_writer.h"

using namespace aianime::io;

namespace {

// Element i is i + 1.
template <typename T>
std::vector<T> counted(size_t count) {
    std::vector<T> values(count);
    std::iota(values.begin(), values.end(), T(1));
    return values;
}

const std::vector<float> floats = counted<float>(6);
const std::vector<uint16_t> halves = {0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600};
const std::vector<uint16_t> brains = {0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0};
const std::vector<int64_t> longs = {1};
const std::vector<int32_t> ints = counted<int32_t>(3);
const std::vector<uint8_t> bytes = counted<uint8_t>(3), flags = {0, 1, 0, 1, 0};

std::map<std::string, TensorData> all_types() {
    return {{"b.weight", {DType::f32, {2, 3}, floats.data()}},
            {"a.weight", {DType::f32, {5}, floats.data()}},
            {"half", {DType::f16, {3, 1, 2}, halves.data()}},
            {"brain", {DType::bf16, {7}, brains.data()}},
            {"long", {DType::i64, {}, longs.data()}},
            {"int", {DType::i32, {3}, ints.data()}},
            {"byte", {DType::u8, {3}, bytes.data()}},
            {"flags", {DType::boolean, {5}, flags.data()}},
            {"quoted \"\\\" \u00e9\u3042", {DType::u8, {1}, bytes.data()}}};
}

std::string golden(const char *name) { return read_file(tests_folder() + "/golden/safetensors/" + name, 65536); }

size_t files_in(const std::string &folder) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

// In a process of its own: Check's own files would be limited too.
bool refuses_on_full_disk(const std::string &path) {
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit small = {64, 64};
        int status = setrlimit(RLIMIT_FSIZE, &small) == 0 ? 1 : 2;
        try {
            write_safetensors(path, all_types());
        } catch (const aianime::Error &error) {
            const bool told = std::string(error.what()).find("cannot be written") != std::string::npos;
            status = error.code() == AIANIME_IO && told ? 0 : 3;
        }
        _exit(status);
    }
    int status = -1;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

AIANIME_TEST(equals_the_package_byte_for_byte) {
    const TempFolder folder;
    write_safetensors(folder.path("m"), all_types(), {{"note", "line\n\"two\" \\ \t\x01 \u00fc"}});
    ck_assert(read_file(folder.path("m"), 65536) == golden("all_types.safetensors"));
    write_safetensors(folder.path("m"), {});
    ck_assert(read_file(folder.path("m"), 65536) == golden("empty.safetensors"));
    ck_assert_uint_eq(files_in(folder.path()), 1);
}

AIANIME_TEST(round_trip) {
    const TempFolder folder;
    const std::map<std::string, std::string> metadata = {{"a", "1"}, {"b\u00e9", "\x1f\x7f"}, {"", ""}};
    write_safetensors(folder.path("m"), all_types(), metadata);
    const SafetensorsFile file(folder.path("m"));
    ck_assert(file.metadata() == metadata);
    ck_assert_uint_eq(file.tensors().size(), 9);
    for (const auto &[name, tensor] : all_types()) {
        const TensorInfo &info = file.tensors().at(name);
        ck_assert(info.dtype == tensor.dtype && info.shape == tensor.shape);
        ck_assert_uint_eq(info.begin % static_cast<uint64_t>(dtype_size(info.dtype)), 0);
        std::string read(info.bytes, '\0');
        file.read(name, read.data());
        ck_assert(read.compare(0, read.size(), static_cast<const char *>(tensor.data), info.bytes) == 0);
    }
}

AIANIME_TEST(refuses_what_the_reader_refuses) {
    const TempFolder folder;
    const std::string path = folder.path("m");
    const auto refused = [&](const std::string &name, std::vector<int64_t> shape, const char *part) {
        expect_error(
            [&] {
                write_safetensors(path, {{name, {DType::u8, std::move(shape), bytes.data()}}});
            },
            AIANIME_BAD_DATA, part);
    };
    refused("", {1}, "tensor name");
    refused(std::string(513, 'n'), {1}, "tensor name");
    refused("a\n", {1}, "tensor name");
    refused("a\xff", {1}, "UTF-8");
    refused("__metadata__", {1}, "unexpected");
    refused("a", {0}, "no shape");
    refused("a", {-1}, "no shape");
    refused("a", {int64_t{1} << 31}, "above 2^31");
    refused("a", {int64_t{1} << 31, int64_t{1} << 31, 4}, "no shape");
    refused("a", {1, 1, 1, 1, 1, 1, 1, 1, 1}, "more than 8");
    std::map<std::string, TensorData> many;
    for (int i = 0; i < 20001; i++)
        many[std::to_string(i)] = {DType::u8, {1}, bytes.data()};
    expect_error([&] { write_safetensors(path, many); }, AIANIME_BAD_DATA, "20000");
    expect_error(
        [&] {
            write_safetensors(path, {}, {{"a", std::string(17 << 20, 'x')}});
        },
        AIANIME_BAD_DATA, "its header would have");
    expect_error([&] { write_safetensors(path, {}, {{"a", std::string(1, '\0')}}); }, AIANIME_BAD_DATA, "NUL");
    ck_assert_uint_eq(files_in(folder.path()), 0);
}

AIANIME_TEST(replaces_whole_files_only) {
    const TempFolder folder;
    write_file(folder.path("m"), "old");
    {
        AtomicFile file(folder.path("m"));
        file.write("new", 3);
        ck_assert(read_file(folder.path("m"), 9) == "old");
        AtomicFile second(folder.path("m")); // of another thread
        second.write("newer", 5);
        second.commit();
        ck_assert(read_file(folder.path("m"), 9) == "newer");
    } // not committed
    ck_assert(read_file(folder.path("m"), 9) == "newer");
    ck_assert_uint_eq(files_in(folder.path()), 1);
    struct stat status = {};
    const mode_t mask = umask(0027);
    AtomicFile file(folder.path("n"));
    umask(mask);
    file.commit();
    ck_assert_int_eq(stat(folder.path("n").c_str(), &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0640);
}

AIANIME_TEST(failures_leave_nothing) {
    const TempFolder folder;
    expect_error([&] { write_safetensors(folder.path("none/m"), {}); }, AIANIME_NOT_FOUND, "none/m: cannot be written");
    std::filesystem::create_directory(folder.path("folder"));
    expect_error([&] { write_safetensors(folder.path("folder"), {}); }, AIANIME_IO, "cannot be put in its place");
    write_file(folder.path("m"), "old");
    ck_assert(refuses_on_full_disk(folder.path("m")));
    ck_assert(read_file(folder.path("m"), 9) == "old");
    ck_assert_uint_eq(files_in(folder.path()), 2);
}

int main() {
    return run_suite("safetensors_writer", {equals_the_package_byte_for_byte, round_trip, refuses_what_the_reader_refuses,
                                            replaces_whole_files_only, failures_leave_nothing});
}
