#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every command of the README, those in blocks marked `sh`, in order and in one shell, as a newcomer
# would type them; a block marked `c FILE` is that file. The address it is cloned from stands for the
# files as they are here; `make test` runs the unit tests only, because this is a part of it. As for a
# newcomer, there is neither an epmd (on a port of their own) nor a cookie.
. test/tools/scratch.sh
. test/tools/processes.sh
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

finish()
{
    # shellcheck disable=SC2046
    kill $(processes) 2>/dev/null || :
    rm -rf "$scratch"
}
trap finish EXIT
export ERL_EPMD_PORT=$((10000 + RANDOM % 20000))
mkdir "$scratch/newcomer" "$scratch/home"
cd "$scratch/newcomer"
env "$mark" HOME="$scratch/home" bash -e -m -x "$scratch/commands" 2>&1 | tee "$scratch/output"
[ "${PIPESTATUS[0]}" = 0 ] || fail 'a command failed'

# What the README says that is seen.
for line in 'c2@localhost joined, we are 2' '{ok,42}' '{ok,1}'; do
    grep -qxF "$line" "$scratch/output" || fail "not seen: $line"
done
