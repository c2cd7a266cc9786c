/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/control.h"

#include "wire/control_form.h"

#define FROM GCL_FIELD_FROM
#define TO GCL_FIELD_TO
#define NAME GCL_FIELD_NAME
#define ALIAS GCL_FIELD_ALIAS
#define TARGET GCL_FIELD_TARGET
#define SOURCE GCL_FIELD_SOURCE
#define REF GCL_FIELD_REF
#define UNLINK_ID GCL_FIELD_UNLINK_ID
#define COOKIE GCL_FIELD_COOKIE
#define LEADER GCL_FIELD_LEADER
#define MFA GCL_FIELD_MFA
#define OPTIONS GCL_FIELD_OPTIONS
#define SPAWN_FLAGS GCL_FIELD_SPAWN_FLAGS
#define TERM GCL_FIELD_TERM
#define TOKEN GCL_FIELD_TOKEN
#define ALTACT GCL_FIELD_ALTACT

/* clang-format off */
const struct gcl_control_form gcl_control_forms[GCL_CONTROL_CODES] = {
    /* op                           payload token  fields behind the op */
    [1]  = {GCL_CONTROL_LINK,          false,  0, {FROM, TO}},
    [2]  = {GCL_CONTROL_SEND,          true,  12, {COOKIE, TO}},
    [3]  = {GCL_CONTROL_EXIT,          false, 13, {FROM, TO, TERM}},
    [4]  = {GCL_CONTROL_UNLINK,        false,  0, {FROM, TO}},
    [6]  = {GCL_CONTROL_SEND,          true,  16, {FROM, COOKIE, NAME}},
    [7]  = {GCL_CONTROL_GROUP_LEADER,  false,  0, {FROM, TO}},
    [8]  = {GCL_CONTROL_EXIT2,         false, 18, {FROM, TO, TERM}},
    [12] = {GCL_CONTROL_SEND,          true,   0, {COOKIE, TO, TOKEN}},
    [13] = {GCL_CONTROL_EXIT,          false,  0, {FROM, TO, TOKEN, TERM}},
    [16] = {GCL_CONTROL_SEND,          true,   0, {FROM, COOKIE, NAME, TOKEN}},
    [18] = {GCL_CONTROL_EXIT2,         false,  0, {FROM, TO, TOKEN, TERM}},
    [19] = {GCL_CONTROL_MONITOR,       false,  0, {FROM, TARGET, REF}},
    [20] = {GCL_CONTROL_DEMONITOR,     false,  0, {FROM, TARGET, REF}},
    [21] = {GCL_CONTROL_DOWN,          false,  0, {SOURCE, TO, REF, TERM}},
    [22] = {GCL_CONTROL_SEND,          true,  23, {FROM, TO}},
    [23] = {GCL_CONTROL_SEND,          true,   0, {FROM, TO, TOKEN}},
    [24] = {GCL_CONTROL_EXIT,          true,  25, {FROM, TO}},
    [25] = {GCL_CONTROL_EXIT,          true,   0, {FROM, TO, TOKEN}},
    [26] = {GCL_CONTROL_EXIT2,         true,  27, {FROM, TO}},
    [27] = {GCL_CONTROL_EXIT2,         true,   0, {FROM, TO, TOKEN}},
    [28] = {GCL_CONTROL_DOWN,          true,   0, {SOURCE, TO, REF}},
    [29] = {GCL_CONTROL_SPAWN_REQUEST, true,  30, {REF, FROM, LEADER, MFA, OPTIONS}},
    [30] = {GCL_CONTROL_SPAWN_REQUEST, true,   0, {REF, FROM, LEADER, MFA, OPTIONS, TOKEN}},
    [31] = {GCL_CONTROL_SPAWN_REPLY,   false, 32, {REF, TO, SPAWN_FLAGS, SOURCE}},
    [32] = {GCL_CONTROL_SPAWN_REPLY,   false,  0, {REF, TO, SPAWN_FLAGS, SOURCE, TOKEN}},
    [33] = {GCL_CONTROL_SEND,          true,  34, {FROM, ALIAS}},
    [34] = {GCL_CONTROL_SEND,          true,   0, {FROM, ALIAS, TOKEN}},
    [35] = {GCL_CONTROL_UNLINK,        false,  0, {UNLINK_ID, FROM, TO}},
    [36] = {GCL_CONTROL_UNLINK_ACK,    false,  0, {UNLINK_ID, FROM, TO}},
    [37] = {GCL_CONTROL_SEND,          true,   0, {ALTACT}},
};
/* clang-format on */

const char *gcl_control_op_name(enum gcl_control_op op)
{
    static const char *const names[GCL_CONTROL_OPS] = {
        [GCL_CONTROL_SEND] = "SEND",
        [GCL_CONTROL_LINK] = "LINK",
        [GCL_CONTROL_UNLINK] = "UNLINK",
        [GCL_CONTROL_UNLINK_ACK] = "UNLINK_ACK",
        [GCL_CONTROL_EXIT] = "EXIT",
        [GCL_CONTROL_EXIT2] = "EXIT2",
        [GCL_CONTROL_MONITOR] = "MONITOR",
        [GCL_CONTROL_DEMONITOR] = "DEMONITOR",
        [GCL_CONTROL_DOWN] = "DOWN",
        [GCL_CONTROL_GROUP_LEADER] = "GROUP_LEADER",
        [GCL_CONTROL_SPAWN_REQUEST] = "SPAWN_REQUEST",
        [GCL_CONTROL_SPAWN_REPLY] = "SPAWN_REPLY",
    };
    return (unsigned)op < GCL_CONTROL_OPS ? names[op] : "unknown";
}
