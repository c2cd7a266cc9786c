#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The changelog has a section for what is not released yet, or for the version that this is.
. test/tools/scratch.sh
version=$(sed -n 's/.*{vsn, *"\(.*\)"}.*/\1/p' src/gen_cluster.app.src)
head=$(sed -n 's/^## \[\(.*\)\].*/\1/p' CHANGELOG.md | head -n 1)
[ "$head" = Unreleased ] || [ "$head" = "$version" ] || fail "CHANGELOG.md begins with $head, this is $version"
sed -n '/^## \[/,/^## \[/p' CHANGELOG.md | grep -q '^- ' || fail 'CHANGELOG.md says nothing of it'
