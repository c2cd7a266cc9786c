#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# capture.sh [FOLDER]
#
# Writes the bytes that two nodes of the installed OTP exchange into test/c/golden, or FOLDER. Only
# needed when more kinds of messages are wanted; tests read what is there.
set -eu
folder=${1:-test/c/golden}
work=_build/test/capture
mkdir -p "$work" "$folder"
erlc -Werror -o "$work" test/tools/gen_cluster_test_proxy.erl test/tools/gen_cluster_test_capture.erl
test/tools/with_epmd.sh erl -noinput -pa "$work" ebin -eval \
    "gen_cluster_test_capture:main([\"$folder\"]), halt()."
