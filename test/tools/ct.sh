#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ct.sh KIND PREFIX RESULTS [SUITE...]
#
# Runs the suites of test/ct by Common Test, in a hidden node under an epmd of its own. They find
# the C programs to test in the folder GCL_BIN and the root of the project in GCL_ROOT. ERL and ERLC
# are those of the release of OTP to run them on, for which the application is in GCL_EBIN.
set -u
. test/tools/incomplete.sh
kind=$1 prefix=$2 results=$3
shift 3
root=$PWD
folder=$root/_build/test/$kind${prefix:+/${prefix%/}}
suites=$folder/suites
logs=$folder/logs
ebin=$folder/ebin
rm -rf "$suites"
mkdir -p "$suites" "$logs" "$ebin" "$(dirname "$results")"
rm -f "$results"
# Common Test compiles next to the sources.
cp -R test/ct/. "$suites"

if ! ${ERLC:-erlc} -o "$ebin" test/tools/gen_cluster_test_ct.erl; then
    echo "$kind ${prefix}compile failed" >"$results"
    exit 1
fi
GCL_ROOT=$root
export GCL_ROOT
timeout -k 10 "${GCL_TEST_TIMEOUT:-600}" test/tools/with_epmd.sh ${ERL:-erl} -noshell -noinput \
    -name ct@127.0.0.1 -hidden -connect_all false -kernel prevent_overlapping_partitions false \
    -pa "${GCL_EBIN:-$root/ebin}" "$ebin" \
    -run gen_cluster_test_ct main "$kind" "$prefix" "$root/$results" "$suites" "$logs" "$@"
status=$?
# Common Test itself ends with 1 when a case has failed. Anything else is an end half way.
if [ $status != 0 ] && ! { [ $status = 1 ] && grep -q '^[^|].* failed$' "$results" 2>/dev/null; }; then
    incomplete "$results" "$kind" "$prefix" $status
fi
[ $status = 0 ] || echo "  Logs: $logs/index.html"
exit $status
