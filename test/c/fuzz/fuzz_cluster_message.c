/* SPDX-License-Identifier: Apache-2.0 */
/* What a stranger may send to a member. What is taken is written again, and means the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "cluster/message.h"
#include "wire/term/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct gcl_membership_message *a, const struct gcl_membership_message *b)
{
    uint32_t keys = a->keys | (a->keys & GCL_MEMBERSHIP_KEY_V ? GCL_MEMBERSHIP_KEY_META : 0);
    assert(a->kind == b->kind && b->keys == keys);
    assert(gcl_member_id_equal(&a->from, &b->from));
    assert(a->stay == b->stay && a->nonce == b->nonce && a->echo == b->echo);
    assert(a->info.v == b->info.v && a->info.claim == b->info.claim);
    assert(gcl_str_equal(a->info.label.meta, b->info.label.meta));
    assert(gcl_str_equal(a->info.label.children, b->info.label.children));
    assert(a->pids.count == b->pids.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const gcl_allocator *mem = gcl_allocator_default();
    struct gcl_cluster_pids room = {.mem = mem}, room_again = {.mem = mem};
    struct gcl_membership_message message, again;
    const char *wrong = NULL;
    gcl_term_context *context = gcl_term_context_new(mem, NULL, NULL);
    gcl_writer *writer = gcl_writer_new(context);
    gcl_term term = gcl_term_make(context, data, size);
    assert(writer != NULL);
    if (gcl_cluster_message_decode(&room, term, gcl_str_of("room"), &message, &wrong) == 0) {
        int error = gcl_cluster_message_encode(writer, gcl_str_of("room"), &message);
        assert(error == 0);
        error = gcl_cluster_message_decode(&room_again, gcl_writer_term(writer), gcl_str_of("room"),
                                           &again, &wrong);
        assert(error == 0);
        same(&message, &again);
    } else {
        assert(wrong != NULL);
    }
    gcl_cluster_pids_fini(&room);
    gcl_cluster_pids_fini(&room_again);
    gcl_writer_free(writer);
    gcl_term_context_free(context);
    return 0;
}
