#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libei is that of the Erlang that runs, which a wrapper stands for here; rebar3 and Mix may name
# another place.
. test/tools/scratch.sh
mkdir -p "$scratch/bin"
printf '#!/bin/sh\nprintf /another/erlang/erl_interface\n' >"$scratch/bin/erl"
chmod +x "$scratch/bin/erl"

expect() { [ "$1" = "$2" ] || fail "$1 instead of $2"; }
unset ERLANG_LIB_DIR_erl_interface ERL_EI_INCLUDE_DIR ERL_INTERFACE_INCLUDE_DIR
expect "$(PATH=$scratch/bin:$PATH make -s ei-root)" /another/erlang/erl_interface
expect "$(ERLANG_LIB_DIR_erl_interface=/by/rebar3 make -s ei-root)" /by/rebar3
ERL_EI_INCLUDE_DIR=/by/mix/include make -s c-flags | grep -q -- '-isystem /by/mix/include' || fail 'Mix'

running=$(erl -noshell -eval 'io:format("~s", [code:lib_dir(erl_interface)]), halt().')
expect "$(make -s ei-root)" "$running"
