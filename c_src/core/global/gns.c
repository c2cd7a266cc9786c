/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as a whole: its beginning, its end, and what all of its parts need. */
#include <string.h>

#include "core/global/machine.h"
#include "wire/term/key.h"

enum { SLEEP_STEP_MS = 250, SLEEP_STEPS = 6, KEY_BYTES = 1 << 20 };

void gcl_gns_config_init(struct gcl_gns_config *config)
{
    memset(config, 0, sizeof *config);
    config->step_timeout_ms = 20000;
    config->session_timeout_ms = 5000;
    config->answer_timeout_ms = 60000;
    config->max_names = 1 << 20;
    config->max_locks = 1 << 16;
    config->max_nodes = 1 << 14;
    config->max_waiters = 1 << 12;
    config->max_unconnected = 512;
    config->max_requests = 1 << 16;
    config->max_request_bytes = 16 << 20;
    config->max_name_bytes = 64 << 20;
    config->max_lock_bytes = 64 << 20;
}

bool gcl_gns_check(struct gcl_gns *gns, int error)
{
    if (error != 0)
        gns->has_failed = true;
    return error == 0;
}

/* xorshift64*: who waits how long, and who is chosen, has to differ between nodes, no more. */
uint64_t gcl_gns_random(struct gcl_gns *gns)
{
    gns->random ^= gns->random >> 12;
    gns->random ^= gns->random << 25;
    gns->random ^= gns->random >> 27;
    return gns->random * 2685821657736338717u;
}

uint64_t gcl_gns_random_sleep(struct gcl_gns *gns, unsigned times)
{
    unsigned steps = times < SLEEP_STEPS ? times : SLEEP_STEPS - 1;
    return 1 + (gcl_gns_random(gns) >> 32) % ((uint64_t)SLEEP_STEP_MS << steps);
}

/* --- terms ---------------------------------------------------------------------------------- */

bool gcl_gns_key(struct gcl_gns *gns, gcl_term term, struct gcl_str *key, uint32_t *hash)
{
    struct gcl_cursor cursor = gcl_term_cursor(term);
    gcl_buffer_clear(&gns->key);
    int error = gcl_term_key(&gns->key, &cursor);
    if (error == GCL_ENOMEM)
        gns->has_failed = true;
    if (error != 0)
        return false;
    *key = gcl_str_make(gcl_buffer_bytes(&gns->key), gcl_buffer_size(&gns->key));
    *hash = gcl_hash(gns->config.seed, key->bytes, key->size);
    return true;
}

uint32_t gcl_gns_hash(struct gcl_gns *gns, gcl_term term)
{
    struct gcl_str key;
    uint32_t hash;
    return gcl_gns_key(gns, term, &key, &hash) ? hash : 0;
}

void gcl_gns_keep(struct gcl_gns *gns, gcl_term *place, gcl_term term)
{
    gcl_term copy;
    int error = gcl_term_copy(gcl_term_make(gns->config.terms, term.bytes, term.size), &copy);
    gcl_gns_forget(place);
    if (gcl_gns_check(gns, error))
        *place = copy;
}

void gcl_gns_forget(gcl_term *place)
{
    gcl_term_free(*place);
    *place = gcl_term_make(place->context, NULL, 0);
}

/* --- requests of this node ------------------------------------------------------------------ */

bool gcl_gns_request_begins(struct gcl_gns *gns, size_t bytes)
{
    if (gns->request_count >= gns->config.max_requests ||
        bytes > gns->config.max_request_bytes - gns->request_bytes)
        return false;
    gns->request_count++;
    gns->request_bytes += bytes;
    return true;
}

void gcl_gns_request_ends(struct gcl_gns *gns, size_t bytes)
{
    gns->request_count--;
    gns->request_bytes -= bytes;
}

/* --- pids ----------------------------------------------------------------------------------- */

gcl_pid gcl_gns_read_pid(gcl_term term)
{
    gcl_pid pid = {0};
    (void)gcl_match(term, "~p", &pid);
    return pid;
}

void gcl_gns_keep_pid(struct gcl_gns *gns, gcl_term *place, gcl_pid pid)
{
    struct gcl_buffer bytes;
    gcl_message message = GCL_MESSAGE("~p", pid);
    gcl_buffer_init(&bytes, gns->config.mem, 0);
    if (gcl_gns_check(gns, gcl_term_build(gns->config.terms, &bytes, &message)))
        gcl_gns_keep(
            gns, place,
            gcl_term_make(gns->config.terms, gcl_buffer_bytes(&bytes), gcl_buffer_size(&bytes)));
    gcl_buffer_fini(&bytes);
}

bool gcl_gns_pid_is_fresh(const struct gcl_gns *gns, gcl_pid pid)
{
    const struct gcl_term_ids *ids = &gns->config.terms->ids;
    struct gcl_wire_pid wire;
    return ids->pid_out(ids->user, &pid, &wire) == 0;
}

bool gcl_gns_is_own_pid(const struct gcl_gns *gns, gcl_pid pid)
{
    const gcl_pid *server = &gns->config.actors[GCL_GNS_SERVER];
    return pid.node == server->node && pid.generation == server->generation;
}

/* spec: the order of pids in ERTS: serial and number first, then the name of the node, then its
 * creation. Both lockers have to agree on it, or neither gets the lock of the other. */
bool gcl_gns_pid_is_less(struct gcl_gns *gns, gcl_pid a, gcl_pid b)
{
    const struct gcl_term_ids *ids = &gns->config.terms->ids;
    struct gcl_wire_pid first, second;
    uint8_t name[GCL_ATOM_MAX_BYTES];
    if (a.serial != b.serial)
        return a.serial < b.serial;
    if (a.id != b.id)
        return a.id < b.id;
    if (ids->pid_out(ids->user, &a, &first) != 0)
        return false;
    memcpy(name, first.node.bytes, first.node.size); /* borrowed until the next call */
    first.node.bytes = name;
    if (ids->pid_out(ids->user, &b, &second) != 0)
        return false;
    int order = gcl_str_compare(first.node, second.node);
    return order != 0 ? order < 0 : first.creation < second.creation;
}

/* --- life ----------------------------------------------------------------------------------- */

static void begin(struct gcl_gns *gns)
{
    gcl_table_init(&gns->nodes, gns->config.mem);
    gcl_table_init(&gns->names, gns->config.mem);
    gcl_table_init(&gns->locks, gns->config.mem);
    gcl_table_init(&gns->watches, gns->config.mem);
    gcl_slots_init(&gns->questions, gns->config.mem, sizeof(struct gcl_gns_question));
    gcl_list_init(&gns->node_list);
    gcl_list_init(&gns->waiters);
    gcl_list_init(&gns->lost);
    gcl_list_init(&gns->doubts);
    gns->step_at_ms = GCL_NEVER;
    gns->question_at_ms = GCL_NEVER;
    gcl_gns_locker_init(gns);
    gcl_gns_registrar_init(gns);
    gcl_gns_lockings_init(gns);
}

static void end(struct gcl_gns *gns)
{
    gcl_gns_locker_fini(gns);
    gcl_gns_registrar_fini(gns);
    gcl_gns_lockings_fini(gns);
    gcl_gns_sync_fini(gns);
    gcl_gns_partition_fini(gns);
    gcl_gns_doubts_fini(gns);
    gcl_gns_questions_fini(gns);
    gcl_gns_names_fini(gns);
    gcl_gns_locks_fini(gns);
    gcl_gns_watches_fini(gns);
    gcl_gns_nodes_fini(gns);
}

int gcl_gns_new(const struct gcl_gns_config *config, struct gcl_gns **out)
{
    struct gcl_gns *gns = gcl_alloc_zero(config->mem, sizeof *gns + config->self.size);
    if (gns == NULL)
        return GCL_ENOMEM;
    uint8_t *name = (uint8_t *)(gns + 1);
    gns->config = *config;
    memcpy(name, config->self.bytes, config->self.size);
    gns->config.self.bytes = name;
    gns->random = (config->seed[0] ^ config->seed[1]) | 1;
    gcl_list_init(&gns->effects);
    gcl_list_init(&gns->taken);
    gcl_buffer_init(&gns->key, config->mem, KEY_BYTES);
    begin(gns);
    gns->self = gcl_gns_node_of(gns, gns->config.self);
    if (gns->self == NULL) {
        gcl_gns_free(gns);
        return GCL_ENOMEM;
    }
    gcl_gns_node_hold(gns->self);
    *out = gns;
    return 0;
}

void gcl_gns_free(struct gcl_gns *gns)
{
    if (gns == NULL)
        return;
    end(gns);
    gcl_gns_effects_fini(gns);
    gcl_buffer_fini(&gns->key);
    gcl_free(gns->config.mem, gns);
}

bool gcl_gns_has_failed(const struct gcl_gns *gns)
{
    return gns->has_failed;
}

/* --- questions ------------------------------------------------------------------------------ */

void gcl_gns_count(const struct gcl_gns *gns, struct gcl_gns_counts *counts)
{
    *counts = (struct gcl_gns_counts){
        .names = gcl_table_count(&gns->names),
        .locks = gcl_table_count(&gns->locks),
        .processes = gcl_table_count(&gns->watches),
        .nodes = gcl_table_count(&gns->nodes) - 1,
        .questions = gcl_slots_count(&gns->questions),
        .waiters = gcl_list_length(&gns->waiters),
        .lost = gns->lost_count,
        .is_negotiating = gns->locker.state != GCL_GNS_LOCKER_IDLE,
    };
    GCL_LIST_EACH(&gns->node_list, at, following)
    {
        const struct gcl_gns_node *node = GCL_CONTAINER_OF(at, struct gcl_gns_node, at_gns);
        counts->known += node->is_known;
        counts->sessions += node->is_pending || node->session.is_open || node->session.is_early;
    }
}

/* --- what happened -------------------------------------------------------------------------- */

void gcl_gns_down(struct gcl_gns *gns, uint64_t now_ms, gcl_pid pid)
{
    gns->now_ms = now_ms;
    struct gcl_gns_watch *watch = gcl_gns_watch_end(gns, pid);
    if (watch == NULL)
        return;
    gcl_gns_locks_down(gns, watch);
    gcl_gns_names_down(gns, watch);
    gcl_free(gns->config.mem, watch);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t gcl_gns_wake_at(const struct gcl_gns *gns)
{
    uint64_t own_ms = earlier(gns->registrar.wake_at_ms, gcl_deadlines_next(&gns->naps));
    uint64_t locker_ms = earlier(gns->locker.wake_at_ms, gns->locker.give_up_at_ms);
    uint64_t others_ms = earlier(gns->step_at_ms, gns->question_at_ms);
    return earlier(others_ms, earlier(locker_ms, own_ms));
}

void gcl_gns_woken(struct gcl_gns *gns, uint64_t now_ms)
{
    gns->now_ms = now_ms;
    if (gns->locker.wake_at_ms <= now_ms)
        gcl_gns_locker_woken(gns);
    if (gns->locker.give_up_at_ms <= now_ms)
        gcl_gns_locker_give_up(gns);
    if (gns->question_at_ms <= now_ms)
        gcl_gns_questions_woken(gns);
    if (gns->registrar.wake_at_ms <= now_ms)
        gcl_gns_registrar_woken(gns);
    if (gcl_deadlines_next(&gns->naps) <= now_ms)
        gcl_gns_lockings_woken(gns);
    if (gns->step_at_ms <= now_ms)
        gcl_gns_sync_woken(gns);
}
