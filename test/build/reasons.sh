#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Why a case of Common Test has failed, and that Common Test has not come to its end, is said where
# the sum is.
. test/tools/scratch.sh
mkdir -p "$scratch/test/ct"
cp -R test/tools test/skips "$scratch/test/"
cp -R priv "$scratch/"
cd "$scratch"

cat >test/ct/fails_SUITE.erl <<'END'
-module(fails_SUITE).
-export([all/0, short/1, long/1, passes/1]).
all() -> [short, long, passes].
short(_Config) -> error({'GCL_SCHEDULE', 60}).
long(_Config) -> error([{N, lists:duplicate(80, $a)} || N <- lists:seq(1, 50)]).
passes(_Config) -> ok.
END
cat >test/ct/ends_SUITE.erl <<'END'
-module(ends_SUITE).
-export([all/0, fails/1, ends/1]).
all() -> [fails, ends].
fails(_Config) -> error(wrong).
ends(_Config) -> halt(3).
END

# run SUITE: its sum is in `out`
run()
{
    if test/tools/ct.sh ct '' "$1/ct.txt" "$1" >log 2>&1; then fail "$1 passed"; fi
    if test/tools/summary.sh "$1" /dev/null 0 ct >out; then fail "the sum of $1 passed"; fi
}
says() { grep -q "$1" out || { cat out; fail "not said: $1"; }; }

run fails_SUITE
says '^  failed: ct:fails_SUITE/short$'
says "^    | .*{'GCL_SCHEDULE',60}"
says '^  failed: ct:fails_SUITE/long$'
says '^    | and so on$'
[ "$(wc -l <out)" -lt 40 ] || { cat out; fail 'a reason without end'; }
says '^1 passed, 2 failed, 0 skipped$'

# Also where a case has failed before.
run ends_SUITE
says '^  failed: ct:ends_SUITE/fails$'
says '^  failed: ct:complete$'
says '^    | ended with status 3, behind: ct ends_SUITE/fails failed$'
