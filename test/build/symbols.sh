#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Only gcl_* is exported, nothing is writable, each room calls what it may; and the check sees it
# when that is not so.
. test/tools/scratch.sh
test/tools/check_symbols.sh priv/lib/libgen_cluster.so _build/c/release/c_src

# refuses ROOM SOURCE
refuses()
{
    rm -rf "$scratch/o"
    mkdir -p "$scratch/o/c_src/$1"
    echo "$2" | ${CC:-gcc} -fPIC -O2 -x c -c -o "$scratch/o/c_src/$1/a.o" -
    ${CC:-gcc} -shared -o "$scratch/a.so" "$scratch/o/c_src/$1/a.o"
    if test/tools/check_symbols.sh "$scratch/a.so" "$scratch/o/c_src" "$scratch/none"; then fail "accepted: $2"; fi
}
# What a header promises.
mkdir -p "$scratch/include"
printf 'GCL_API struct gcl_thing *\ngcl_b(void);\n' >"$scratch/include/b.h"
if test/tools/check_symbols.sh priv/lib/libgen_cluster.so _build/c/release/c_src "$scratch/include"; then
    fail 'accepted: a function that is declared and not exported'
fi
echo 'GCL_API gcl_term_context *gcl_node_terms(gcl_node *node);' >"$scratch/include/b.h"
test/tools/check_symbols.sh priv/lib/libgen_cluster.so _build/c/release/c_src "$scratch/include"

mkdir "$scratch/none"
refuses base 'int gcl_a;'
refuses base 'int gcl_a(void) { static int n = 1; return n++; }'
refuses base 'int gcl_a(void) { static _Thread_local int n; return n++; }'
refuses base 'int helper(void) { return 0; }'
refuses base '#include <stdlib.h>
char *gcl_a(void) { return getenv("A"); }'
refuses node '#include <stdlib.h>
void *gcl_a(void) { return malloc(1); }'
refuses node 'int ei_decode_long(void); int gcl_a(void) { return ei_decode_long(); }'
refuses core 'long time(long *); long gcl_a(void) { return time(0); }'
