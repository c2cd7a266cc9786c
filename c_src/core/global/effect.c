/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of effects. What they carry is copied: terms are built right behind them. */
#include <stdio.h>
#include <string.h>

#include "core/global/machine.h"

enum { NAME_TEXT_BYTES = 80, LOG_BYTES = 256 }; /* of a global name, and all of such a line */

struct entry {
    struct gcl_list at_queue;
    struct gcl_gns_effect effect;
    struct gcl_buffer term;
    uint8_t node[];
};

static struct entry *entry_at(struct gcl_list *at)
{
    return GCL_CONTAINER_OF(at, struct entry, at_queue);
}

static void free_all(struct gcl_gns *gns, struct gcl_list *queue)
{
    struct gcl_list *at;
    while ((at = gcl_list_first(queue)) != NULL) {
        struct entry *entry = entry_at(at);
        gcl_list_remove(at);
        gcl_buffer_fini(&entry->term);
        gcl_free(gns->config.mem, entry);
    }
}

void gcl_gns_effects_fini(struct gcl_gns *gns)
{
    free_all(gns, &gns->effects);
    free_all(gns, &gns->taken);
}

bool gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect)
{
    free_all(gns, &gns->taken);
    struct gcl_list *at = gcl_list_first(&gns->effects);
    if (at == NULL || gns->has_failed)
        return false; /* what is half said must not be heard */
    gcl_list_remove(at);
    gcl_list_add_last(&gns->taken, at);
    *effect = entry_at(at)->effect;
    return true;
}

/* NULL: no memory. */
static struct entry *add(struct gcl_gns *gns, enum gcl_gns_effect_kind kind, struct gcl_str node)
{
    struct entry *entry = gcl_alloc_zero(gns->config.mem, sizeof *entry + node.size);
    if (entry == NULL) {
        gns->has_failed = true;
        return NULL;
    }
    entry->effect.kind = kind;
    entry->effect.term = gcl_term_make(gns->config.terms, NULL, 0);
    if (node.size > 0)
        memcpy(entry->node, node.bytes, node.size);
    entry->effect.node = gcl_str_make(entry->node, node.size);
    gcl_buffer_init(&entry->term, gns->config.mem, 0);
    gcl_list_init(&entry->at_queue);
    gcl_list_add_last(&gns->effects, &entry->at_queue);
    return entry;
}

static struct entry *add_message(struct gcl_gns *gns, enum gcl_gns_effect_kind kind,
                                 struct gcl_str node, const gcl_message *message)
{
    struct entry *entry = add(gns, kind, node);
    if (entry == NULL ||
        !gcl_gns_check(gns, gcl_term_build(gns->config.terms, &entry->term, message)))
        return NULL;
    entry->effect.term = gcl_term_make(gns->config.terms, gcl_buffer_bytes(&entry->term),
                                       gcl_buffer_size(&entry->term));
    return entry;
}

static const struct gcl_str nowhere = {NULL, 0};

void gcl_gns_send(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_message message)
{
    (void)add_message(gns, GCL_GNS_SEND, node->name, &message);
}

void gcl_gns_send_pid(struct gcl_gns *gns, gcl_pid pid, gcl_message message)
{
    struct entry *entry = add_message(gns, GCL_GNS_SEND_PID, nowhere, &message);
    if (entry != NULL)
        entry->effect.pid = pid;
}

void gcl_gns_ask(struct gcl_gns *gns, struct gcl_gns_node *node, gcl_pid from, uint64_t number,
                 gcl_message request)
{
    struct entry *entry = add_message(gns, GCL_GNS_CALL, node->name, &request);
    if (entry == NULL)
        return;
    entry->effect.pid = from;
    entry->effect.number = number;
}

void gcl_gns_ask_resolve(struct gcl_gns *gns, struct gcl_str node, uint64_t number,
                         gcl_message arguments)
{
    struct entry *entry = add_message(gns, GCL_GNS_RESOLVE, node, &arguments);
    if (entry != NULL)
        entry->effect.number = number;
}

void gcl_gns_reply(struct gcl_gns *gns, uint64_t number, gcl_message reply)
{
    struct entry *entry = add_message(gns, GCL_GNS_REPLY, nowhere, &reply);
    if (entry != NULL)
        entry->effect.number = number;
}

void gcl_gns_monitor(struct gcl_gns *gns, gcl_pid pid, bool on)
{
    struct entry *entry = add(gns, on ? GCL_GNS_MONITOR : GCL_GNS_DEMONITOR, nowhere);
    if (entry != NULL)
        entry->effect.pid = pid;
}

void gcl_gns_connect(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    (void)add(gns, GCL_GNS_CONNECT, node->name);
}

void gcl_gns_disconnect(struct gcl_gns *gns, struct gcl_gns_node *node)
{
    (void)add(gns, GCL_GNS_DISCONNECT, node->name);
}

void gcl_gns_done(struct gcl_gns *gns, uint64_t number, int error)
{
    struct entry *entry = add(gns, GCL_GNS_DONE, nowhere);
    if (entry == NULL)
        return;
    entry->effect.number = number;
    entry->effect.error = error;
}

void gcl_gns_tell_lost(struct gcl_gns *gns, gcl_term name, gcl_pid pid)
{
    gcl_message message = GCL_MESSAGE("~t", name);
    struct entry *entry = add_message(gns, GCL_GNS_LOST, nowhere, &message);
    if (entry != NULL)
        entry->effect.pid = pid;
}

void gcl_gns_log(struct gcl_gns *gns, gcl_log_level level, struct gcl_str node, const char *text)
{
    struct entry *entry = add(gns, GCL_GNS_LOG, node);
    if (entry == NULL)
        return;
    entry->effect.level = level;
    entry->effect.text = text;
}

/* Borrowed until the next pid is translated. */
static struct gcl_str node_of(const struct gcl_gns *gns, gcl_pid pid)
{
    const struct gcl_term_ids *ids = &gns->config.terms->ids;
    struct gcl_wire_pid wire;
    return ids->pid_out(ids->user, &pid, &wire) == 0 ? wire.node : nowhere;
}

void gcl_gns_log_caller(struct gcl_gns *gns, gcl_log_level level, gcl_pid caller, const char *text)
{
    gcl_gns_log(gns, level, node_of(gns, caller), text);
}

void gcl_gns_log_not_kept(struct gcl_gns *gns, gcl_term name, gcl_pid pid, const char *why)
{
    char start[NAME_TEXT_BYTES], text[LOG_BYTES];
    size_t length;
    bool is_cut = gcl_term_print(name, start, sizeof start, &length) != 0;
    struct entry *entry = add(gns, GCL_GNS_LOG, node_of(gns, pid));
    if (entry == NULL)
        return;
    (void)snprintf(text, sizeof text, "%s the global name %s%s, which is not kept: %s",
                   entry->effect.node.size > 0 ? "has" : "somebody has", start, is_cut ? "..." : "",
                   why);
    if (!gcl_gns_check(gns, gcl_buffer_append(&entry->term, text, strlen(text) + 1)))
        return;
    entry->effect.level = GCL_LOG_ERROR;
    entry->effect.text = (const char *)gcl_buffer_bytes(&entry->term);
}
