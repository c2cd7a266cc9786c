#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The version is the same in the application, the public header and the changelog.
. test/tools/scratch.sh
app=$(make -s version)
grep -q "^## \[$app\]\|^## \[Unreleased\]" CHANGELOG.md || fail "CHANGELOG.md has neither $app nor Unreleased"
if header=$(grep -h '^#define GCL_VERSION "' include/gen_cluster/*.h); then
    [ "$header" = "#define GCL_VERSION \"$app\"" ] || fail "$header, but the application has $app"
fi
