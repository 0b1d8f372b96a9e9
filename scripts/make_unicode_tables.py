#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes vf_aianime/nn/unicode_categories.cpp and unicode_compositions.cpp from Python's unicodedata.

    python3 scripts/make_unicode_tables.py
"""

import os
import sys
import unicodedata

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vf_aianime", "nn")
HANGUL = range(0xAC00, 0xAC00 + 11172)  # composed by arithmetic, not by table


def characters():
    return (c for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000)


def ranges(value_of):
    """[first, last, value] of the runs where value_of(c) is the same and not None."""
    runs = []
    for c in characters():
        value = value_of(c)
        if value is None:
            continue
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == value:
            runs[-1][1] = c
        else:
            runs.append([c, c, value])
    return runs


def category(letter):
    return [run[:2] for run in ranges(lambda c: True if unicodedata.category(chr(c))[0] == letter else None)]


def lower_runs():
    """[first, last, step, difference]: alternating upper and lower case gives a step of 2."""
    pairs = [(c, ord(chr(c).lower())) for c in characters() if chr(c).lower() != chr(c) and len(chr(c).lower()) == 1]
    runs = []
    for c, low in pairs:
        if runs and runs[-1][3] == low - c:
            first, last, step, _ = runs[-1]
            if (first == last and c - last in (1, 2)) or (first != last and c - last == step):
                runs[-1][1] = c
                runs[-1][2] = c - last
                continue
        runs.append([c, c, 1, low - c])
    assert [c for c in characters() if len(chr(c).lower()) > 1] == [0x130], "only dotted capital I becomes two characters"
    return runs


def decompositions():
    rows = []
    for c in characters():
        text = unicodedata.decomposition(chr(c))
        if text and not text.startswith("<") and c not in HANGUL:
            parts = [int(p, 16) for p in text.split()]
            assert len(parts) <= 2
            rows.append([c, parts[0], parts[1] if len(parts) == 2 else 0])
    return rows


def compositions(rows):
    pairs = [[a, b, c] for c, a, b in rows if b and unicodedata.normalize("NFC", chr(a) + chr(b)) == chr(c)]
    return sorted(pairs)


def table(kind, name, rows):
    lines, line = [], "   "
    for row in rows:
        cell = " {" + ",".join(hex(v) if v >= 0 and i < 3 else str(v) for i, v in enumerate(row)) + "},"
        if len(line) + len(cell) > 130:
            lines.append(line)
            line = "   "
        line += cell
    lines.append(line)
    body = "\n".join(lines)
    return f"const {kind} {name}[] = {{\n{body}\n}};\nconst size_t {name}_count = std::size({name});\n"


def write(name, tables):
    with open(os.path.join(FOLDER, name), "w") as out:
        out.write("// SPDX-License-Identifier: LGPL-2.1-or-later\n")
        out.write(f"// Made by scripts/make_unicode_tables.py from Unicode {unicodedata.unidata_version}. Do not edit.\n")
        out.write('#include "nn/unicode_tables.h"\n\n#include <iterator>\n\n// clang-format off\n\n')
        out.write("namespace aianime::nn::unicode {\n\n" + "\n".join(tables) + "\n} // namespace aianime::nn::unicode\n")


def main():
    write(
        "unicode_categories.cpp",
        [
            table("CodeRange", "letter_ranges", category("L")),
            table("CodeRange", "number_ranges", category("N")),
            table("LowerRun", "lower_runs", lower_runs()),
        ],
    )
    rows = decompositions()
    write(
        "unicode_compositions.cpp",
        [
            table("ClassRange", "class_ranges", ranges(lambda c: unicodedata.combining(chr(c)) or None)),
            table("Decomposition", "decompositions", rows),
            table("Composition", "compositions", compositions(rows)),
        ],
    )


if __name__ == "__main__":
    main()
