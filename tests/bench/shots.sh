#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# shots.sh CLIPS PICTURES: how well cuts are found, measured on clips made from the video files in the folder CLIPS and the photographs
# in PICTURES. Each clip counts as one shot; CLIPS/cuts.txt names those that are cut, "file.mp4 120 310" a line. Prints each error, then a table.
. "$(dirname "$0")/../../scripts/common.sh"

[ $# = 2 ] || die "usage: tests/bench/shots.sh CLIPS PICTURES"
mkdir -p "$BUILD/bench"
# shellcheck disable=SC2046
"${CXX:-g++}" -std=c++17 -O2 -Wall -Wextra -Ivf_aianime tests/bench/shots.cpp vf_aianime/vision/shots.cpp \
    $(pkg-config --cflags opencv4 | sed 's/-I/-isystem /') -lopencv_imgcodecs -lopencv_imgproc -lopencv_core -o "$BUILD/bench/shots"
"$BUILD/bench/shots" "$1" "$2" "$BUILD/bin/ffmpeg"
