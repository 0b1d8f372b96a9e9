// SPDX-License-Identifier: LGPL-2.1-or-later
// Captions from a text file.
#include "support.h"

#include "caption/sidecar.h"

using namespace aianime;
using aianime::caption::Sidecar;

namespace {

Sidecar parsed(const std::string &text) { return Sidecar::parse(text, "words.txt"); }

void expect(const Sidecar &sidecar, int shot, double begin, const std::string &words) {
    const std::string found = sidecar.caption(shot, begin);
    ck_assert_msg(found == words, "shot %d at %g: \"%s\", expected \"%s\"", shot, begin, found.c_str(), words.c_str());
}

void refused(const std::string &text, const char *part_of_text) {
    expect_error([&] { parsed(text); }, AIANIME_BAD_DATA, part_of_text);
}

} // namespace

AIANIME_TEST(one_caption_for_all) {
    const Sidecar sidecar = parsed("\xEF\xBB\xBF"
                                   "  a woman in a garden,\r\n\r\n warm light: [soft]\n");
    for (const int shot : {0, 7})
        expect(sidecar, shot, shot * 2.5, "a woman in a garden, warm light: [soft]");
}

AIANIME_TEST(captions_by_time) {
    const Sidecar sidecar = parsed("[2.5] one\n[ 12 ]two \n\n[1:02.25]   three, 3\n[2:00]\n[1:00:02] f\xC3\xBCnf");
    expect(sidecar, 0, 0, "");
    expect(sidecar, 1, 2.4, "");
    expect(sidecar, 1, 2.5, "one");
    expect(sidecar, 1, 2.4995, "one"); // as a report rounds
    expect(sidecar, 1, 11.99, "one");
    expect(sidecar, 2, 12, "two");
    expect(sidecar, 3, 62.25, "three, 3");
    expect(sidecar, 4, 120, "");
    expect(sidecar, 5, 3602, "f\xC3\xBCnf");
    expect(sidecar, 6, 1e6, "f\xC3\xBCnf");
}

AIANIME_TEST(captions_by_shot) {
    const Sidecar sidecar = parsed("[shot 3] hands\n[0] everybody\n[Shot 0] a door");
    expect(sidecar, 0, 0, "a door");
    expect(sidecar, 1, 4, "everybody");
    expect(sidecar, 3, 9, "hands");
    expect(sidecar, 4, 12, "everybody");
}

AIANIME_TEST(bad_files) {
    refused("", "words.txt: no words");
    refused(" \n\t\n", "no words");
    refused("a man\n\xff\xfe", "line 2: not UTF-8");
    refused("[1] caf\xe9", "line 1: not UTF-8");
    refused("a\nb\x01", "line 2: a control character");
    refused(std::string("a\0b", 3), "line 1: a control character");
    refused("[1] one\ntwo", "line 2");
    refused("one\n[2] two", "line 2: has a time");
    refused("one\n[shot 2] two", "line 2: has a time");
    refused("[1] one\n[1] two", "line 2: [1] is not later");
    refused("[2] one\n[1.5] two", "line 2: [1.5] is not later");
    refused("[shot 1] one\n[shot 1] two", "line 2: [shot 1] is there twice");
    for (const char *head : {"[]",     "[1",        "[-1]",         "[nan]",        "[1e3]",     "[1.]",       "[.5]",
                             "[1:60]", "[1:2:3:4]", "[1.5:20]",     "[shot]",       "[shot -1]", "[shot 1.5]", "[99999999]",
                             "[0x10]", "[1,5]",     "[soft] light", "[1234567890]", "[:5]",      "[5:]"})
        refused(std::string(head) + " words", "line 1");
}

AIANIME_TEST(files) {
    const TempFolder folder;
    write_file(folder.path("words.txt"), "[0] one");
    expect(Sidecar::load(folder.path("words.txt")), 0, 0, "one");
    expect_error([&] { Sidecar::load(folder.path("none.txt")); }, AIANIME_NOT_FOUND, "none.txt");
    expect_error([&] { Sidecar::load(folder.path()); }, AIANIME_BAD_DATA, "a folder");
    write_file(folder.path("large.txt"), std::string(Sidecar::max_bytes, 'a'));
    ck_assert_uint_eq(Sidecar::load(folder.path("large.txt")).caption(0, 0).size(), Sidecar::max_bytes);
    write_file(folder.path("larger.txt"), std::string(Sidecar::max_bytes + 1, 'a'));
    expect_error([&] { Sidecar::load(folder.path("larger.txt")); }, AIANIME_BAD_DATA, "too large");
}

int main() { return run_suite("sidecar", {one_caption_for_all, captions_by_time, captions_by_shot, bad_files, files}); }
