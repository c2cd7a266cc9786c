/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has asked something of `global`, and is to be told. Nothing is told before the function that
 * asks has returned: outcomes wait for a turn of their own. What an outcome needs is there from the
 * beginning, so that it cannot get lost for want of memory.
 */
#include "node/message.h"
#include "node/node.h"
#include "server/global/gns.h"

enum { WAITS_MAX = 1 << 16 };

static struct gcl_gns_wait *wait_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct gcl_gns_wait, at_service);
}

static uint32_t hash_of(const struct gcl_gns_service *gns, uint64_t number)
{
    return gcl_hash(gns->node->seed, &number, sizeof number);
}

static bool has_number(const void *item, const void *key)
{
    return ((const struct gcl_gns_wait *)item)->number == *(const uint64_t *)key;
}

static struct gcl_gns_wait *alloc_wait(struct gcl_gns_service *gns)
{
    struct gcl_gns_wait *wait = gcl_alloc_zero(gns->node->mem, sizeof *wait);
    if (wait == NULL)
        return NULL;
    wait->number = gns->last_number + 1;
    if (gcl_table_add(&gns->waits, hash_of(gns, wait->number), wait) == 0)
        return wait;
    gcl_free(gns->node->mem, wait);
    return NULL;
}

int gcl_gns_wait_new(struct gcl_gns_service *gns, gcl_server *owner, gcl_reply_function *done,
                     void *user, struct gcl_gns_wait **out)
{
    if (gns->wait_count >= WAITS_MAX)
        return GCL_ELIMIT;
    struct gcl_gns_owner *place = gcl_gns_owner_of(gns, owner);
    if (place == NULL)
        return GCL_ENOMEM;
    struct gcl_gns_wait *wait = alloc_wait(gns);
    if (wait == NULL) {
        gcl_gns_owner_tidy(gns, place);
        return GCL_ENOMEM;
    }
    gns->last_number++;
    gns->wait_count++;
    wait->owner = owner;
    wait->done = done;
    wait->user = user;
    gcl_list_init(&wait->at_service);
    gcl_list_init(&wait->at_owner);
    gcl_list_add_last(&gns->waiting, &wait->at_service);
    gcl_list_add_last(&place->waits, &wait->at_owner);
    *out = wait;
    return 0;
}

static void leave(struct gcl_gns_service *gns, struct gcl_gns_wait *wait)
{
    struct gcl_gns_owner *place = gcl_gns_owner_find(gns, wait->owner);
    (void)gcl_table_remove(&gns->waits, hash_of(gns, wait->number), has_number, &wait->number);
    gcl_list_remove(&wait->at_service);
    gcl_list_remove(&wait->at_owner);
    gns->wait_count--;
    if (place != NULL)
        gcl_gns_owner_tidy(gns, place);
}

void gcl_gns_wait_free(struct gcl_gns_service *gns, struct gcl_gns_wait *wait)
{
    leave(gns, wait);
    gcl_free(gns->node->mem, wait);
}

struct gcl_gns_wait *gcl_gns_wait_find(const struct gcl_gns_service *gns, uint64_t number)
{
    return gcl_table_find(&gns->waits, hash_of(gns, number), has_number, &number);
}

/* --- outcomes ------------------------------------------------------------------------------- */

static void take_turn(struct gcl_gns_service *gns)
{
    if (gns->turn == 0 && gns->servers[GCL_GNS_SERVER] != NULL &&
        gcl_timer_start(gns->servers[GCL_GNS_SERVER], 0, &gns->turn) != 0)
        gcl_gns_fail(gns, "no memory for a turn of global");
}

void gcl_gns_wait_done(struct gcl_gns_service *gns, struct gcl_gns_wait *wait, int error)
{
    wait->error = error;
    (void)gcl_table_remove(&gns->waits, hash_of(gns, wait->number), has_number, &wait->number);
    gcl_list_remove(&wait->at_service);
    gcl_list_add_last(&gns->outcomes, &wait->at_service);
    take_turn(gns);
}

struct names {
    gcl_writer *writer;
    int error;
};

static void write_name(gcl_term name, gcl_pid pid, void *user)
{
    struct names *names = user;
    (void)pid;
    if (names->error == 0)
        names->error = gcl_write(names->writer, "~t", name);
}

int gcl_gns_list_all_names(const struct gcl_gns_service *gns, gcl_writer *writer)
{
    struct names names = {.writer = writer};
    size_t count = gcl_gns_name_count(gns->machine);
    names.error = gcl_write_list(writer, (uint32_t)count);
    gcl_gns_each_name(gns->machine, write_name, &names);
    return names.error == 0 && count > 0 ? gcl_write(writer, "[]") : names.error;
}

static void tell(struct gcl_gns_service *gns, struct gcl_gns_wait *wait)
{
    gcl_term term = gcl_term_make(&gns->node->terms, NULL, 0);
    gcl_server *owner = wait->owner;
    gcl_writer *names = NULL;
    leave(gns, wait);
    if (wait->error == 0 && !gcl_pid_is_none(wait->pid))
        wait->error = gcl_message_event(gns->node, GCL_MESSAGE("~p", wait->pid), &term);
    if (wait->error == 0 && wait->wants_names) {
        names = gcl_writer_new(&gns->node->terms);
        wait->error = names != NULL ? gcl_gns_list_all_names(gns, names) : GCL_ENOMEM;
        if (wait->error == 0)
            term = gcl_writer_term(names);
    }
    gcl_server_enter(owner);
    gcl_server_leave(owner, wait->done(owner, wait->error, term, wait->user));
    gcl_writer_free(names);
    gcl_free(gns->node->mem, wait);
}

/* Each in a turn of its own: what is told may end any server. */
void gcl_gns_tell_outcomes(struct gcl_gns_service *gns)
{
    struct gcl_list *at = gcl_list_first(&gns->outcomes);
    if (at == NULL)
        return;
    tell(gns, wait_at(at));
    if (!gcl_list_is_empty(&gns->outcomes))
        take_turn(gns);
}

/* --- ends ----------------------------------------------------------------------------------- */

static void cancel(struct gcl_gns_service *gns, struct gcl_gns_wait *wait)
{
    wait->error = GCL_ECANCELED;
    tell(gns, wait);
}

void gcl_gns_waits_cancel(struct gcl_gns_service *gns, const gcl_server *owner)
{
    const struct gcl_gns_owner *place;
    struct gcl_list *at;
    while ((place = gcl_gns_owner_find(gns, owner)) != NULL &&
           (at = gcl_list_first(&place->waits)) != NULL)
        cancel(gns, GCL_CONTAINER_OF(at, struct gcl_gns_wait, at_owner));
}

/* Outcomes are older. */
void gcl_gns_waits_cancel_all(struct gcl_gns_service *gns)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(&gns->outcomes)) != NULL ||
           (at = gcl_list_first(&gns->waiting)) != NULL)
        cancel(gns, wait_at(at));
}
