// SPDX-License-Identifier: LGPL-2.1-or-later
// Weight files, good ones and those of a stranger: reliability cases A1 to A19, A25 to A28, A30, A32.
#include "support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <random>

#include "io/safetensors.h"
#include "io/sha256.h"

using aianime::io::DType;
using aianime::io::SafetensorsFile;

// Every allocation of this program goes through here, so that a test can let the n-th one fail.
static int allocations_left = -1;

void *operator new(size_t bytes) {
    if (allocations_left >= 0 && allocations_left-- == 0)
        throw std::bad_alloc();
    if (void *memory = std::malloc(bytes ? bytes : 1))
        return memory;
    throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

namespace {

std::string length_field(uint64_t length) {
    std::string bytes;
    for (int i = 0; i < 8; i++)
        bytes += static_cast<char>(length >> (8 * i));
    return bytes;
}

std::string with_header(const std::string &header, size_t data_bytes) {
    std::string data;
    for (size_t i = 0; i < data_bytes; i++)
        data += static_cast<char>(i);
    return length_field(header.size()) + header + data;
}

// One tensor "a" of 16 bytes whose description is `fields`.
std::string one(const std::string &fields) { return with_header("{\"a\":{" + fields + "}}", 16); }

const char *const two_tensors = R"({"__metadata__":{"format":"pt"},)"
                                R"("a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                                R"("b":{"dtype":"BF16","shape":[4],"data_offsets":[16,24]}})";

void expect_refused(const std::string &bytes, aianime_result code, const char *part) {
    const TempFolder folder;
    write_file(folder.path("x.safetensors"), bytes);
    expect_error([&] { SafetensorsFile(folder.path("x.safetensors")); }, code, part);
}

void expect_bad(const std::string &bytes, const char *part) { expect_refused(bytes, AIANIME_BAD_DATA, part); }

} // namespace

AIANIME_TEST(reads_a_good_file) {
    const TempFolder folder;
    write_file(folder.path("m"), with_header(two_tensors, 24));
    const SafetensorsFile file(folder.path("m"));
    ck_assert_uint_eq(file.tensors().size(), 2);
    ck_assert_str_eq(file.metadata().at("format").c_str(), "pt");
    const auto &a = file.tensors().at("a.weight");
    ck_assert(a.dtype == DType::f32 && a.shape == std::vector<int64_t>({2, 2}) && a.bytes == 16);
    uint8_t bytes[8];
    file.read("b", bytes);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(bytes[i], 16 + i);
    ck_assert_str_eq(aianime::io::dtype_name(DType::bf16), "BF16");
    ck_assert_int_eq(aianime::io::dtype_size(DType::i64), 8);
}

AIANIME_TEST(reads_unusual_good_headers) {
    const TempFolder folder;
    write_file(folder.path("pad"),
               with_header(std::string("{ \"a\" : {\"shape\":[] ,\"data_offsets\":[0,8],\"dtype\":\"I64\"} }   \n"), 8));
    ck_assert(SafetensorsFile(folder.path("pad")).tensors().at("a").shape.empty());
    write_file(folder.path("empty"), with_header("{}", 0));
    ck_assert(SafetensorsFile(folder.path("empty")).tensors().empty());
    write_file(folder.path("order"), with_header(R"({"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]},)"
                                                 R"("\u0061\ud83d\ude00":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})",
                                                 4));
    ck_assert_uint_eq(SafetensorsFile(folder.path("order")).tensors().count("a\xF0\x9F\x98\x80"), 1);
}

// A length of 640 is written "\x80\x02", which is also how a pickle begins.
AIANIME_TEST(length_like_a_pickle_is_read) {
    std::string header = two_tensors;
    header.resize(640, ' ');
    const TempFolder folder;
    write_file(folder.path("m"), with_header(header, 24));
    ck_assert_uint_eq(SafetensorsFile(folder.path("m")).tensors().size(), 2);
}

AIANIME_TEST(a1_what_is_no_file) {
    const TempFolder folder;
    expect_error([&] { SafetensorsFile(folder.path("none")); }, AIANIME_NOT_FOUND, "none");
    expect_error([&] { SafetensorsFile(folder.path("none/x")); }, AIANIME_NOT_FOUND, "none/x");
    expect_error([&] { SafetensorsFile(folder.path()); }, AIANIME_BAD_DATA, "a folder");
    ck_assert_int_eq(mkfifo(folder.path("fifo").c_str(), 0600), 0);
    alarm(5); // opening a pipe must not wait for its other end
    expect_error([&] { SafetensorsFile(folder.path("fifo")); }, AIANIME_BAD_DATA, "a pipe");
    alarm(0);
    expect_error([&] { SafetensorsFile("/dev/zero"); }, AIANIME_BAD_DATA, "device");
    expect_error([&] { SafetensorsFile(std::string("a\0b", 3)); }, AIANIME_FORBIDDEN, "NUL");
}

AIANIME_TEST(a1_no_permission) {
    const TempFolder folder;
    write_file(folder.path("m"), with_header(two_tensors, 24));
    ck_assert_int_eq(chmod(folder.path().c_str(), 0755), 0);
    ck_assert_int_eq(chmod(folder.path("m").c_str(), 0), 0);
    const bool root = geteuid() == 0;
    if (root)
        ck_assert_int_eq(seteuid(65534), 0);
    expect_error([&] { SafetensorsFile(folder.path("m")); }, AIANIME_FORBIDDEN, "ermission");
    if (root)
        ck_assert_int_eq(seteuid(0), 0);
}

AIANIME_TEST(a2_too_small) {
    for (size_t bytes = 0; bytes < 8; bytes++)
        expect_bad(std::string(bytes, 'x'), "too small");
}

AIANIME_TEST(a3_header_length) {
    const std::string rest = with_header(two_tensors, 24).substr(8);
    const uint64_t file_size = rest.size() + 8;
    for (uint64_t length : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 63, UINT64_MAX})
        expect_bad(length_field(length) + rest, "not a safetensors file");
    expect_bad(length_field(file_size + 1) + rest, "incomplete file");
    expect_bad(length_field(file_size - 7) + rest, "incomplete file");
}

AIANIME_TEST(a4_header_above_the_limit) {
    const TempFolder folder;
    for (uint64_t length : {(uint64_t{16} << 20) + 1, uint64_t{100000001}}) {
        write_file(folder.path("m"), length_field(length) + "{");
        ck_assert_int_eq(truncate(folder.path("m").c_str(), static_cast<off_t>(length + 8)), 0);
        expect_error([&] { SafetensorsFile(folder.path("m")); }, AIANIME_BAD_DATA, "not a safetensors file");
    }
}

AIANIME_TEST(a5_header_is_no_json) {
    expect_bad(with_header("{\"a\xff\":1}", 0), "UTF-8");
    expect_bad(with_header("{hello}", 0), "unexpected");
    expect_bad(with_header("[1,2]", 0), "not a safetensors file");
    for (size_t cut = 2; cut < std::strlen(two_tensors); cut++)
        expect_bad(with_header(std::string(two_tensors).substr(0, cut), 24), "header: line 1");
    expect_bad(with_header(std::string("{}\0", 3), 0), "unexpected");
    expect_bad(with_header("{} x", 0), "unexpected");
    expect_bad(with_header("{\"a\":{}}", 0), "all needed");
    expect_bad(with_header("{\"a\":3}", 0), "unexpected");
}

AIANIME_TEST(a6_too_many_tensors) {
    std::string header;
    for (int i = 0; i < 100000; i++)
        header += (i ? ",\"t" : "{\"t") + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[" +
                  std::to_string(i) + "," + std::to_string(i + 1) + "]}";
    expect_bad(with_header(header + "}", 100000), "20000");
}

AIANIME_TEST(a7_deep_nesting) {
    expect_bad(with_header("{\"a\":" + std::string(1000, '{'), 0), "column");
    expect_bad(with_header("{\"a\":{\"shape\":" + std::string(1000, '['), 0), "column");
    expect_bad(with_header("{\"__metadata__\":{\"x\":" + std::string(1000, '['), 0), "column");
}

AIANIME_TEST(a8_duplicates) {
    const std::string a = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
    expect_bad(with_header("{" + a + "," + a + "}", 1), "\"a\" is there twice");
    expect_bad(with_header("{" + a + R"(,"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2), "twice");
    expect_bad(with_header(R"({"__metadata__":{},"__metadata__":{}})", 0), "twice");
    expect_bad(with_header(R"({"__metadata__":{"k":"1","k":"2"}})", 0), "twice");
    expect_bad(with_header(R"({"__metadata__":{"k":1}})", 0), "unexpected");
    expect_bad(one(R"("dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16])"), "twice");
    expect_bad(one(R"("dtype":"F32","shape":[4],"data_offsets":[0,16],"extra":1)"), "unknown key");
}

AIANIME_TEST(a9_offsets_of_the_wrong_kind) {
    for (const char *offsets :
         {"[-1,15]", "[0.0,16]", "[\"0\",\"16\"]", "[0,16,16]", "[0]", "[]", "16", "null", "[0,1e1]", "[00,16]"})
        expect_bad(one(std::string(R"("dtype":"F32","shape":[4],"data_offsets":)") + offsets), "column");
    expect_bad(one(R"("dtype":"F32","shape":[4],"data_offsets":[16,0])"), "reversed");
    expect_bad(one(R"("dtype":"F32","shape":[4])"), "all needed");
    expect_bad(one(R"("dtype":"F32","shape":[4],"data_offsets":[0,18446744073709551616])"), "too large");
}

AIANIME_TEST(a10_overlap_and_holes) {
    const auto pair = [](int begin, int end) {
        return with_header(
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[)" +
                std::to_string(begin) + "," + std::to_string(end) + "]}}",
            8);
    };
    const TempFolder folder;
    write_file(folder.path("m"), pair(4, 8));
    ck_assert_uint_eq(SafetensorsFile(folder.path("m")).tensors().size(), 2);
    expect_bad(pair(3, 7), "overlap");
    expect_bad(pair(0, 4), "overlap");
    expect_bad(pair(5, 9), "a hole");
    expect_bad(with_header(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[1,5]}})", 5), "a hole");
}

AIANIME_TEST(a11_a12_a13_end_of_the_data) {
    const std::string good = with_header(two_tensors, 24);
    for (size_t size : {good.size() / 10, good.size() / 2, good.size() * 99 / 100, good.size() - 1, size_t{9}})
        expect_bad(good.substr(0, size), "incomplete file");
    expect_bad(good.substr(0, 8), "not a safetensors file");
    expect_bad(good + "x", "bytes after the last tensor");
    expect_bad(with_header("{}", 1), "bytes after the last tensor");
}

AIANIME_TEST(a14_a15_a16_a17_shapes) {
    const auto shaped = [](const std::string &shape) { return one(R"("dtype":"F32","data_offsets":[0,16],"shape":)" + shape); };
    expect_bad(shaped("[5]"), "need 20 bytes");
    expect_bad(shaped("[]"), "need 4 bytes");
    expect_bad(shaped("[4294967296,4294967296]"), "above 2^31");
    expect_bad(shaped("[4194305,4194305,211106198978564]"), "above 2^31");
    // In 64 bits these are 0 and 16 bytes.
    expect_bad(shaped("[1073741824,1073741824,16]"), "larger than any file");
    expect_bad(shaped("[2147418113,1718039348,5]"), "larger than any file");
    expect_bad(shaped("[-4]"), "unexpected");
    expect_bad(shaped("[9223372036854775808]"), "above 2^31");
    expect_bad(shaped("[1,1,1,1,1,1,1,1,4]"), "more than 8");
    expect_bad(shaped("4"), "unexpected");
}

AIANIME_TEST(a18_zero_size) {
    expect_bad(with_header(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0), "dimension is 0");
}

AIANIME_TEST(a19_dtypes) {
    for (const char *dtype : {"F64", "F8_E4M3", "F4", "f32", "", "I16"})
        expect_bad(one("\"dtype\":\"" + std::string(dtype) + R"(","shape":[4],"data_offsets":[0,16])"),
                   ("dtype \"" + std::string(dtype) + "\"").c_str());
    expect_bad(one(R"("dtype":7,"shape":[4],"data_offsets":[0,16])"), "unexpected");
}

AIANIME_TEST(names_are_bounded) {
    const auto named = [](const std::string &name) {
        return with_header("{\"" + name + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
    };
    const TempFolder folder;
    write_file(folder.path("m"), named(std::string(512, 'n')));
    ck_assert_uint_eq(SafetensorsFile(folder.path("m")).tensors().size(), 1);
    expect_bad(named(std::string(513, 'n')), "tensor name");
    expect_bad(named(""), "tensor name");
    expect_bad(named("a\\u0001"), "tensor name");
    expect_bad(named("a\\u0000"), "NUL");
    expect_bad(named("a\\ud800"), "surrogate");
    expect_bad(named("a\nb"), "control byte");
}

AIANIME_TEST(a25_a26_a27_formats_with_code) {
    const TempFolder folder;
    const std::string marker = folder.path("marker");
    const std::string pickle0 = "cposix\nsystem\n(S'touch " + marker + "'\ntR.";
    expect_refused("\x80\x02" + pickle0, AIANIME_FORBIDDEN, "a Python pickle");
    expect_refused("\x80\x04\x95" + std::string(20, '\0'), AIANIME_FORBIDDEN, "a Python pickle");
    expect_refused(pickle0, AIANIME_FORBIDDEN, "a Python pickle");
    ck_assert_int_ne(access(marker.c_str(), F_OK), 0);
    expect_refused("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.", AIANIME_FORBIDDEN,
                   "a PyTorch pickle of the old kind");

    const std::string entry = std::string("PK\x03\x04\x14\0\0\0\0\0", 10) + std::string(20, '\0');
    expect_refused(entry + "archive/data.pkl" + std::string(200, 'z'), AIANIME_FORBIDDEN, "a PyTorch pickle in a zip");
    expect_refused(entry + "m/data.pkl" + std::string(200000, 'z') + "m/code/__torch__.py", AIANIME_FORBIDDEN, "TorchScript");
    expect_refused(entry + "bomb.bin" + std::string(1000, 'z'), AIANIME_FORBIDDEN, "a zip archive");
    expect_refused(std::string("PK\x05\x06", 4) + std::string(18, '\0'), AIANIME_FORBIDDEN, "convert_pickle.py /tmp");
}

AIANIME_TEST(a28_files_that_are_no_weights) {
    expect_bad("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull");
    expect_bad("\n<!DOCTYPE html><html><body>404</body></html>", "a web page");
    expect_bad("<HTML><body>Access denied</body></html>", "a web page");
    expect_bad("{\"error\": \"not found\"}", "a JSON text");
    expect_bad("GGUF" + std::string(40, '\x03'), "GGUF");
    expect_bad(std::string(100, 'z'), "not a safetensors file");
}

AIANIME_TEST(a30_cut_while_it_is_read) {
    const TempFolder folder;
    write_file(folder.path("m"), with_header(two_tensors, 24));
    const SafetensorsFile file(folder.path("m"));
    // Another file under the name does not matter: the open one is read.
    std::filesystem::rename(folder.path("m"), folder.path("old"));
    write_file(folder.path("m"), std::string(500, 'q'));
    uint8_t bytes[16];
    file.read("a.weight", bytes);
    ck_assert_int_eq(bytes[15], 15);
    ck_assert_int_eq(truncate(folder.path("old").c_str(), 100), 0);
    expect_error([&] { file.read("b", bytes); }, AIANIME_BAD_DATA, "incomplete file");
}

// Headers with a few bytes changed, added or taken away: an Error or a file that reads, nothing else.
AIANIME_TEST(a32_mutated_headers) {
    const TempFolder folder;
    const std::string path = folder.path("m"), good = with_header(two_tensors, 24);
    std::mt19937 random(7);
    int accepted = 0;
    for (int run = 0; run < 1000; run++) {
        std::string bytes = good;
        for (unsigned change = 0; change <= random() % 4; change++) {
            const size_t at = random() % bytes.size();
            switch (random() % 4) {
            case 0:
                bytes[at] = static_cast<char>(random());
                break;
            case 1:
                bytes[at] = "{}[]\",:0919eE.-\\u"[random() % 17];
                break;
            case 2:
                bytes.erase(at, 1 + random() % 3);
                break;
            default:
                bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 16));
            }
        }
        write_file(path, bytes);
        try {
            const SafetensorsFile file(path);
            for (const auto &[name, info] : file.tensors()) {
                std::string out(info.bytes, '\0');
                file.read(name, out.data());
            }
            accepted++;
        } catch (const aianime::Error &error) {
            ck_assert(error.code() == AIANIME_BAD_DATA || error.code() == AIANIME_FORBIDDEN);
        }
    }
    ck_assert_int_lt(accepted, 500); // changes of data bytes and of names are no fault
}

// Whichever allocation fails, the caller hears of it, and nothing is leaked (the sanitizer build sees that) or left open.
AIANIME_TEST(a32_failing_allocations) {
    const TempFolder folder;
    const std::string good = folder.path("good"), bad = folder.path("bad"), pickle = folder.path("pickle");
    write_file(good, with_header(two_tensors, 24));
    write_file(bad, with_header("{\"a\": 1}", 4));
    write_file(pickle, "\x80\x02}.");
    int succeeded = 0;
    for (int n = 0; n < 300; n++)
        for (const std::string &path : {good, bad, pickle}) {
            try {
                allocations_left = n;
                const SafetensorsFile file(path);
                succeeded++;
            } catch (const std::bad_alloc &) {
            } catch (const aianime::Error &) {
            }
            allocations_left = -1;
        }
    ck_assert_int_gt(succeeded, 100);
    ck_assert_int_lt(succeeded, 299);
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_lt(fd, 16); // 900 descriptors would be open otherwise
    close(fd);
}

// FIPS 180-4 examples, and a message fed in pieces of every size around a block.
AIANIME_TEST(sha256_vectors) {
    const auto sum = [](const std::string &text) {
        aianime::io::Sha256 sha;
        sha.update(text.data(), text.size());
        return sha.hex();
    };
    ck_assert(sum("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert(sum("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert(sum("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    const std::string million(1000000, 'a');
    ck_assert(sum(million) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    for (size_t piece : {1, 55, 56, 63, 64, 65, 127, 4096}) {
        aianime::io::Sha256 sha;
        for (size_t at = 0; at < million.size(); at += piece)
            sha.update(million.data() + at, std::min(piece, million.size() - at));
        ck_assert(sha.hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
    const TempFolder folder;
    write_file(folder.path("m"), million);
    ck_assert(aianime::io::sha256_of_file(folder.path("m")) == sum(million));
}

int main() {
    return run_suite("safetensors", {reads_a_good_file,
                                     reads_unusual_good_headers,
                                     length_like_a_pickle_is_read,
                                     a1_what_is_no_file,
                                     a1_no_permission,
                                     a2_too_small,
                                     a3_header_length,
                                     a4_header_above_the_limit,
                                     a5_header_is_no_json,
                                     a6_too_many_tensors,
                                     a7_deep_nesting,
                                     a8_duplicates,
                                     a9_offsets_of_the_wrong_kind,
                                     a10_overlap_and_holes,
                                     a11_a12_a13_end_of_the_data,
                                     a14_a15_a16_a17_shapes,
                                     a18_zero_size,
                                     a19_dtypes,
                                     names_are_bounded,
                                     a25_a26_a27_formats_with_code,
                                     a28_files_that_are_no_weights,
                                     a30_cut_while_it_is_read,
                                     a32_mutated_headers,
                                     a32_failing_allocations,
                                     sha256_vectors});
}
