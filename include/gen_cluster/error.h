/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Error codes. Functions that can fail return `int`: 0 (`GCL_OK`) or one of these negative codes.
 * The texts are those of gcl_strerror(). Details of a failed connection (which step, which flag,
 * which name) come with the log event and with the callback that reports it.
 */
#ifndef GEN_CLUSTER_ERROR_H
#define GEN_CLUSTER_ERROR_H

#include <gen_cluster/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, text): the one list from which enum, names and texts are made. */
#define GCL_ERROR_LIST(X)                                                                          \
    X(GCL_EINVAL, -1, "invalid argument")                                                          \
    X(GCL_ENOMEM, -2, "out of memory")                                                             \
    X(GCL_ESYS, -3, "system call failed")                                                          \
    X(GCL_ELIMIT, -4, "limit exceeded")                                                            \
    X(GCL_EBUSY, -5, "output queue above its soft limit, try again when writable")                 \
    X(GCL_ESTALE, -6, "handle or pid of something that no longer exists")                          \
    X(GCL_EEXIST, -7, "already there")                                                             \
    X(GCL_ENOENT, -8, "not found")                                                                 \
    X(GCL_ENOPROC, -9, "no such process")                                                          \
    X(GCL_ENOCONNECTION, -10, "node not connected")                                                \
    X(GCL_ETIMEOUT, -11, "timeout")                                                                \
    X(GCL_ECANCELED, -12, "canceled")                                                              \
    X(GCL_ECLOSED, -13, "closed")                                                                  \
    X(GCL_ENOTSUP, -14, "not supported")                                                           \
    X(GCL_ETERM, -15, "malformed term")                                                            \
    X(GCL_ESYNTAX, -16, "syntax error in a pattern or in the text of a term")                      \
    X(GCL_EPROTO, -17, "peer violated the distribution protocol")                                  \
    X(GCL_EAUTH, -18, "cookie does not match")                                                     \
    X(GCL_EFLAGS, -19, "peer lacks a mandatory distribution flag")                                 \
    X(GCL_ENAME, -20, "bad node name, or not the node that was expected")                          \
    X(GCL_EREFUSED, -21, "connection refused by the peer")                                         \
    X(GCL_ERESOLVE, -22, "host name could not be resolved")                                        \
    X(GCL_EEPMD, -23, "epmd does not know the node or could not be asked")                         \
    X(GCL_EEXIT, -24, "process ended before it answered")                                          \
    X(GCL_ERAISE, -25, "function raised an exception")                                             \
    X(GCL_EKERNEL, -26, "a server that no node goes on without has ended")                         \
    X(GCL_EHASNAME, -27, "process has another global name")

enum gcl_error {
    GCL_OK = 0,
#define GCL_ERROR_ENUM(name, value, text) name = (value),
    GCL_ERROR_LIST(GCL_ERROR_ENUM)
#undef GCL_ERROR_ENUM
};

/** The text of an error code; "unknown error" for anything else. The string is static. */
GCL_API const char *gcl_strerror(int error);

/** The name of an error code as it is written in C ("GCL_ENOMEM"); "GCL_OK" for 0. */
GCL_API const char *gcl_error_name(int error);

#ifdef __cplusplus
}
#endif

#endif
