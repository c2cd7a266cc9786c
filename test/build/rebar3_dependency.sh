#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# As a dependency of another application, from its _checkouts.
. test/tools/scratch.sh
copy_project "$scratch/app/_checkouts/gen_cluster" with_objects
mkdir -p "$scratch/app/src"
cd "$scratch/app"
echo '{deps, [gen_cluster]}.' >rebar.config
echo '{application, app, [{vsn, "1"}, {applications, [kernel, stdlib, gen_cluster]}]}.' >src/app.app.src
HOME=$scratch/home rebar3 compile

lib=$(find . -path '*/gen_cluster/priv/lib/libgen_cluster.so' | head -n 1)
[ -n "$lib" ] || fail 'no library'
erl -noshell -pa _build/default/*/*/ebin -eval '
    ok = application:load(gen_cluster),
    true = filelib:is_regular(filename:join([code:priv_dir(gen_cluster), lib, "libgen_cluster.so"])),
    halt(0).'
