#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# train_data.sh OUT: gathers pictures and clips to train a pack on and to measure it on. Downloads about 250 MB; the
# packages are kept in build/deps/train-data and not downloaded again.
. "$(dirname "$0")/common.sh"
[ $# = 1 ] || die "usage: scripts/train_data.sh OUT"

command -v python3 >/dev/null || die "python3 is missing: apt-get install python3 python3-pip"
export PYTHONPATH="$DEPS/python${PYTHONPATH:+:$PYTHONPATH}"
python3 -c 'import PIL' 2>/dev/null || {
    say "Pillow into $DEPS/python"
    python3 -m pip install --quiet --target "$DEPS/python" pillow
}
python3 "$(dirname "$0")/train_data.py" "$1" --packages "$DEPS/train-data"
