/* SPDX-License-Identifier: Apache-2.0 */
/** The tags of the external term format that a peer may send. spec: erl_ext_dist */
#ifndef GCL_WIRE_TERM_TAG_H
#define GCL_WIRE_TERM_TAG_H

enum gcl_tag {
    GCL_TAG_RECORD = 67, /* native records of OTP 29 */
    GCL_TAG_FLOAT = 70,
    GCL_TAG_BITS = 77,
    GCL_TAG_PID = 88,
    GCL_TAG_PORT = 89,
    GCL_TAG_REF = 90,
    GCL_TAG_SMALL_INT = 97,
    GCL_TAG_INT = 98,
    GCL_TAG_LATIN1_ATOM = 100,
    GCL_TAG_OLD_REF = 101,
    GCL_TAG_OLD_PORT = 102,
    GCL_TAG_OLD_PID = 103,
    GCL_TAG_SMALL_TUPLE = 104,
    GCL_TAG_TUPLE = 105,
    GCL_TAG_NIL = 106,
    GCL_TAG_STRING = 107,
    GCL_TAG_LIST = 108,
    GCL_TAG_BINARY = 109,
    GCL_TAG_SMALL_BIG = 110,
    GCL_TAG_BIG = 111,
    GCL_TAG_FUN = 112,
    GCL_TAG_EXPORT = 113,
    GCL_TAG_NEW_REF = 114,
    GCL_TAG_SMALL_LATIN1_ATOM = 115,
    GCL_TAG_MAP = 116,
    GCL_TAG_ATOM = 118,
    GCL_TAG_SMALL_ATOM = 119,
    GCL_TAG_V4_PORT = 120,
};

/** What tags have in common. */
enum gcl_class {
    GCL_CLASS_NONE, /* no tag that may arrive */
    GCL_CLASS_INT,
    GCL_CLASS_FLOAT,
    GCL_CLASS_ATOM,
    GCL_CLASS_PID,
    GCL_CLASS_REF,
    GCL_CLASS_PORT,
    GCL_CLASS_TUPLE,
    GCL_CLASS_LIST, /* nil and strings too */
    GCL_CLASS_BITS, /* binaries too */
    GCL_CLASS_MAP,
    GCL_CLASS_FUN,
    GCL_CLASS_EXPORT,
    GCL_CLASS_RECORD,
};

#endif
