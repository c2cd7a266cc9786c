#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/membership.md is about the version that both implementations speak, and has each message and
# each key of it.
. test/tools/scratch.sh
doc=doc/membership.md
erlang=$(sed -n 's/^-define(VERSION, \([0-9]*\)).*/\1/p' src/gen_cluster_core_message.erl)
c=$(sed -n 's/.*GCL_CLUSTER_VERSION = \([0-9]*\).*/\1/p' c_src/cluster/message.h)
[ -n "$erlang" ] && [ "$erlang" = "$c" ] || fail "versions: $erlang in Erlang, $c in C"
grep -q "{'\$gen_cluster', $erlang, Kind, Cluster, From, Map}" $doc || fail "$doc is about another version"

words() { sed -n "s/^    GCL_MEMBERSHIP_$1\([A-Z]*\)\( = 1 << [0-9]*\)\?,.*/\1/p" "$2" | tr '[:upper:]' '[:lower:]'; }
header=c_src/core/membership/message.h
kinds=$(sed -n '/^enum gcl_membership_message_kind/,/^};/p' $header >"$scratch/kinds"; words '' "$scratch/kinds")
keys=$(sed -n '/^enum gcl_membership_key/,/^};/p' $header >"$scratch/keys"; words KEY_ "$scratch/keys")
[ "$(echo "$kinds" | wc -w)" -ge 6 ] && [ "$(echo "$keys" | wc -w)" -ge 15 ] || fail "$header has another form"
for kind in $kinds; do
    grep -q "^| \`$kind\` |" $doc || fail "$doc: the message $kind is missing"
done
for key in $keys; do
    grep -q "\`$key\`" $doc || fail "$doc: the key $key is missing"
done
