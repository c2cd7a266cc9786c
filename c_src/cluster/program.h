/* SPDX-License-Identifier: Apache-2.0 */
/** What program.c and program_options.c share. */
#ifndef GCL_CLUSTER_PROGRAM_H
#define GCL_CLUSTER_PROGRAM_H

#include <gen_cluster/program.h>
#include <stdio.h>

/** Writes what --help says of a program that was called as `path`. */
void gcl_program_write_help(FILE *out, const char *path, const gcl_program_config *config);

/** The last part of the path that a program was called by. */
const char *gcl_program_name(const char *path);

#endif
