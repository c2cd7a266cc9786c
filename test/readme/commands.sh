#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every command of the README, those in blocks marked `sh`, in order and in one shell, as a newcomer
# would type them; a block marked `c FILE` is that file. The address it is cloned from stands for the
# files as they are here; epmd and home are their own; `make test` runs the unit tests only, because
# this is a part of it.
. test/tools/scratch.sh
root=$PWD
copy_project "$scratch/origin"
(
    cd "$scratch/origin"
    git init -q
    git add -A
    git -c user.name=test -c user.email=test@localhost commit -q -m 'The files as they are'
)

address=$(sed -n 's/^git clone \([^ ]*\).*/\1/p' README.md)
[ -n "$address" ] || fail 'the README has no clone line'
grep -q 'apt-get install .*git make$' README.md || fail 'the README does not name git and make'

awk '
    /^```sh$/ { inside = 1; next }
    /^```c / { inside = 1; last = "END_OF_BLOCK"; print "cat >" $2 " <<\"" last "\""; next }
    /^```/ { inside = 0; if (last) print last; last = ""; next }
    inside' README.md >"$scratch/commands"
[ -s "$scratch/commands" ] || fail 'the README has no commands'

export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0="$address"
export GIT_CONFIG_KEY_0="url.$scratch/origin.insteadOf"
export GCL_KINDS=unit
# Root needs no sudo, and may not have it.
if [ "$(id -u)" = 0 ]; then
    mkdir "$scratch/bin"
    printf '#!/bin/sh\nexec "$@"\n' >"$scratch/bin/sudo"
    chmod +x "$scratch/bin/sudo"
    PATH=$scratch/bin:$PATH
fi
mkdir "$scratch/newcomer"
cd "$scratch/newcomer"
"$root/test/tools/with_epmd.sh" bash -e -m -x "$scratch/commands"
