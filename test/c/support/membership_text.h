/* SPDX-License-Identifier: Apache-2.0 */
/** Events and effects of the membership machine as lines of test/vectors/membership.txt. */
#ifndef GCL_TEST_SUPPORT_MEMBERSHIP_TEXT_H
#define GCL_TEST_SUPPORT_MEMBERSHIP_TEXT_H

#include "core/membership/membership.h"

enum { GCL_TEXT_LIST_MAX = 4096, GCL_TEXT_LINE_MAX = 1 << 17 };

/** An event and all it points to, but for texts: these stay in the line that was read. */
struct gcl_text_event {
    struct gcl_membership_event event;
    struct gcl_membership_message message;
    struct gcl_member_id member;
    struct gcl_str nodes[GCL_TEXT_LIST_MAX];
    struct gcl_member_id ids[GCL_TEXT_LIST_MAX];
    const struct gcl_member_id *pids[GCL_TEXT_LIST_MAX];
};

/** Reads `node#creation.id`, or `node#creation.serial.id`; false when it is none. */
bool gcl_text_read_id(struct gcl_str text, struct gcl_member_id *id);

/** Reads what stands behind `> NOW RND `. False when it makes no sense. */
bool gcl_text_read_event(struct gcl_str line, struct gcl_text_event *out);

/* Each writes a terminated text of at most GCL_TEXT_LINE_MAX bytes and returns its end. */
char *gcl_text_write_id(char *at, const struct gcl_member_id *id);
char *gcl_text_write_list(char *at, const struct gcl_member_list *list);
char *gcl_text_write_message(char *at, const struct gcl_membership_message *message);
char *gcl_text_write_effect(char *at, const struct gcl_membership_effect *effect);

/** Cuts the next field, up to `separator`, off `*rest`. */
struct gcl_str gcl_text_cut(struct gcl_str *rest, char separator);

bool gcl_text_read_number(struct gcl_str text, uint64_t *number);

#endif
