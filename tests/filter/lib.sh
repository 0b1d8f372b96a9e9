# SPDX-License-Identifier: LGPL-2.1-or-later
# What the filter's tests share. Sourced; needs $BUILD/bin/ffmpeg, $BUILD/bin/ffprobe and $BUILD/tests/libnull_engine.so.

. "$(dirname "$0")/checks.sh"
BUILD=$build
FFMPEG=$BUILD/bin/ffmpeg
FFPROBE=$BUILD/bin/ffprobe
export AIANIME_ENGINE=$BUILD/tests/libnull_engine.so
unset AIANIME_NULL_HOLD AIANIME_NULL_INVERT AIANIME_NULL_FAIL AIANIME_NULL_VERSION AIANIME_NULL_SETTINGS AV_LOG_FORCE_COLOR

for needed in "$FFMPEG" "$FFPROBE" "$AIANIME_ENGINE"; do
    [ -f "$needed" ] || {
        echo "FAIL $(basename "$0"): $needed is missing"
        exit 1
    }
done

code=0

# ff ARGS...: runs ffmpeg; its log goes to $tmp/log, its exit code to $code. 124 means that it hung for $LIMIT seconds (30).
ff() {
    timeout -k 5 "${LIMIT:-30}" "$FFMPEG" -hide_banner -nostdin -y "$@" 2>"$tmp/log"
    code=$?
    if grep -q 'contract:' "$tmp/log"; then # the null engine saw the filter break its promises
        grep 'contract:' "$tmp/log"
        code=contract
    fi
}

# ff_frames ARGS...: the same with the frames' checksums in $tmp/frames; their number goes to $count.
ff_frames() {
    rm -f "$tmp/frames"
    ff "$@" -fps_mode passthrough -f framemd5 "$tmp/frames"
    count=$(frames_in "$tmp/frames")
}

frames_in() { # of a framemd5 file
    if [ -f "$1" ]; then grep -c '^[^#]' "$1"; else echo 0; fi
}

logs() { # name, extended regular expression
    if grep -Eq -- "$2" "$tmp/log"; then ok "$1"; else fail "$1" "no '$2' in the log: $(tail -n 3 "$tmp/log" | tr '\n' '|')"; fi
}

silent() { # name, extended regular expression
    if grep -Eq -- "$2" "$tmp/log"; then fail "$1" "$(grep -E -- "$2" "$tmp/log" | head -n 1)"; else ok "$1"; fi
}

# ff_info ARGS...: ff with what showinfo says of each frame, checksums of its planes included. Showinfo writes a line in
# pieces, so nothing else may write to the log: no statistics, and setpts=N behind it keeps the muxer from warning of timestamps.
ff_info() {
    ff -nostats "$@" -fps_mode passthrough -f null -
}

# What showinfo said, without the parts that differ from run to run.
showinfo_lines() {
    sed -n 's/^\[Parsed_showinfo_[0-9]* @ 0x[0-9a-f]*\] *//p' "$tmp/log" | grep -v '^config'
}

# like_null NAME CHAIN [INPUT ARGS...]: after CHAIN, `aianime` gives the same frames with the same properties as `null`.
like_null() {
    local name=$1 chain=$2 filter
    shift 2
    for filter in null aianime; do
        ff_info "$@" -vf "$chain,$filter,showinfo,setpts=N"
        if [ "$code" != 0 ]; then
            fail "$name" "exit $code with $filter: $(tail -n 2 "$tmp/log" | tr '\n' '|')"
            return
        fi
        showinfo_lines >"$tmp/$filter.info"
    done
    if ! grep -q 'plane_checksum' "$tmp/null.info"; then
        fail "$name" "no frames at all"
    elif ! cmp -s "$tmp/null.info" "$tmp/aianime.info"; then
        fail "$name" "frames or properties differ: $(diff "$tmp/null.info" "$tmp/aianime.info" | head -n 4 | tr '\n' '|')"
    else
        ok "$name"
    fi
}

# clip FILE FRAMES SIZE [X264 ARGS...]: an H.264 elementary stream; joined with cat, they change in mid-stream.
clip() {
    local file=$1 frames=$2 size=$3
    shift 3
    timeout 30 "$FFMPEG" -v error -nostdin -y -f lavfi -i "testsrc2=s=$size:r=25" -frames:v "$frames" -c:v libx264 -preset ultrafast \
        -bf 0 "$@" -f h264 "$file" || fail "clip $file" "could not be made"
}
