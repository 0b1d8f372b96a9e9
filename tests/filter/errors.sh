#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every failure ends with the exit code of its class, a clear line, and the frames that were finished before it (reliability C, E1).
. "$(dirname "$0")/lib.sh"
source=(-f lavfi -i testsrc2=s=96x64:r=25:d=2)

# injected NAME CALL:N:RESULT EXIT FRAMES: FRAMES left the filter before. (ffmpeg may drop some of them on its way out.)
injected() {
    export AIANIME_NULL_FAIL=$2
    ff_frames "${source[@]}" -vf aianime
    is "$1" "$code $(sed -n 's/.* failed after [0-9]* frames in and \([0-9]*\) out: .*/\1/p' "$tmp/log")" "$3 $4"
    unset AIANIME_NULL_FAIL
}

# One result after another, when the engine is opened and in the middle.
while read -r result exit name; do
    injected "$name at open" "open:0:$result" "$exit" 0
    injected "$name in mid-stream" "send:20:$result" "$exit" 16
done <<'END'
-10 234 invalid
-11 222 out of range
-12 187 wrong order
-20 244 out of memory
-30 237 no device
-40 254 not found
-41 183 bad data
-42 243 forbidden
-50 223 not finite
-51 187 cancelled
-52 187 internal
END
injected "the first frame is refused" send:0:-52 187 0
injected "the second frame is refused" send:1:-52 187 0
injected "the first picture fails" receive:0:-50 223 0
injected "a later picture fails" receive:25:-50 223 25
injected "the flush fails" drain:0:-20 244 48
logs "the line tells where" 'flushing failed after 50 frames in and 48 out: out of memory'
logs "what was held is told" '2 frames lost \(pts 48 to 49\): they were held back when the error came'
injected "an answer that ends too early" receive:20:-2 187 20
injected "an answer that is no result" receive:20:5 187 20

# The engine itself.
engine() { # name, path, exit, regular expression
    ff_frames "${source[@]}" -vf "aianime=engine=$2"
    is "$1: exit" "$code $count" "$3 0"
    logs "$1: message" "$4"
}
engine "engine absent" "$tmp/none.so" 254 'no engine: .*none\.so.*install libaianime.*engine=PATH or AIANIME_ENGINE'
echo "not a library" >"$tmp/text.so"
engine "engine is a text" "$tmp/text.so" 187 'the engine .*text\.so cannot be loaded: '
engine "engine is a folder" "$tmp" 187 'cannot be loaded: '
: >"$tmp/empty.so"
engine "engine is empty" "$tmp/empty.so" 187 'cannot be loaded: '
libz=$(ldd "$FFMPEG" | sed -n 's/.*libm\.so\.6 => \([^ ]*\).*/\1/p')
engine "engine is another library" "$libz" 187 'the engine is not libaianime: .*aianime_get_api'
AIANIME_NULL_VERSION=7 engine "engine of another version" "$AIANIME_ENGINE" 187 'the engine has API version 7, this filter needs 1'

AIANIME_ENGINE=$tmp/none.so ff_frames "${source[@]}" -vf aianime
is "AIANIME_ENGINE absent" "$code" 254
AIANIME_ENGINE=$tmp/none.so ff_frames "${source[@]}" -vf "aianime=engine=$AIANIME_ENGINE"
is "the option goes before AIANIME_ENGINE" "$code $count" "0 50"

mkdir -p "$tmp/tree/bin" "$tmp/tree/lib"
cp "$FFMPEG" "$tmp/tree/bin/"
alone() { (unset AIANIME_ENGINE LD_LIBRARY_PATH && FFMPEG=$tmp/tree/bin/ffmpeg && ff_frames "${source[@]}" -vf aianime && echo "$code $count"); }
is "no engine beside the program" "$(alone)" "254 0"
logs "no engine beside the program: message" 'no engine: libaianime\.so\.1: .*none in \.\./lib beside this program'
cp "$AIANIME_ENGINE" "$tmp/tree/lib/libaianime.so.1"
is "an engine beside the program" "$(alone)" "0 50"

# Options.
option() { # name, options, exit
    ff_frames "${source[@]}" -vf "aianime=$2"
    is "$1" "$code $count" "$3 0"
}
option "unknown option" nonsense=1 8
option "steps too many" steps=1001 222
option "steps none" steps=0 222
option "strength above 1" strength=1.01 222
option "strength below 0" strength=-0.5 222
option "strength not a number" strength=nan 234
option "strength is a word" strength=high 234
option "guidance too high" guidance=51 222
option "size too large" size=4097 222
option "size too small" size=5 222
option "window none" window=0 222
option "window too large" window=65 222
option "overlap too large" overlap=64 222
option "segment too large" segment=65 222
option "fps too high" fps=1001 222
option "seed 2^64" seed=18446744073709551616 222
option "seed -2" seed=-2 222
option "threads below 0" threads=-1 222
option "interpolate is unknown" interpolate=rife 234
option "on_error is unknown" on_error=ignore 234
option "license is unknown" license=free 234
option "caption is unknown" caption=clop 234

settings() { # name, options, regular expressions that the engine's settings match
    AIANIME_NULL_SETTINGS=1 ff "${source[@]}" -vf "aianime=$2" -frames:v 1 -f null -
    for wanted in "${@:3}"; do logs "$1: $wanted" "settings: .*$wanted( |\$)"; done
}
settings "nothing given" engine="$AIANIME_ENGINE" 'template=\(null\)' device=auto 'interpolate=\(null\)' 'caption=\(null\)' 'plan=\(null\)' on_error=0 license=0 threads=0 \
    size=96x64 tb=1/25 rate=25/1 given=0x0
settings "all given" \
    "template=pop:models=/m:device=cpu:prompt='a, b':negative=n:seed=9223372036854775807:steps=4:strength=0:guidance=0:size=0:fps=0:window=1:overlap=0:segment=1:interpolate=none:on_error=pass:license=commercial:threads=2:caption=wd:captions=c.txt:report=r.json:keyframes=k:plan=p.json" \
    template=pop models=/m device=cpu 'prompt=a, b' negative=n seed=9223372036854775807 steps=4 strength=0 guidance=0 size=0 fps=0 \
    window=1 overlap=0 segment=1 interpolate=none on_error=1 license=1 threads=2 given=0x1ff caption=wd captions=c.txt report=r.json keyframes=k plan=p.json
settings "another order" "on_error=pass:threads=3:interpolate=blend:steps=7" on_error=1 threads=3 interpolate=blend steps=7 given=0x2
settings "strength alone" strength=0.25 strength=0.25 given=0x4

finish
