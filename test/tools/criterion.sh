#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# criterion.sh KIND PREFIX BINARY RESULTS [ARG...]
#
# Runs a Criterion binary and writes one line `KIND PREFIXsuite/test passed|failed|skipped` per
# test, with lines `| ...` behind one that failed. A binary that ends early fails as
# `KIND PREFIXcomplete`.
#
# GCL_REPORT_STATUS is the status of a process that a sanitizer has something to say of. What that is
# stands in the report, which sanitizer_logs.sh judges: the runner's own is no end half way.
set -u
. test/tools/incomplete.sh
kind=$1 prefix=$2 binary=$3 results=$4
shift 4
mkdir -p "$(dirname "$results")"
rm -f "$results.tap" "$results"

timeout -k 10 "${GCL_TEST_TIMEOUT:-300}" "$binary" --tap="$results.tap" --timeout 120 "$@"
status=$?
[ $status != "${GCL_REPORT_STATUS:-}" ] || status=0

awk -v kind="$kind" -v prefix="$prefix" -v status=$status '
    /^1\.\.[0-9]+/ { expected = substr($1, 4) + 0 }
    /^(not )?ok - / {
        line = $0
        result = /^not ok/ ? "failed" : / # SKIP / ? "skipped" : "passed"
        sub(/^(not )?ok - /, "", line)
        sub(/ .*/, "", line)
        sub(/::/, "/", line)
        print kind, prefix line, result
        seen++
        if (result == "failed") failed++
        reasons = result == "failed" ? 8 : 0
        next
    }
    reasons > 0 && /[^ ]/ { print "| " $0; reasons-- }
    END { exit expected == 0 || seen != expected || (status != 0 && !failed) }
    ' "$results.tap" >"$results" 2>/dev/null || incomplete "$results" "$kind" "$prefix" $status
rm -f "$results.tap"
! grep -q '^[^|].* failed$' "$results"
