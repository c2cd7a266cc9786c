#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS [TARGET...]
#
# Runs each target of test/c/fuzz under libFuzzer. What is found is kept in _build/fuzz; a crash
# that is mended belongs into test/c/fuzz/corpus/<target>.
set -eu
seconds=$1
shift
ei=$(erl -noshell -eval 'io:format("~s",[code:lib_dir(erl_interface)]),halt().')
for target; do
    work=_build/fuzz/$target
    mkdir -p "$work/corpus"
    # shellcheck disable=SC2046
    clang -std=c11 -O1 -g -D_GNU_SOURCE -D_REENTRANT -fsanitize=fuzzer,address,undefined \
        -fno-sanitize-recover=undefined -Iinclude -Ic_src -isystem "$ei/include" \
        -o "$work/$target" "test/c/fuzz/$target.c" c_src/base/*.c c_src/wire/*.c c_src/wire/*/*.c \
        c_src/core/*.c c_src/core/*/*.c c_src/cluster/message.c \
        -L"$ei/lib" -lei -lev -lcrypto -pthread
    "$work/$target" -max_total_time="$seconds" -artifact_prefix="$work/" -rss_limit_mb=1024 \
        "$work/corpus" "test/c/fuzz/corpus/$target"
done
