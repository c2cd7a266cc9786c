#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make deps` on machines where something is missing; apt, sudo and id are stand-ins that write down
# what they are asked.
. test/tools/scratch.sh
bin=$scratch/bin
log=$scratch/log
mkdir "$bin"
for tool in sh env dirname readlink timeout cat touch erl pkg-config; do
    ln -s "$(command -v $tool)" "$bin/$tool"
done

# stub NAME LINE...: a command that runs these lines
stub()
{
    name=$1
    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$bin/$name"
    chmod +x "$bin/$name"
}
stub true "exit 0"
stub id 'echo 0'
stub apt-get "echo \"apt-get \$*\" >>$log" "[ \"\$1\" != update ] || touch $scratch/updated"
stub apt-cache "[ ! -e $scratch/updated ] || echo \"Package: \$3\""

# deps EXPECTED_STATUS ARG...
deps()
{
    expected=$1
    shift
    : >"$log"
    status=0
    PATH=$bin /bin/sh c_src/deps.sh "$@" >"$scratch/out" 2>&1 || status=$?
    [ $status = "$expected" ] || { cat "$scratch/out"; fail "deps.sh $*: exit $status"; }
}
said() { grep -q -- "$1" "$scratch/out" || { cat "$scratch/out"; fail "not said: $1"; }; }

unset CC
echo 'looking only: it says what, why, how much and how, and installs nothing'
deps 69 check build
said '^  gcc  *[0-9]* MB  compiles the C side$'
said 'apt-get install -y --no-install-recommends gcc libc6-dev libev-dev libssl-dev$'
[ ! -s "$log" ] || fail 'apt was called'

echo 'installing: the lists are fetched first when they do not know a package'
deps 0 install build
said '^  libev-dev  *[0-9]* MB  the event loop of a C node$'
[ "$(cat "$log")" = "apt-get update
apt-get install -y --no-install-recommends gcc libc6-dev libev-dev libssl-dev" ] || fail "$(cat "$log")"

echo 'and not when they do'
deps 0 install demo
[ "$(cat "$log")" = "apt-get install -y --no-install-recommends gcc libc6-dev libev-dev libssl-dev" ] ||
    fail "$(cat "$log")"

echo 'the tests need more'
deps 0 install test
grep -q ' libcriterion-dev.* rebar3' "$log" || fail "$(cat "$log")"

echo 'not root: by sudo'
stub id 'echo 1000'
stub sudo "echo sudo >>$log" '[ "$1" != -n ] || shift' 'exec "$@"'
deps 0 install build
said 'sudo env DEBIAN_FRONTEND=noninteractive apt-get install'
grep -q sudo "$log" || fail 'sudo was not used'

echo 'not root and no sudo: the command, and exit 69'
rm "$bin/sudo"
deps 69 install build
said 'apt-get install -y --no-install-recommends gcc'
[ ! -s "$log" ] || fail 'apt was called'

echo 'make and make demo need these seven and no other'
rm "$bin/erl" "$bin/pkg-config"
for goal in build demo; do
    deps 69 check $goal
    said 'recommends gcc libc6-dev pkg-config libev-dev libssl-dev erlang-base erlang-dev$'
done

echo 'an unknown goal'
deps 64 install everything
