#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. test/tools/example.sh
