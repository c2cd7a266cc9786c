/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine of global says in the place of a BEAM is what the BEAM has said: captured lives
 * of meshes of real nodes are replayed, with the machine in the place of each node in turn. That of
 * OTP 23 speaks version 5, which the machine understands but does not announce: there it takes the
 * places of the others.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gns_replay.h"

enum { EVERY_NODE = 1, EVERY_OTHER_NODE = 2 };

static size_t replay_all(const char *file, size_t step)
{
    struct capture capture = capture_load(file);
    size_t said = 0;
    for (size_t i = 0; i < capture.count; i++)
        for (size_t node = 0; node < capture.lives[i].node_count; node += step) {
            const struct capture_life *life = &capture.lives[i];
            struct replay_verdict verdict = replay(life, node);
            cr_assert(verdict.is_ok, "%s as %s: %s, line %u: %s", life->title, life->nodes[node],
                      file, verdict.line, verdict.text);
            said += verdict.said;
        }
    capture_free(&capture);
    printf("%s: %zu messages were the same\n", file, said);
    return said;
}

Test(gns_replay, says_what_nodes_of_otp_25_have_said)
{
    cr_assert_gt(replay_all("global_25.txt", EVERY_NODE), 800);
}

Test(gns_replay, says_what_nodes_of_otp_27_and_29_have_said)
{
    cr_assert_gt(replay_all("global_27_29.txt", EVERY_NODE), 800);
}

Test(gns_replay, says_what_nodes_of_otp_25_have_said_to_those_of_23)
{
    cr_assert_gt(replay_all("global_23_25.txt", EVERY_OTHER_NODE), 400);
}

/* Each message that the machine says has to be one of the node's, and the other way round: without
 * any one of them the capture does not fit. */
Test(gns_replay, notices_what_is_missing)
{
    struct capture capture = capture_load("global_25.txt");
    for (size_t i = 0; i < capture.count; i++) {
        struct capture_life *life = &capture.lives[i];
        for (size_t node = 0; node < life->node_count; node++) {
            size_t noticed = 0, said = replay(life, node).said;
            for (size_t k = 0; k < life->count; k++) {
                struct capture_line *line = &life->lines[k];
                if (line->kind != CAPTURE_SENT || line->at != node)
                    continue;
                line->at = CAPTURE_NODES; /* nobody */
                noticed += !replay(life, node).is_ok;
                line->at = node;
            }
            cr_assert_geq(noticed, said, "%s as %s: %zu of %zu", life->title, life->nodes[node],
                          noticed, said);
        }
    }
    capture_free(&capture);
}
