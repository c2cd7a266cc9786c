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
    if test/tools/check_symbols.sh "$scratch/a.so" "$scratch/o/c_src"; then fail "accepted: $2"; fi
}
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
