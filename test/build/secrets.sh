#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Digests are compared by secret_equal() alone, which has no branch but its loop: what it does does
# not depend on where the two differ.
. test/tools/scratch.sh
! grep -nE '(memcmp|gcl_str_equal|gcl_str_is)\([^;]*(digest|expected|cookie)' c_src/wire/handshake*.c c_src/net/*.c ||
    fail 'a secret is compared in a way that stops at the first difference'

# In a function of its own, as the compiler would make it, there is one jump that depends on data.
{
    printf '#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n'
    sed -n '/^static bool secret_equal/,/^}/p' c_src/wire/handshake.c | sed 's/^static //'
} >"$scratch/secret.c"
grep -q secret_equal "$scratch/secret.c" || fail 'secret_equal() is not in c_src/wire/handshake.c'
${CC:-gcc} -std=c11 -O1 -c -o "$scratch/secret.o" "$scratch/secret.c" || fail 'does not compile'
jumps=$(objdump -d --no-show-raw-insn "$scratch/secret.o" | grep -cE '[[:space:]](j[a-z]+|b\.[a-z]+|cbn?z|tbn?z)[[:space:]]' || :)
# The test of the size, once before the loop and once in it, and nothing else; `jmp` into it counts.
[ "$jumps" -le 3 ] || fail "$jumps jumps in secret_equal()"
