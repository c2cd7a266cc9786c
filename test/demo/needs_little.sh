#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo runs with the Erlang libraries of Debian's erlang-base alone, and without rebar3.
. test/tools/scratch.sh

root=$(erl -noinput -eval 'io:format("~ts", [code:root_dir()]), halt().')
small=$scratch/erlang
mkdir -p "$small/lib" "$scratch/bin"
cp -as "$root"/erts-* "$root/releases" "$root/bin" "$small"
for library in compiler erts kernel sasl stdlib; do
    for folder in "$root/lib/$library"-*; do
        [ ! -d "$folder" ] || cp -as "$folder" "$small/lib"
    done
done
rm "$small/bin/erl"
sed "s|^\( *\)ROOTDIR=.*|\1ROOTDIR=$small|" "$root/bin/erl" >"$small/bin/erl"
chmod +x "$small/bin/erl"
printf '#!/bin/sh\necho "$0 is not to be used" >&2\nexit 70\n' >"$scratch/bin/rebar3"
chmod +x "$scratch/bin/rebar3"
PATH=$small/bin:$scratch/bin:$PATH

[ "$(command -v erl)" = "$small/bin/erl" ] || fail 'another erl'
erl -noinput -eval '{error, bad_name} = code:lib_dir(common_test), halt().' ||
    fail 'common_test is there'
erlc -Werror -pa ebin -o "$scratch" examples/*.erl
priv/demo "$PWD/priv/bin/example_cluster_srv" "$scratch"
