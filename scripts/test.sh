#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# test.sh [NAME...]: runs what `make tests tests-asan all` built; with names, only the tests whose source path contains one of them.
# The last line sums up Check's counts and those of the shell tests.
. "$(dirname "$0")/common.sh"

export BUILD AIANIME_TESTS="$PWD/tests"
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
passed=0 failed=0 skipped=0
failures=()
names=("$@")
log=$(mktemp)
trap 'rm -f "$log"' EXIT

wanted() { # path
    local name
    [ ${#names[@]} -gt 0 ] || return 0
    for name in "${names[@]}"; do case $1 in *"$name"*) return 0 ;; esac done
    return 1
}

fail() { # title, number of failures
    failed=$((failed + $2))
    failures+=("$1")
    grep -v '^ok' "$log" | sed 's/^/    /' || true
}

# A Check program: its own closing lines say how many of its checks passed.
run_program() { # title, program
    local status=0 checks=0 bad=0 seconds=$SECONDS line
    timeout 900 "$2" >"$log" 2>&1 || status=$?
    while read -r line; do
        set -- "$1" "$2" $line
        checks=$((checks + $3)) bad=$((bad + $4 + $5))
    done < <(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log")
    passed=$((passed + checks - bad))
    skipped=$((skipped + $(grep -c -i '^skipped' "$log" || true)))
    grep -i '^skipped' "$log" || true
    printf '%-34s %3d checks, %d failed, %d s\n' "$1" "$checks" "$bad" $((SECONDS - seconds))
    if [ $bad != 0 ]; then
        fail "$1" $bad
    elif [ $status != 0 ] || [ $checks = 0 ]; then
        echo "    exit status $status"
        fail "$1" 1
    fi
}

# A shell test: exit status 0 passed, 77 skipped with a printed reason, anything else failed. Its last line "N passed, M failed"
# says how many checks it made; without such a line it counts as one.
run_script() { # script
    local status=0 seconds=$SECONDS good bad
    timeout 900 bash "$1" >"$log" 2>&1 || status=$?
    good=$(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p')
    bad=$(tail -n 1 "$log" | sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p')
    if [ $status = 77 ]; then
        skipped=$((skipped + 1))
        printf '%-34s %s\n' "$1" "$(tail -n 1 "$log")"
        return
    fi
    [ $status = 0 ] || [ "${bad:-0}" != 0 ] || bad=1
    passed=$((passed + ${good:-$((status == 0))}))
    skipped=$((skipped + $(grep -c -i '^skipped' "$log" || true)))
    grep -i '^skipped' "$log" || true
    printf '%-34s %3d checks, %d failed, %d s\n' "$1" $((${good:-$((status == 0))} + ${bad:-0})) "${bad:-0}" $((SECONDS - seconds))
    [ "${bad:-0}" = 0 ] || fail "$1" "$bad"
}

say "unit tests"
for source in tests/test_*.cpp tests/test_*.c; do
    name=$(basename "${source%.*}")
    wanted "$source" && [ -f "$source" ] && run_program "tests/$name" "$BUILD/tests/$name"
done
say "build and filter"
for script in tests/build/*.sh tests/filter/*.sh; do
    # lib.sh and checks.sh are what the others share, no tests.
    case $script in */lib.sh | */checks.sh) continue ;; esac
    wanted "$script" && [ -f "$script" ] && run_script "$script"
done
say "io/ and api/ with the address and undefined behaviour sanitizers"
for source in tests/test_*.cpp tests/test_*.c; do
    program=$BUILD/tests-asan/$(basename "${source%.*}")
    wanted "sanitized/$source" && [ -x "$program" ] && run_program "sanitized/$(basename "$program")" "$program"
done

[ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
if [ $skipped = 0 ]; then echo "$passed passed, $failed failed"; else echo "$passed passed, $failed failed, $skipped skipped"; fi
[ $failed = 0 ] && [ $passed != 0 ]
