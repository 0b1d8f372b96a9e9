#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The filter among others: early ends, branches, two instances, timeline, audio beside it, log and cost of start (D5, D31, D35, D36).
. "$(dirname "$0")/lib.sh"
source=(-f lavfi -i testsrc2=s=96x64:r=25:d=4)

ff_frames "${source[@]}" -vf aianime -frames:v 10
is "-frames:v 10" "$code $count" "0 10"
ff_frames "${source[@]}" -vf aianime -t 0.5
is "-t 0.5" "$code $count" "0 13"
silent "-t 0.5 warns of nothing" 'frames lost'
ff_frames "${source[@]}" -vf aianime,trim=end_frame=20
is "a later filter that ends early" "$code $count" "0 20"
ff_frames -t 0.5 "${source[@]}" -vf aianime
is "-t 0.5 before the input" "$code $count" "0 13"

# Branches: the engine holds 64 frames, the other branch must be able to wait.
export AIANIME_NULL_HOLD=64
ff_frames "${source[@]}" -filter_complex '[0:v]split[a][b];[a]aianime[c];[b][c]hstack'
is "beside the original" "$code $count" "0 100"
ff_frames "${source[@]}" -filter_complex '[0:v]split[a][b];[a]aianime[c];[c][b]overlay=shortest=1'
is "over the original" "$code $count" "0 100"
ff_frames "${source[@]}" -filter_complex '[0:v]split=3[a][b][d];[a]aianime[c];[d]trim=end_frame=7[e];[b][c][e]hstack=3:shortest=1'
is "a short branch ends all" "$code $count" "0 7"
ff_frames "${source[@]}" -vf aianime,aianime
is "two in a row" "$code $count" "0 100"
ff_frames "${source[@]}" -filter_complex '[0:v]split[a][b];[a]aianime[c];[b]aianime[d];[c][d]hstack'
is "two side by side" "$code $count" "0 100"
unset AIANIME_NULL_HOLD
ff_frames "${source[@]}" -filter_complex '[0:v]aianime[a];[0:v]trim=end_frame=30[b];[a][b]concat'
is "one after another" "$code $count" "0 130"
ff_frames "${source[@]}" -vf loop=loop=3:size=20:start=0,aianime
is "after a loop" "$code $count" "0 160"
ff_frames "${source[@]}" -vf aianime,reverse,aianime
is "around reverse" "$code $count" "0 100"
ff "${source[@]}" -filter_complex '[0:v]aianime,split[a][b]' -map '[a]' -frames:v 5 -f framemd5 "$tmp/a" -map '[b]' -f framemd5 "$tmp/b"
is "one of two outputs ends early" "$code $(frames_in "$tmp/a") $(frames_in "$tmp/b")" "0 5 100"

# Timeline: outside the range frames are the source's, byte by byte.
export AIANIME_NULL_INVERT=1
timeline() { # filter with enable
    ff "${source[@]}" -vf "$1:enable='between(t,1,2)',metadata=print:file=$tmp/metadata" -f framemd5 "$tmp/timeline.md5"
}
timeline "lutyuv=y=255-val"
cp "$tmp/timeline.md5" "$tmp/wanted.md5"
timeline "aianime=device=cpu"
if cmp -s "$tmp/timeline.md5" "$tmp/wanted.md5"; then ok "timeline"; else fail "timeline" "frames differ"; fi
is "timeline: passed frames say so" "$(grep -c 'aianime.origin=passed' "$tmp/metadata")" 74
unset AIANIME_NULL_INVERT

# Metadata.
ff "${source[@]}" -vf "aianime=seed=42,metadata=print:file=$tmp/metadata" -frames:v 20 -f null -
for wanted in shot=0 segment=0 segment=1 origin=generated origin=interpolated seed=42 'prompt=1girl, "null"'; do
    if grep -qxF "lavfi.aianime.$wanted" "$tmp/metadata"; then ok "metadata $wanted"; else fail "metadata $wanted" "not there"; fi
done

# Sound and subtitles go past it; a file without video has nothing to do with it.
"$FFMPEG" -v error -nostdin -y "${source[@]}" -f lavfi -i sine=d=4 -c:v libx264 -preset ultrafast -c:a aac "$tmp/clip.mp4"
ff -i "$tmp/clip.mp4" -vf aianime -c:v libx264 -preset ultrafast -c:a copy "$tmp/out.mp4"
is "a clip with sound" "$code" 0
counts() { "$FFPROBE" -v error -count_packets -show_entries stream=codec_type,nb_read_packets -of csv=p=0 "$1"; }
is "a clip with sound: packets" "$(counts "$tmp/out.mp4")" "$(counts "$tmp/clip.mp4")"
ff -i "$tmp/clip.mp4" -map 0:a -c copy -f md5 "$tmp/a1"
ff -i "$tmp/out.mp4" -map 0:a -c copy -f md5 "$tmp/a2"
if cmp -s "$tmp/a1" "$tmp/a2"; then ok "a clip with sound: untouched"; else fail "a clip with sound: untouched" "differs"; fi
ff -f lavfi -i sine=d=1 -vf aianime -f null -
is "sound only, -vf" "$code" 0
ff -f lavfi -i sine=d=1 -filter_complex '[0:v]aianime' -f null -
is "sound only, -filter_complex" "$code" 234
head -c $(($(stat -c %s "$tmp/clip.mp4") * 6 / 10)) "$tmp/clip.mp4" >"$tmp/cut.mp4"
ff -i "$tmp/cut.mp4" -vf aianime -f null -
is "a cut MP4" "$code" 183

# A stop by signal: what is held is flushed, the file is whole.
"$FFMPEG" -hide_banner -nostdin -y -re "${source[@]}" -vf aianime -c:v libx264 -preset ultrafast "$tmp/stopped.mp4" 2>"$tmp/log" &
sleep 1.5
kill -TERM $!
wait $!
is "stopped by a signal: exit" $? 255
is "stopped by a signal: the file is whole" \
    "$("$FFPROBE" -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$tmp/stopped.mp4" | tr -d ,)" \
    "$(sed -n 's/.*\] \([0-9]*\) frames in, .*/\1/p' "$tmp/log")"

# The log.
ff "${source[@]}" -vf aianime -f null -
logs "progress" '^\[Parsed_aianime_0 @ [^]]*\] denoise: '
ff -loglevel error "${source[@]}" -vf aianime -f null -
is "quiet at -loglevel error" "$(wc -c <"$tmp/log")" 0
ff_frames "${source[@]}" -vf aianime@first,aianime@second
logs "instances have their names in the log" '^\[aianime@second @'

# ffmpeg itself is not tied to the engine.
if ldd "$FFMPEG" | awk '{ print $1 }' | grep -Eq 'torch|c10|aianime|cuda'; then fail "not linked to the engine" "$(ldd "$FFMPEG")"; else ok "not linked to the engine"; fi
AIANIME_ENGINE=/nowhere ff -version >"$tmp/version"
is "-version without an engine" "$code" 0
AIANIME_ENGINE=/nowhere ff -h filter=aianime >"$tmp/help"
is "help without an engine" "$code $(grep -c '^   [a-z_]* *<' "$tmp/help")" "0 24"
# Every exit so far went through uninit with frames held or not; one without any output must be clean as well.
ff "${source[@]}" -vf aianime -frames:v 0 -f null -
is "no output wanted" "$([ "$code" = 0 ] || [ "$code" = 234 ] && echo clean)" clean

finish
