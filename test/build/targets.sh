#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the targets that are too long to be run here would run.
. test/tools/scratch.sh

# runs GOALS PATTERN
runs()
{
    # shellcheck disable=SC2086
    make -n $1 2>/dev/null | grep -q -- "$2" || fail "make $1 does not run $2"
}
runs all 'deps.sh install build'
runs demo 'deps.sh install demo'
runs test 'deps.sh install test'
runs c 'deps.sh check build'
runs test-fast 'test-unit test-sim'
# By which criterion.sh knows that a report is why the runner failed.
runs test-sanitizer GCL_REPORT_STATUS=86
runs test-sanitizer exitcode=86
for check in layers symbols format tidy cppcheck xref dialyzer; do
    make -s list-checks | grep -qw $check || fail "make check leaves $check out"
done
runs check-layers check_layers.sh
runs check-format clang-format
runs check-tidy clang-tidy
runs check-cppcheck cppcheck
runs check-xref xref.escript
runs check-dialyzer dialyzer

unset WERROR
if make -s c-flags | grep -q -- -Werror; then fail '-Werror by default'; fi
WERROR=1 make -s c-flags | grep -q -- -Werror || fail 'no -Werror by WERROR=1'
grep -q '^export WERROR=1' .ci/run || fail 'CI does without -Werror'
grep -q 'make deps GOAL=test' .ci/run || fail 'CI does not call make deps'
for goal in test test-otp; do
    grep -q "make .*$goal\$" .ci/run || fail "CI does not call make $goal"
done
