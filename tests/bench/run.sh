#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# run.sh: what `make bench` runs, from the root of the tree, after everything is built. Measures ratios side by side, writes
# $BUILD/bench/report.md and prints it. About 20 minutes on 2 cores the first time, 12 later.
#
# AIANIME_BENCH_PYTHON=PROGRAM   a Python that has torch 2.11, diffusers and transformers; else one is made in $BUILD/bench/venv
# AIANIME_BENCH_PARTS="a b c d e f"  which parts to run (tests/bench/measure.py)
# AIANIME_BENCH_ROUNDS=3         how often part a is repeated
. "$(dirname "$0")/../../scripts/common.sh"

work=$BUILD/bench
parts=${AIANIME_BENCH_PARTS:-a b c d e f}
rounds=${AIANIME_BENCH_ROUNDS:-3}
mkdir -p "$work"

needs() { case " $parts " in *" $1 "*) true ;; *) false ;; esac; }

has_reference() { # python
    "$1" -c 'import torch, diffusers, transformers; assert torch.__version__.startswith("2.11.")' >/dev/null 2>&1
}

find_python() {
    python=${AIANIME_BENCH_PYTHON:-$work/venv/bin/python}
    if [ -n "${AIANIME_BENCH_PYTHON:-}" ] || has_reference "$python"; then return; fi
    say "installing torch, diffusers and transformers into $work/venv"
    python3 -m venv "$work/venv"
    "$python" -m pip install --quiet 'torch==2.11.0' diffusers transformers
}

# The same sources and switches without the patch.
build_stock() {
    stock=$work/stock
    local switches=()
    mapfile -t switches < <(grep -v -e libaianime -e -Iaianime "$BUILD/ffmpeg/.switches")
    if [ -x "$stock/ffmpeg" ] && cmp -s "$BUILD/ffmpeg/.identity" "$stock/.identity" &&
        printf '%s\n' "${switches[@]}" | cmp -s - "$stock/.switches"; then return; fi
    say "building FFmpeg without the patch, to compare with"
    rm -rf "$stock"
    cp -a "$BUILD/ffmpeg" "$stock"
    local patch
    for patch in libavfilter_patch/ffmpeg-*.patch; do
        if patch -R -p1 --batch --dry-run -d "$stock" <"$patch" >/dev/null 2>&1; then break; fi
    done
    patch -R -p1 --batch --silent -d "$stock" <"$patch"
    rm -f "$stock/libavfilter/vf_aianime.c"
    (cd "$stock" && ./configure "${switches[@]}" >configure.log 2>&1 && make -j"$(nproc)" ffmpeg >build.log 2>&1) ||
        die "FFmpeg without the patch did not build; the texts are $stock/configure.log and build.log"
    printf '%s\n' "${switches[@]}" >"$stock/.switches"
}

python=python3
if needs a || needs e; then find_python; fi
if needs b; then build_stock; fi
"${CC:-gcc}" -std=c99 -D_GNU_SOURCE -O2 -Wall -Wextra -Ivf_aianime/include tests/bench/engine_speed.c -ldl -o "$work/engine_speed"
"$python" tests/bench/measure.py --build "$BUILD" --parts "$parts" --rounds "$rounds"
