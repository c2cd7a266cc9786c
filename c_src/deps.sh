#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh check|install build|demo|test [quiet]
#
# What a goal needs of a Debian or Ubuntu machine. `check` only looks, `install` installs what is
# missing, by sudo where the user is not root. Something is there when it can be used, wherever it
# came from, so a machine with its own Erlang needs no second one.
#
# Exit: 0 everything is there, 69 something is missing and was not or could not be installed.
set -u
mode=$1 goal=$2

case $goal in
build | demo) ;;
test) ;;
*) echo "deps: unknown goal '$goal' (build, demo or test)" >&2; exit 64 ;;
esac

missing= rows=

# need PACKAGE MB REASON TEST...: MB is what the package and what it needs take, about.
need()
{
    package=$1 size=$2 reason=$3
    shift 3
    "$@" >/dev/null 2>&1 && return
    missing="$missing $package"
    rows="$rows$(printf '  %-20s %4s MB  %s' "$package" "$size" "$reason")
"
}

command_exists() { command -v "$1"; }
header() { printf '#include <%s>\n' "$1" | ${CC:-gcc} -E -x c - ; }

# A file of an Erlang library of the erl on the path, found without starting it where that goes.
# The file matters: Debian has folders with nothing but headers for libraries that are not there.
erlang_library()
{
    erl=$(command -v erl) || return
    root=$(dirname "$(dirname "$(readlink -f "$erl")")")
    for path in "$root/lib/$1"-*/"$2"; do
        [ -e "$path" ] && return
    done
    erl -noshell -eval "halt(case filelib:is_file(filename:join(code:lib_dir($1), \"$2\")) of
        true -> 0; false -> 1 end)."
}

case ${CC:-gcc} in
clang) need clang 550 'compiles the C side' command_exists clang ;;
*) need gcc 140 'compiles the C side' command_exists ${CC:-gcc} ;;
esac
need libc6-dev 20 'headers of the C library' header stdlib.h
need pkg-config 1 'finds OpenSSL' command_exists "${PKG_CONFIG:-pkg-config}"
need libev-dev 1 'the event loop of a C node' header ev.h
need libssl-dev 13 'the digest of the handshake' header openssl/evp.h
need erlang-base 20 'runs the Erlang nodes' command_exists erl
need erlang-dev 3 'the term codec (libei)' erlang_library erl_interface lib/libei.a

if [ "$goal" = test ]; then
    need g++ 45 'the headers compile as C++' command_exists g++
    need libcriterion-dev 1 'unit tests in C' header criterion/criterion.h
    need erlang-common-test 8 'tests against real Erlang nodes' erlang_library common_test ebin/common_test.app
    need erlang-eunit 1 'unit tests in Erlang' erlang_library eunit ebin/eunit.app
    need erlang-mnesia 2 'what mnesia asks other nodes' erlang_library mnesia ebin/mnesia.app
    need erlang-proper 1 'property tests in Erlang' erlang_library proper ebin/proper.app
    need erlang-dialyzer 12 'make check: types' erlang_library dialyzer ebin/dialyzer.app
    need erlang-tools 2 'make check: cross references' erlang_library tools ebin/tools.app
    need rebar3 2 'the build as others call it' command_exists rebar3
    need elixir 7 'a C member below an Elixir supervisor' command_exists elixir
    need rake 30 'rake server:start1' command_exists rake
    need clang 550 'a second compiler, the fuzzer' command_exists clang
    need clang-format 1 'make check: format' command_exists clang-format
    need clang-tidy 20 'make check: lint' command_exists clang-tidy
    need cppcheck 12 'make check: lint' command_exists cppcheck
    need valgrind 80 'instruction counts, memory' command_exists valgrind
    need faketime 1 'a clock that is set back' command_exists faketime
    need bsdutils 1 'tests that type into a terminal' command_exists script
    need patchelf 1 'tests on other releases of OTP' command_exists patchelf
    need debian-archive-keyring 1 'tests on other releases of OTP' \
        test -e /usr/share/keyrings/debian-archive-keyring.gpg
    need git 45 'tests in a fresh clone' command_exists git
fi

if [ -z "$missing" ]; then
    [ -n "${3:-}" ] || echo "deps: everything for '$goal' is there"
    exit 0
fi

sudo=
[ "$(id -u)" = 0 ] || sudo='sudo '
apt="${sudo}env DEBIAN_FRONTEND=noninteractive apt-get"
update="$apt update"
install="$apt install -y --no-install-recommends$missing"

printf "Missing for '%s' (sizes are about, with what a package needs):\n%s" "$goal" "$rows"
printf 'Command:\n  %s\n' "$install"

if [ "$mode" = check ]; then
    echo "'make deps GOAL=$goal' runs it."
    exit 69
elif ! command -v apt-get >/dev/null; then
    echo 'There is no apt-get here: install the same by other means.'
    exit 69
elif [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
    echo 'Neither root nor sudo: have it run by somebody who is root.'
    exit 69
fi

# A package that others only refer to is shown as nothing, with status 0.
known()
{
    for package in $missing; do
        [ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] || return
    done
}
# shellcheck disable=SC2086
run() { echo "+ $*"; timeout 900 "$@" </dev/null; }

if [ -n "$sudo" ] && ! sudo -n true 2>/dev/null; then
    sudo -v || { echo 'sudo was refused: have the command above run by somebody who may.'; exit 69; }
fi
known || run $update || exit 69
run $install && exit 0
# A list that is older than the archive names files that are gone.
run $update && run $install && exit 0
exit 69
