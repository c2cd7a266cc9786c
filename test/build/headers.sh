#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles alone, as C11 and as C++11, each internal one alone as C11; with
# every warning on.
. test/tools/scratch.sh
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
flags=$(make -s c-flags)

for header in include/*.h include/gen_cluster/*.h; do
    [ -f "$header" ] || continue
    printf '#include <%s>\nextern int unit;\n' "${header#include/}" >"$scratch/a.c"
    # shellcheck disable=SC2086
    ${CC:-gcc} -std=c11 $warnings -Iinclude -fsyntax-only "$scratch/a.c" || fail "$header as C11"
    g++ -std=c++11 $warnings -Iinclude -fsyntax-only -x c++ "$scratch/a.c" || fail "$header as C++11"
done
for header in c_src/*/*.h; do
    printf '#include "%s"\nextern int unit;\n' "${header#c_src/}" >"$scratch/a.c"
    # shellcheck disable=SC2086
    ${CC:-gcc} $flags -Werror -fsyntax-only "$scratch/a.c" || fail "$header alone"
done
