#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ffmpeg_source.sh VERSION: puts the verified tarball ffmpeg-VERSION.tar.xz into $BUILD/deps and prints its path as the last line.
# Asks FFmpeg's own site first, then the machine's Debian mirror, whose source packages hold the same file.
. "$(dirname "$0")/common.sh"

version=${1:?version}
case $version in
7.1.5) suite=trixie hash=de668509caf9e35e3cd162473441fdb29538c6d96ed080292b3cf9e6fc5d558f ;;
9.0.2) suite=sid hash=8c3850283eb25fa026482078a04051e0be17347b09ef81a0849bec15a96e002e ;;
*) die "no hash is known for FFmpeg $version" ;;
esac
file=$DEPS/ffmpeg-$version.tar.xz

from_ffmpeg_org() {
    curl --silent --show-error --fail --location --connect-timeout 10 --speed-limit 10000 --speed-time 20 \
        "https://ffmpeg.org/releases/ffmpeg-$version.tar.xz" -o "$file.part" >&2
}

# The first Debian archive that apt is set up with, the one that packages come from.
debian_archive() {
    apt-get indextargets --format '$(REPO_URI)|$(COMPONENT)|$(ORIGIN)|$(CODENAME)' 'Created-By: Packages' 2>/dev/null |
        awk -F '|' '$2 == "main" && $3 == "Debian" && $4 !~ /-/ { print $1; exit }'
}

from_debian() {
    local archive folder line
    archive=$(debian_archive)
    [ -n "$archive" ] || { echo "no Debian archive in apt's sources" >&2 && return 1; }
    folder=$(mktemp -d)
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    # The list only tells where the file lies; what arrives is checked against the hash above, so the list needs no signature.
    echo "deb-src [trusted=yes] $archive $suite main" >"$folder/source.list"
    local apt=(-o "Dir::Etc::sourcelist=$folder/source.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists"
        -o "Dir::Cache=$folder/cache" -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Retries=2
        -o APT::Sandbox::User=root)
    apt-get "${apt[@]}" -qq update >&2 &&
        line=$(apt-get "${apt[@]}" source --print-uris --download-only "ffmpeg" 2>/dev/null |
            grep -F "ffmpeg_$version.orig.tar.xz'") &&
        /usr/lib/apt/apt-helper "${apt[@]}" download-file "$(cut -d "'" -f 2 <<<"$line")" "$folder/tarball" >&2 &&
        cp "$folder/tarball" "$file.part"
    local result=$?
    rm -rf "$folder"
    return $result
}

if ! has_hash "$file" "$hash"; then
    for source in from_ffmpeg_org from_debian; do
        say "FFmpeg $version: ${source//_/ }" >&2
        if "$source" && has_hash "$file.part" "$hash"; then
            mv "$file.part" "$file"
            break
        fi
        echo "FFmpeg $version: not to be had this way, or its hash is wrong" >&2
        rm -f "$file.part"
    done
fi
[ -f "$file" ] || die "ffmpeg-$version.tar.xz could not be fetched; give it with ./configure.sh --ffmpeg-tarball=FILE"
echo "$file"
