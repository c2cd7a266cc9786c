/* SPDX-License-Identifier: Apache-2.0 */
/** Where programs get the cookie of their cluster from. A cookie never belongs on a command line.
 */
#ifndef GEN_CLUSTER_COOKIE_H
#define GEN_CLUSTER_COOKIE_H

#include <stddef.h>

#include <gen_cluster/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Longest cookie, with the terminating NUL: it is an atom of at most 255 characters. */
#define GCL_COOKIE_SIZE 256

/**
 * Reads the cookie file `path`, by the rules of OTP (kernel, auth.erl): a regular file that only
 * its owner can access; printable ASCII, with line ends and spaces after it ignored; not empty.
 * With `path` NULL the file is looked for as OTP does: `.erlang.cookie` in the home directory, then
 * `erlang/.erlang.cookie` in the XDG configuration directory. Unlike OTP it is not created.
 *
 * `cookie` gets the terminated text. On error it is empty and `detail` (may be NULL) gets a line
 * that names the file, what was expected and what to do. Blocks for as long as reading the file
 * does. GCL_ENOENT: no such file; GCL_ESYS: it cannot be read; GCL_EAUTH: others can access it, or
 * its content is no cookie.
 */
GCL_API int gcl_cookie_read(const char *path, char cookie[GCL_COOKIE_SIZE], char *detail,
                            size_t detail_size) GCL_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
