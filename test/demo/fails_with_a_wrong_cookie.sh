#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo sees that the member in C has a wrong cookie.
. test/tools/demo.sh
program "GCL_COOKIE=wrong exec '$PWD/priv/bin/example_cluster_srv' \"\$@\""
demo_fails 'one@127.0.0.1: handle_join three@127.0.0.1' "$scratch/program"
