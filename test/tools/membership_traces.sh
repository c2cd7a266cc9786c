#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# membership_traces.sh FILE [COUNT [SEED]]
#
# Simulates clusters (test/ct/membership_sim.erl) and writes what their members did as vectors, in
# the format of test/vectors/membership.txt. The Erlang application has to be built.
set -eu
file=$1 count=${2:-500} seed=${3:-1}
beams=_build/test/ebin/membership
mkdir -p "$beams" "$(dirname "$file")"
${ERLC:-erlc} -I test/ct -pa ebin -o "$beams" test/ct/membership_vectors.erl test/ct/membership_global.erl \
    test/ct/membership_world.erl test/ct/membership_checks.erl test/ct/membership_sim.erl \
    test/ct/membership_trace.erl
exec ${ERL:-erl} -noshell -noinput -pa ebin "$beams" -run membership_trace main "$file" "$count" "$seed"
