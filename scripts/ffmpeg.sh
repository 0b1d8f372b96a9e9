#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ffmpeg.sh [SOURCES [TARBALL]]: patches and builds FFmpeg in $BUILD/ffmpeg, puts ffmpeg and ffprobe into $BUILD/bin.
# SOURCES is a folder (copied), TARBALL a release tarball (its hash is checked); without both the tarball is fetched.
. "$(dirname "$0")/common.sh"

sources=${1:-}
tarball=${2:-}
tree=$PWD
work=$BUILD/ffmpeg

known_hashes=" $(sed -n 's/.*hash=\([0-9a-f]\{64\}\).*/\1/p' scripts/ffmpeg_source.sh | paste -s -d ' ') "

patch_for() { # FFmpeg's version
    case $1 in
    7.1 | 7.1.*) echo "$tree/libavfilter_patch/ffmpeg-7.1.patch" ;;
    9.0 | 9.0.*) echo "$tree/libavfilter_patch/ffmpeg-9.0.patch" ;;
    *) die "there is no patch for FFmpeg $1, only for 7.1 and 9.0" ;;
    esac
}

# What the unpacked folder was made from; another answer means that it is made again.
identity() {
    if [ -n "$sources" ]; then
        echo "folder $sources"
    else
        echo "tarball ${tarball:-7.1.5}"
    fi
    sha256sum libavfilter_patch/ffmpeg-*.patch
}

unpack() {
    rm -rf "$work"
    mkdir -p "$work"
    if [ -n "$sources" ]; then
        cp -a "$sources/." "$work/"
    else
        [ -n "$tarball" ] || tarball=$(scripts/ffmpeg_source.sh 7.1.5 | tail -n 1)
        case $known_hashes in
        *" $(sha256sum "$tarball" | cut -d ' ' -f 1) "*) ;;
        *) die "$tarball is not the 7.1.5 or 9.0.2 release: unpack it yourself and give the folder with --ffmpeg-src=DIR" ;;
        esac
        say "unpacking $tarball"
        tar -xJf "$tarball" -C "$work" --strip-components=1
    fi
}

apply_patch() {
    local patch
    patch=$(patch_for "$(cat "$work/RELEASE")")
    say "applying $(basename "$patch")"
    patch -p1 --batch --dry-run -d "$work" <"$patch" >/dev/null || die "$(basename "$patch") does not apply; the sources are untouched"
    patch -p1 --batch -d "$work" <"$patch"
}

copy_if_changed() { # from, to
    mkdir -p "$(dirname "$2")"
    cmp -s "$1" "$2" || cp "$1" "$2"
}

# Only what does not depend on the machine: the same switches give the same program everywhere.
switches=(--cc="${CC:-gcc}" --enable-gpl --enable-version3 --enable-libx264 --enable-libaianime --disable-doc --disable-network
    --disable-ffplay --disable-debug --disable-autodetect --enable-zlib --assert-level=2 --extra-cflags=-Iaianime)

configure_ffmpeg() {
    say "configuring FFmpeg $(cat "$work/RELEASE")"
    (cd "$work" && ./configure "${switches[@]}" >configure.log 2>&1) || {
        tail -n 20 "$work/configure.log" >&2
        die "FFmpeg's configure failed; the whole text is in $work/ffbuild/config.log"
    }
    printf '%s\n' "${switches[@]}" >"$work/.switches"
}

if [ ! -f "$work/.identity" ] || ! identity | cmp -s - "$work/.identity"; then
    wanted=$(identity)
    unpack
    apply_patch
    printf '%s\n' "$wanted" >"$work/.identity"
fi
copy_if_changed libavfilter_patch/vf_aianime.c "$work/libavfilter/vf_aianime.c"
copy_if_changed vf_aianime/include/aianime.h "$work/aianime/aianime.h"
if ! printf '%s\n' "${switches[@]}" | cmp -s - "$work/.switches"; then configure_ffmpeg; fi

jobs=-j$(nproc)
case ${MAKEFLAGS:-} in *jobserver*) jobs= ;; esac
say "building ffmpeg and ffprobe"
make -C "$work" $jobs --no-print-directory ffmpeg ffprobe >"$work/build.log" 2>&1 || {
    grep -E -B 2 -A 8 'error|warning: .*aianime' "$work/build.log" | tail -n 60 >&2
    die "FFmpeg did not build; the whole text is in $work/build.log"
}
grep -A 4 'vf_aianime.*warning' "$work/build.log" || true
mkdir -p "$BUILD/bin"
for program in ffmpeg ffprobe; do
    cmp -s "$work/$program" "$BUILD/bin/$program" || install -m 755 "$work/$program" "$BUILD/bin/$program"
done
