#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts.sh KIND RESULTS SCRIPT...
#
# Runs each script as one test named after its file: exit 0 passed, 77 skipped, anything else or
# more than GCL_TEST_TIMEOUT seconds failed. What a script writes is shown when it failed.
set -u
kind=$1 results=$2
shift 2
mkdir -p "$(dirname "$results")"
: >"$results"
log=$results.log
failures=0

for script; do
    name=$(basename "$script" .sh)
    timeout -k 10 "${GCL_TEST_TIMEOUT:-300}" "$script" >"$log" 2>&1 </dev/null
    status=$?
    [ $status != 124 ] || echo '(out of time)' >>"$log"
    case $status in
    0) result=passed ;;
    77) result=skipped ;;
    *) result=failed failures=$((failures + 1)) ;;
    esac
    printf '  %-8s %s:%s\n' "$result" "$kind" "$name"
    [ $result = passed ] || tail -n 60 "$log" | sed 's/^/    | /'
    echo "$kind $name $result" >>"$results"
    [ $result != failed ] || tail -n 8 "$log" | sed 's/^/| /' >>"$results"
done
rm -f "$log"
[ $failures = 0 ]
