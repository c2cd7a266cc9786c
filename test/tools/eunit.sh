#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# eunit.sh KIND RESULTS FOLDER
#
# Compiles the Erlang modules of a folder and runs those called *_tests by EUnit.
set -u
. test/tools/incomplete.sh
kind=$1 results=$2 folder=$3
ebin=_build/test/ebin/$kind
here=test/tools
mkdir -p "$ebin" "$(dirname "$results")"
rm -f "$results" "$ebin"/*.beam

if ! ${ERLC:-erlc} +debug_info +nowarn_missing_spec -I include -I src -pa ebin -o "$ebin" \
    $here/gen_cluster_test_eunit.erl "$folder"/*.erl; then
    echo "$kind compile failed" >"$results"
    exit 1
fi
modules=$(cd "$folder" && ls -- *_tests.erl | sed 's/\.erl$//')
# shellcheck disable=SC2086
timeout -k 10 "${GCL_TEST_TIMEOUT:-300}" ${ERL:-erl} -noshell -noinput -pa ebin "$ebin" \
    -run gen_cluster_test_eunit main "$kind" "$results" $modules
status=$?
[ $status = 0 ] || grep -q '^[^|].* failed$' "$results" 2>/dev/null ||
    incomplete "$results" "$kind" '' $status
exit $status
