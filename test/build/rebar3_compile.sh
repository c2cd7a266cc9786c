#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `rebar3 compile` builds both sides in a fresh copy, with no plugin, no network and no home.
. test/tools/scratch.sh
copy_project "$scratch/gen_cluster"
cd "$scratch/gen_cluster"
if grep -q plugins rebar.config; then fail 'rebar.config names plugins'; fi

# Without a network where that can be had: an attempt to fetch something then fails.
offline=
if unshare --net --map-root-user true 2>/dev/null; then offline='unshare --net --map-root-user'; fi
HOME=$scratch/home HEX_OFFLINE=1 $offline rebar3 compile

[ -f _build/default/lib/gen_cluster/ebin/gen_cluster.app ] || fail 'no application'
[ -f priv/lib/libgen_cluster.so ] || fail 'no library'
[ -f _build/default/lib/gen_cluster/priv/lib/libgen_cluster.so ] || fail 'no priv'
rebar3 clean
[ ! -e priv/lib ] || fail 'rebar3 clean left the library behind'
