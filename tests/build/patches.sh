#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Both patches apply to the untouched release they were made for; exits with 77 where the sources of 9.0 cannot be had.
. scripts/common.sh

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

dry_run() { # release, patch
    local tarball
    tarball=$(scripts/ffmpeg_source.sh "$1" 2>"$folder/log" | tail -n 1) || true
    if [ -z "$tarball" ]; then
        echo "skipped: the sources of FFmpeg $1 cannot be had here: $(tail -n 1 "$folder/log")"
        return 77
    fi
    mkdir "$folder/$1"
    # shellcheck disable=SC2046
    tar -xJf "$tarball" -C "$folder/$1" --strip-components=1 --wildcards $(sed -n 's|^--- a/|*/|p' "$2")
    patch -p1 --batch --dry-run --fuzz=0 -d "$folder/$1" <"$2" || return 1
    echo "$2 applies to $1"
}

dry_run 7.1.5 libavfilter_patch/ffmpeg-7.1.patch
dry_run 9.0.2 libavfilter_patch/ffmpeg-9.0.patch
