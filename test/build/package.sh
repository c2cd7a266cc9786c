#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a package for Hex holds (the default folders and the Makefile) builds without the rest.
. test/tools/scratch.sh
copy_project "$scratch/whole" with_objects
mkdir "$scratch/package"
cd "$scratch/whole"
cp -R src c_src include priv _build rebar.config README.md LICENSE Makefile "$scratch/package"
cd "$scratch/package"
rm -rf priv/bin priv/lib
HOME=$scratch/home rebar3 compile
[ -f priv/lib/libgen_cluster.so ] || fail 'no library'
