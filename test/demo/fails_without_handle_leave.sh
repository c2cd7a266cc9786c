#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo sees that a member, in Erlang or in C, has no handle_leave.
. test/tools/demo.sh

mkdir "$scratch/examples"
cp _build/examples/*.beam "$scratch/examples"
awk '
    /^-spec handle_leave/ { next }
    /^handle_leave\(/ { skip = 1 }
    skip { if (/\.$/) skip = 0; next }
    { gsub(/handle_leave\/4, /, "") } 1' \
    examples/example_cluster_srv.erl >"$scratch/example_cluster_srv.erl"
! grep -q handle_leave "$scratch/example_cluster_srv.erl" || fail 'handle_leave is there'
erlc -pa ebin -o "$scratch/examples" "$scratch/example_cluster_srv.erl"
demo_fails 'one@127.0.0.1: handle_leave three@127.0.0.1' "$PWD/priv/bin/example_cluster_srv" \
    "$scratch/examples"

sed '/\.handle_leave = /d' examples/example_cluster_srv.c >"$scratch/member.c"
# shellcheck disable=SC2046
cc $(make -s c-flags) -Wno-unused-function -o "$scratch/member" "$scratch/member.c" \
    _build/c/release/libgen_cluster.a $(make -s c-libs)
demo_fails 'three@127.0.0.1: handle_leave one@127.0.0.1' "$scratch/member"
