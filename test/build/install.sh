#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A program is built against the installed tree by what pkg-config says, shared and static, and one
# that links libei as well; uninstall leaves no file behind.
. test/tools/scratch.sh
make -s install DESTDIR="$scratch/dest" PREFIX=/opt/gcl >/dev/null
tree=$scratch/dest/opt/gcl
PKG_CONFIG_SYSROOT_DIR=$scratch/dest PKG_CONFIG_PATH=$tree/lib/pkgconfig
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_PATH
[ "$(pkg-config --modversion gen_cluster)" = "$(make -s version)" ] || fail 'version'

cat >"$scratch/plain.c" <<'END'
#include <stdio.h>
#include <gen_cluster/error.h>
int main(void)
{
    return puts(gcl_strerror(GCL_ENOMEM)) < 0;
}
END
cat >"$scratch/ei.c" <<'END'
#include <ei.h>
#include <gen_cluster/error.h>
int main(void)
{
    char bytes[16];
    int at = 0;
    long number = 0;
    if (ei_init() != 0 || ei_encode_long(bytes, &at, 42) != 0)
        return 1;
    at = 0;
    return ei_decode_long(bytes, &at, &number) != 0 || number != 42 || !gcl_strerror(GCL_ENOMEM);
}
END

# program NAME SOURCE FLAGS...
program()
{
    name=$1 source=$2
    shift 2
    # shellcheck disable=SC2046
    ${CC:-gcc} -std=c11 -Wall -Wextra -Werror -o "$scratch/$name" "$scratch/$source" "$@" || fail "$name"
    LD_LIBRARY_PATH=$tree/lib "$scratch/$name" || fail "$name does not run"
}
ei=$(make -s ei-root)
# shellcheck disable=SC2046
{
    program shared plain.c $(pkg-config --cflags --libs gen_cluster)
    program shared_ei ei.c $(pkg-config --cflags --libs gen_cluster) -isystem "$ei/include" -L"$ei/lib" -lei
    # The system root goes before the folder of libei too, which is not below it.
    unset PKG_CONFIG_SYSROOT_DIR
    program static plain.c -I"$tree/include" "$tree/lib/libgen_cluster.a" \
        $(pkg-config --static --libs gen_cluster | sed 's/-L[^ ]*gcl[^ ]* *-lgen_cluster//')
}
readelf -d "$scratch/shared" | grep -q 'libgen_cluster\.so\.[0-9]' || fail 'not linked by its soname'

erl -noshell -pa "$tree"/lib/erlang/lib/*/ebin -eval 'ok = application:load(gen_cluster), halt(0).'

make -s uninstall DESTDIR="$scratch/dest" PREFIX=/opt/gcl >/dev/null
left=$(find "$scratch/dest" ! -type d)
[ -z "$left" ] || fail "left behind: $left"
