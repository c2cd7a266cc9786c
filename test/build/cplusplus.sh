#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A program in C++11 that includes every public header, matches and writes terms by overloads, and
# links to the library; and arguments of a type that no directive takes, which must not compile, in
# C++ as in C.
. test/tools/scratch.sh
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
cc=${CC:-gcc}
cxx=${CXX:-g++}

{
    for header in include/*.h include/gen_cluster/*.h; do
        [ ! -f "$header" ] || printf '#include <%s>\n' "${header#include/}"
    done
    cat test/build/cplusplus.cc
} >"$scratch/all.cc"
for compiler in "$cxx" clang++; do
    command -v "$compiler" >/dev/null || continue
    # shellcheck disable=SC2086
    $compiler -std=c++11 $warnings -Iinclude -c -o "$scratch/all.o" "$scratch/all.cc" ||
        fail "$compiler: the public headers in one C++11 file"
    $compiler -o "$scratch/all" "$scratch/all.o" -Lpriv/lib -lgen_cluster || fail "$compiler: linking"
    LD_LIBRARY_PATH=priv/lib "$scratch/all" || fail "$compiler: the program ended with $?"
done

# $1: what stands in the parentheses. Fine arguments first, or nothing would be shown.
compiles() {
    cat >"$scratch/argument.h" <<EOF
#include <gen_cluster/term.h>
struct other { int field; };
static inline void use(gcl_term term, gcl_writer *writer)
{
    int64_t n = 0; double f = 0; char c = 'c'; void *p = 0; float g = 0; struct other other = {0};
    char text[] = "text"; const gcl_term constant = term; long double wide = 0; gcl_writer *w = writer;
    (void)n; (void)f; (void)c; (void)p; (void)g; (void)other; (void)text; (void)constant;
    (void)wide; (void)w;
    (void)$1;
}
EOF
    printf '#include "argument.h"\nextern int unit;\n' >"$scratch/argument.c"
    # shellcheck disable=SC2086
    case $2 in
    c) $cc -std=c11 -Wall -Werror -Wno-unused-function -Iinclude -fsyntax-only "$scratch/argument.c" ;;
    *) $cxx -std=c++11 -Wall -Werror -Wno-unused-function -Iinclude -fsyntax-only -x c++ \
        "$scratch/argument.c" ;;
    esac 2>"$scratch/errors"
}
good() {
    for language in c c++; do
        compiles "$1" $language || { cat "$scratch/errors"; fail "$language: $1"; }
    done
}
bad() {
    for language in c c++; do
        ! compiles "$1" $language || fail "$language compiles $1"
    done
}

good 'gcl_match(term, "~i", &n)'
good 'gcl_match(term, "{~f, ~t, a}", &f, &term)'
good 'gcl_match(term, "a")'
good 'gcl_write(writer, "{~i, ~f, ~f, ~s, ~t}", n, f, g, text, constant)'
good 'gcl_write(writer, "{~i, ~a}", 1, "atom")'
bad 'gcl_match(term, "~i", n)'
bad 'gcl_match(term, "~i", &c)'
bad 'gcl_match(term, "~f", &g)'
bad 'gcl_match(term, "~i", &other)'
bad 'gcl_match(term, "~s", text)'
bad 'gcl_match(term, "~t", &constant)'
bad 'gcl_match(term, "~i", &p)'
bad 'gcl_match(term, "~i", &n, other)'
bad 'gcl_write(writer, "~i", &n)'
bad 'gcl_write(writer, "~i", p)'
bad 'gcl_write(writer, "~i", c)'
bad 'gcl_write(writer, "~i", other)'
bad 'gcl_write(writer, "~f", wide)'
bad 'gcl_write(writer, "~t", w)'
bad 'gcl_write(writer, "{~i, ~t}", n, &term)'
