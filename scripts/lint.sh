#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# lint.sh: formatting (clang-format) and the size budgets: a file at most 700 lines, a function at most 100.
# lint.sh --format: formats our C++ in place. vf_aianime.c follows FFmpeg's style and is left alone.
. "$(dirname "$0")/common.sh"

failures=0
complain() {
    echo "lint: $*"
    failures=$((failures + 1))
}

ours() { find vf_aianime tests -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.c' -o -name '*.cu' \) | sort; }

formatter=$(command -v clang-format || command -v clang-format-14 || true)
if [ "${1:-}" = --format ]; then
    [ -n "$formatter" ] || die "clang-format is missing: apt-get install clang-format"
    ours | xargs "$formatter" -i
    exit
fi

check_format() {
    if [ -z "$formatter" ]; then
        echo "lint: formatting not checked, clang-format is missing: apt-get install clang-format"
    else
        ours | xargs "$formatter" --dry-run -Werror || complain "formatting: make format mends it"
    fi
}

check_file() { # file, most lines
    local lines
    lines=$(wc -l <"$1")
    [ "$lines" -le "$2" ] || complain "$1 has $lines lines, the budget is $2"
}

# In formatted code a function begins at a line that ends in "{" and ends at a "}" of the same indentation. Namespaces,
# types and tables begin the same way and do not count.
long_functions() {
    awk '
        function note() { if (FNR - start[depth] > 100) printf "%s:%d has %d lines\n", FILENAME, start[depth], FNR - start[depth] + 1 }
        FNR == 1 { delete start }
        {
            match($0, /^ */); depth = RLENGTH
            if (depth > 4) next
            if (/\{$/ && !/^ *(namespace|struct|class|enum|union|extern|typedef)/ && !/= \{$/) { start[depth] = FNR }
            else if (/^ *\}/ && depth in start) { note(); delete start[depth] }
        }' "$@"
}

check_sizes() {
    local file
    for file in $(ours) $(find scripts configure.sh Makefile tests tools -name '*.sh' -o -name '*.py' -o -name Makefile); do check_file "$file" 700; done
    check_file libavfilter_patch/vf_aianime.c 700
    check_file configure.sh 400
    check_file Makefile 300
    while read -r line; do complain "function at $line, the budget is 100"; done < <(long_functions $(ours) libavfilter_patch/vf_aianime.c)
}

check_licence_lines() {
    local file
    for file in $(ours) libavfilter_patch/vf_aianime.c $(find scripts tests tools -name '*.sh' -o -name '*.py') configure.sh Makefile; do
        head -n 5 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' || complain "$file: no SPDX line in its first five"
    done
}

check_format
check_sizes
check_licence_lines
[ $failures = 0 ] || die "$failures complaints"
echo "lint: nothing to complain about"
