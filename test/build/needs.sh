#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make` touches none of the tools that only the tests need.
. test/tools/scratch.sh
copy_project "$scratch/p"
mkdir "$scratch/bin"
for tool in rebar3 ct_run dialyzer escript elixir mix clang clang-format clang-tidy cppcheck valgrind rake python3 git; do
    printf '#!/bin/sh\necho "%s was called"\nexit 1\n' $tool >"$scratch/bin/$tool"
    chmod +x "$scratch/bin/$tool"
done
cd "$scratch/p"
PATH=$scratch/bin:$PATH make -s all >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
[ -f ebin/gen_cluster.app ] && [ -f priv/lib/libgen_cluster.so ] || fail 'not built'
if grep 'was called' "$scratch/log"; then exit 1; fi
