# SPDX-License-Identifier: LGPL-2.1-or-later
# Shared by the scripts beside it: `. scripts/common.sh`, from the root of the tree, with bash.
set -euo pipefail
BUILD=${BUILD:-build}
mkdir -p "$BUILD/deps"
BUILD=$(cd "$BUILD" && pwd)
DEPS=$BUILD/deps

say() { printf '%s\n' "== $*"; }
die() {
    printf '%s\n' "$(basename "$0"): $*" >&2
    exit 1
}

has_hash() { # file, sha256
    [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$2" ]
}

# The value of a switch that configure.sh was last called with; empty when it was not given.
switch_value() { # name
    [ ! -f "$BUILD/config.args" ] || sed -n "s/^--$1=//p" "$BUILD/config.args" | tail -n 1
}
