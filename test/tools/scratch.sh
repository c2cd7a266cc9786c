# SPDX-License-Identifier: Apache-2.0
# For tests that are shell scripts, which read it by `. test/tools/scratch.sh`: `scratch` is an
# empty folder that goes away at the end, `copy_project DIR` puts the files of the project there, as
# a clone would (`with_objects`: and what was compiled, so that only the rest is made again).
set -eu
scratch=$(mktemp -d "${TMPDIR:-/tmp}/gen_cluster.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# What the make that runs the tests was told is not meant for the ones that are tested.
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS

copy_project()
{
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard |
        tar --null --ignore-failed-read -T - -c -f - 2>/dev/null | tar -x -f - -C "$1"
    if [ "${2:-}" = with_objects ]; then
        mkdir -p "$1/_build/c"
        cp -a _build/c/release "$1/_build/c/"
    fi
}

fail()
{
    echo "$*"
    exit 1
}
