#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The public header stands alone in C99 and C++; the library exports one symbol; ffmpeg is linked to neither it nor LibTorch.
. scripts/common.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0
check() { # what, command...
    local what=$1
    shift
    if "$@" >"$folder/log" 2>&1; then
        echo "ok: $what"
        passed=$((passed + 1))
    else
        echo "FAILED: $what"
        cat "$folder/log"
        failed=$((failed + 1))
    fi
}

echo '#include "aianime.h"' | tee "$folder/header.c" >"$folder/header.cpp"
check "aianime.h alone in C99" "${CC:-gcc}" -std=c99 -pedantic-errors -Wall -Wextra -Werror -Ivf_aianime/include -fsyntax-only "$folder/header.c"
check "aianime.h alone in C++11" "${CXX:-g++}" -std=c++11 -pedantic-errors -Wall -Wextra -Werror -Ivf_aianime/include -fsyntax-only "$folder/header.cpp"

exported() { nm -D --extern-only --defined-only "$BUILD/lib/libaianime.so.1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }'; }
only_the_getter() {
    exported
    [ "$(exported)" = aianime_get_api ]
}
check "the library exports aianime_get_api and nothing else" only_the_getter

loads_no_engine() {
    readelf -d "$BUILD/bin/ffmpeg" | grep NEEDED || return 1
    ! readelf -d "$BUILD/bin/ffmpeg" | grep -E 'NEEDED.*(torch|c10|aianime|stdc\+\+)'
}
check "ffmpeg is linked to neither the engine nor LibTorch" loads_no_engine
echo "$passed passed, $failed failed"
[ $failed = 0 ]
