#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/log.md is true: each event that the library logs is in it, with the level, and nothing else is.
. test/tools/scratch.sh
doc=doc/log.md

# `event level` of each call of gcl_log(); `*` for a level that is no literal. What the machine of
# global says goes by gcl_gns_log() to one that has the event; a program says itself what it has lost.
find c_src -name '*.c' ! -path c_src/base/log.c -exec cat {} + | tr '\n' ' ' >"$scratch/code"
grep -o 'gcl_log([^;"]*"[^"]*"' "$scratch/code" >"$scratch/calls"
[ "$(grep -o 'gcl_log(' "$scratch/code" | wc -l)" -eq "$(wc -l <"$scratch/calls")" ] ||
    fail 'a call of gcl_log() has no literal event'
{
    sed -e '/GCL_LOG_/!s/.*"\(.*\)"$/\1 */' -e 's/.*GCL_LOG_\([A-Z]*\), *"\(.*\)"$/\2 \1/' "$scratch/calls"
    grep -o 'gcl_log_try_stderr(GCL_LOG_[A-Z]*, *"[^"]*"' "$scratch/code" | sed 's/.*GCL_LOG_\([A-Z]*\), *"\(.*\)"/\2 \1/'
    grep -o 'gcl_gns_log([^;"]*GCL_LOG_[A-Z]*' "$scratch/code" | sed 's/.*GCL_LOG_/global /'
} | tr '[:upper:]' '[:lower:]' | sort -u >"$scratch/logged"

# The same of the rows `| event | levels | when | what to do |`.
sed -n 's/^| `\([a-z_]*\)` | \([a-z, ]*\) | [^|][^|]* | [^|][^|]* |$/\1,\2/p' "$doc" |
    awk -F', *' '{ for (i = 2; i <= NF; i++) print $1, $i }' | sort >"$scratch/said"
[ "$(grep -c '^| `' "$doc")" -eq "$(cut -d' ' -f1 "$scratch/said" | sort -u | wc -l)" ] ||
    fail "$doc: a row is twice, or no row"

while read -r event level; do
    if [ "$level" = '*' ]; then grep -q "^$event " "$scratch/said"; else grep -qx "$event $level" "$scratch/said"; fi ||
        fail "$doc has no $event of level $level"
done <"$scratch/logged"
while read -r event level; do
    grep -qx -e "$event $level" -e "$event \*" "$scratch/logged" || fail "$doc: nothing logs $event at $level"
done <"$scratch/said"

# Headers and other documents name events that there are.
grep -rho 'event `[a-z_]*`' include doc/visible.md | tr -d '`' | cut -d' ' -f2 | sort -u | while read -r event; do
    grep -q "^$event " "$scratch/said" || fail "there is no event $event"
done
