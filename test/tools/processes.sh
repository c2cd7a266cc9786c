# SPDX-License-Identifier: Apache-2.0
# For tests that look whether a program leaves processes behind, which read it by
# `. test/tools/processes.sh` and start the program by `env "$mark" COMMAND`.
mark=GEN_CLUSTER_TEST=$$-$RANDOM

# The processes that the program has started have the mark in their environment.
processes()
{
    grep -lzx "$mark" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}
