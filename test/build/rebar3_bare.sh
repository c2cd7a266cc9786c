#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `rebar3 bare compile` is what Mix runs for its dependencies, with and without an output folder.
. test/tools/scratch.sh
copy_project "$scratch/plain" with_objects
copy_project "$scratch/source" with_objects
HOME=$scratch/home
export HOME

cd "$scratch/plain"
rebar3 bare compile --paths "$scratch/none"
[ -f ebin/gen_cluster.app ] || fail 'no application'
[ -f priv/lib/libgen_cluster.so ] || fail 'no library'

cd "$scratch/source"
mkdir -p "$scratch/out/gen_cluster"
REBAR_BARE_COMPILER_OUTPUT_DIR=$scratch/out/gen_cluster rebar3 bare compile --paths "$scratch/none"
[ -f "$scratch/out/gen_cluster/ebin/gen_cluster.app" ] || fail 'no application in the output folder'
[ -f "$scratch/out/gen_cluster/priv/lib/libgen_cluster.so" ] || fail 'no library in the output folder'
[ ! -e priv/lib ] || fail 'the library was built into the source folder'
