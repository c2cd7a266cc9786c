#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# with_epmd.sh COMMAND [ARG...]: as priv/with_epmd, which the demo uses, too.
exec "$(dirname "$0")/../../priv/with_epmd" "$@"
