/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The forms of control messages as a table, from which they are both decoded and encoded: which
 * fields stand behind the op in the tuple, and whether a term stands behind the tuple.
 * For control_decode.c and control_encode.c.
 */
#ifndef GCL_WIRE_CONTROL_FORM_H
#define GCL_WIRE_CONTROL_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/control.h"

enum {
    GCL_FRAME_PASS_THROUGH = 112, /* first byte of a body */
    GCL_TERM_VERSION = 131,       /* first byte of each term in it */
    GCL_CONTROL_FIELDS_MAX = 6,
    GCL_CONTROL_CODES = 38,
};

/* How the fields are told apart in the table; the comment names what of struct gcl_control it is.
 */
enum gcl_control_field {
    GCL_FIELD_NONE,
    GCL_FIELD_FROM,        /* from: a pid */
    GCL_FIELD_TO,          /* to: a pid */
    GCL_FIELD_NAME,        /* name, target */
    GCL_FIELD_ALIAS,       /* ref, target */
    GCL_FIELD_TARGET,      /* to or name, target: a pid or an atom */
    GCL_FIELD_SOURCE,      /* from or name: a pid or an atom */
    GCL_FIELD_REF,         /* ref */
    GCL_FIELD_UNLINK_ID,   /* unlink_id */
    GCL_FIELD_COOKIE,      /* nothing; was a cookie once, and is not looked at */
    GCL_FIELD_LEADER,      /* leader */
    GCL_FIELD_MFA,         /* module, function, arity */
    GCL_FIELD_OPTIONS,     /* options */
    GCL_FIELD_SPAWN_FLAGS, /* spawn_flags */
    GCL_FIELD_TERM,        /* term; always the last */
    GCL_FIELD_TOKEN,       /* token */
    GCL_FIELD_ALTACT,      /* all that ALTACT_SIG has: its flags say what follows */
};

struct gcl_control_form {
    uint8_t op;         /* enum gcl_control_op */
    bool has_payload;   /* `term` stands behind the tuple */
    uint8_t with_token; /* the code of the same form with a token, or 0 */
    uint8_t fields[GCL_CONTROL_FIELDS_MAX];
};

/** By the code in the tuple; a form without fields is no form. */
extern const struct gcl_control_form gcl_control_forms[GCL_CONTROL_CODES];

static inline unsigned gcl_control_form_count(const struct gcl_control_form *form)
{
    unsigned count = 0;
    while (count < GCL_CONTROL_FIELDS_MAX && form->fields[count] != GCL_FIELD_NONE)
        count++;
    return count;
}

#endif
