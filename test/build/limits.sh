#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/limits.md has every limit of gcl_node_config with the default that the code sets, names only
# errors and log events that the code has, and for each limit a test that there is.
. test/tools/scratch.sh
doc=doc/limits.md

# `option default` of the code, as the document writes numbers.
sed -n '/^void gcl_node_config_init/,/^}/p' c_src/node/config.c |
    sed -n 's/^ *config->\([a-z_]*\) = \(.*\);$/\1 \2/p' |
    sed 's/(uint32_t)//; s/[()]//g; s/ \([0-9]*\) \* MIB$/ \1 MiB/; s/ MIB$/ 1 MiB/' |
    grep ' [0-9]' >"$scratch/options"
[ "$(wc -l <"$scratch/options")" -ge 15 ] || fail 'the defaults of gcl_node_config_init() were not found'

# The options of the struct that are numbers of something, all of which have a default.
sed -n '/^typedef struct gcl_node_config/,/^}/p' include/gen_cluster/node.h |
    sed -n 's/^ *\(unsigned\|size_t\|uint32_t\) \([a-z_]*\);.*/\2/p' | grep -v '^size$' |
    while read -r option; do
        grep -q "^$option " "$scratch/options" || echo "$option has no default"
    done >"$scratch/wrong"

while read -r option default; do
    row=$(grep "^|[^|]*\`$option\`" $doc) || { echo "$option is not in $doc"; continue; }
    echo "$row" | cut -d'|' -f3 | grep -qw "$default" || echo "$option: the default is $default"
done <"$scratch/options" >>"$scratch/wrong"

is_test() {
    suite=${1#*:} && name=${suite#*/} && suite=${suite%%/*}
    case $1 in
    unit:*/* | net:*/*) grep -rqs "^Test($suite, ${name}[,)]" "test/c/${1%%:*}/" ;;
    unit:*) [ -f "test/c/unit/test_$suite.c" ] ;;
    ct:*) grep -qs "^$name(" "test/ct/$suite.erl" ;;
    fuzz:*) [ -f "test/c/fuzz/$suite.c" ] ;;
    *) return 1 ;;
    esac
}

grep '^| ' $doc | sed 1d >"$scratch/rows"
while IFS='|' read -r _ limit default effect events tests _; do
    for event in $(echo "$events" | grep -o '`[a-z_]*`' | tr -d '`'); do
        grep -rq "\"$event\"" c_src || echo "$limit: no event $event"
    done
    for error in $(echo "$effect" | grep -o 'GCL_E[A-Z]*'); do
        grep -q "^ *X($error," include/gen_cluster/error.h || echo "$limit: no error $error"
    done
    [ -n "$(echo "$default" | tr -d ' ')" ] || echo "$limit: no default"
    echo "$tests" | grep -q '`' || echo "$limit: no test"
    for test in $(echo "$tests" | grep -o '`[^`]*`' | tr -d '`'); do
        is_test "$test" || echo "$limit: no test $test"
    done
done <"$scratch/rows" >>"$scratch/wrong"

[ ! -s "$scratch/wrong" ] || { cat "$scratch/wrong"; fail "$doc does not say what is"; }
