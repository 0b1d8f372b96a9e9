# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests of the command and of the filter share. Sourced from the repository's root; every check prints `ok NAME` or `FAIL NAME`
# with the reason, finish prints the count and sets the exit code. $tmp is emptied at the end.

build=$(cd "${BUILD:-build}" && pwd) || exit 1
root=$PWD
command=$build/bin/aianime
ffmpeg=$build/bin/ffmpeg
unset AIANIME_MODELS AIANIME_TEMPLATES
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

ok() {
    echo "ok $1"
    passed=$((passed + 1))
}

fail() { # name, reason
    echo "FAIL $1: $2"
    failed=$((failed + 1))
}

is() { # name, got, wanted
    if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "got '$2', wanted '$3'"; fi
}

says() { # name, extended regular expression
    if grep -Eq -- "$2" "$tmp/log"; then ok "$1"; else fail "$1" "no '$2' in: $(tr '\n' '|' <"$tmp/log")"; fi
}

# try NAME STATUS PATTERN WORDS...: the command's exit status and output, errors too. It has $LIMIT seconds (300).
try() {
    local name=$1 status=$2 pattern=$3 got
    shift 3
    timeout "${LIMIT:-300}" "$command" "$@" >"$tmp/log" 2>&1 </dev/null
    got=$?
    if [ "$got" != "$status" ]; then
        fail "$name" "exit $got instead of $status: $(tail -n 2 "$tmp/log" | tr '\n' '|')"
    else
        says "$name" "$pattern"
    fi
}

# stop_when PATTERN LOG SIGNAL WORDS...: runs the command until its log says PATTERN, and signals it; its exit status goes to $status.
stop_when() {
    local pattern=$1 log=$2 signal=$3 process
    shift 3
    "$command" "$@" >"$log" 2>&1 </dev/null &
    process=$!
    for _ in $(seq 600); do
        grep -q "$pattern" "$log" && break
        sleep 0.1
    done
    kill -"$signal" $process 2>/dev/null
    wait $process 2>/dev/null
    status=$?
}

# A run that was stopped in good time says how to go on.
is_resumable() { # name, log
    if [ "$status" = 0 ]; then
        fail "$1" "the run was over before it could be stopped"
    elif grep -q 'the same command goes on' "$2"; then
        ok "$1"
    else
        fail "$1" "exit $status, $(tail -n 1 "$2")"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}
