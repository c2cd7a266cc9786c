/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine says, against what the node has said. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gns_replay_impl.h"
#include "gns_same.h"
#include "node/translate.h"

/* --- tags ----------------------------------------------------------------------------------- */

static struct gcl_str copy(struct gcl_str bytes)
{
    uint8_t *copied = malloc(bytes.size + 1);
    memcpy(copied, bytes.bytes, bytes.size);
    return gcl_str_make(copied, bytes.size);
}

void replay_discard(struct gcl_str bytes)
{
    free((void *)(uintptr_t)bytes.bytes);
}

/* A tag of the node is a large integer, which occurs as nothing else between these two nodes; tags
 * of others may be the same. */
static void learn_tag(struct replay *r, size_t other, gcl_term his, gcl_term mine)
{
    cr_assert(his.size > 8 && r->tag_count < TAGS);
    r->tags[r->tag_count].other = other;
    r->tags[r->tag_count].his = copy(gcl_str_make(his.bytes, his.size));
    r->tags[r->tag_count++].mine = copy(gcl_str_make(mine.bytes, mine.size));
}

static struct gcl_str replace(struct gcl_str bytes, const struct tag *tag)
{
    uint8_t *found;
    uint8_t *place = (uint8_t *)(uintptr_t)bytes.bytes;
    while ((found = memmem(place, bytes.size, tag->his.bytes, tag->his.size)) != NULL) {
        uint8_t *behind = found + tag->his.size;
        size_t rest = bytes.size - (size_t)(behind - place);
        memcpy(found, tag->mine.bytes, tag->mine.size);
        memmove(found + tag->mine.size, behind, rest);
        bytes.size -= tag->his.size - tag->mine.size;
    }
    return bytes;
}

/* With the tags of the machine; owned. */
/* It has a number of its own, which may be that of a tag. */
static bool is_report(struct gcl_str bytes)
{
    static const char name[] = "lost_connection";
    return memmem(bytes.bytes, bytes.size, name, sizeof name - 1) != NULL;
}

struct gcl_str replay_translated(const struct replay *r, size_t other, struct gcl_str bytes)
{
    struct gcl_str copied = copy(bytes);
    for (size_t i = 0; i < r->tag_count; i++)
        if (r->tags[i].other == other && !is_report(bytes))
            copied = replace(copied, &r->tags[i]);
    return copied;
}

static void differ(struct replay *r, const char *what, gcl_term his, gcl_term mine)
{
    char texts[2][350] = {"nothing", "nothing"};
    if (his.size > 0)
        (void)gcl_term_print(his, texts[0], sizeof texts[0], NULL);
    if (mine.size > 0)
        (void)gcl_term_print(mine, texts[1], sizeof texts[1], NULL);
    WRONG(r, "%s: the node has said %s, the machine %s", what, texts[0], texts[1]);
}

/* --- what the machine says ------------------------------------------------------------------ */

static void add_watched(struct watching *watching, gcl_pid pid, gcl_ref ref)
{
    cr_assert_lt(watching->count, WATCHED);
    watching->items[watching->count++] = (struct watched){pid, ref};
}

bool replay_is_watched(const struct watching *watching, gcl_pid pid)
{
    for (size_t i = 0; i < watching->count; i++)
        if (gcl_pid_equal(watching->items[i].pid, pid))
            return true;
    return false;
}

void replay_unwatch(struct watching *watching, gcl_pid pid)
{
    for (size_t i = 0; i < watching->count; i++)
        if (gcl_pid_equal(watching->items[i].pid, pid))
            watching->items[i--] = watching->items[--watching->count];
}

void replay_answer(struct replay *r, struct call *call, int error, gcl_term term)
{
    call->is_open = false;
    gcl_gns_answered(r->gns, r->now_ms, call->number, error, term);
}

static void keep_said(struct replay *r, size_t to, const struct gcl_gns_effect *effect)
{
    cr_assert_lt(r->said_count, SAID);
    r->said[r->said_count++] =
        (struct said){.kind = effect->kind,
                      .to = to,
                      .from = effect->pid,
                      .number = effect->number,
                      .order = ++r->order,
                      .bytes = copy(gcl_str_make(effect->term.bytes, effect->term.size))};
}

static void take_said(struct replay *r, size_t index)
{
    replay_discard(r->said[index].bytes);
    r->said_count--;
    memmove(&r->said[index], &r->said[index + 1], (r->said_count - index) * sizeof r->said[0]);
}

/* spec: global, random_exit_name, random_notify_name: that of the smaller node stays;
 * notify_all_name: neither. */
static void resolve_here(struct replay *r, const struct gcl_gns_effect *effect)
{
    gcl_pid his, mine;
    gcl_term method;
    size_t his_home, mine_home;
    struct gcl_str answer = {NULL, 0};
    struct gcl_buffer bytes;
    gcl_buffer_init(&bytes, gcl_allocator_default(), 0);
    cr_assert(gcl_match(effect->term, "[~t, _, ~p, ~p]", &method, &his, &mine));
    his_home = replay_home_of(r, his);
    mine_home = replay_home_of(r, mine);
    bool his_wins = strcmp(r->life->nodes[his_home], r->life->nodes[mine_home]) < 0;
    bool nobody = memmem(method.bytes, method.size, "notify_all_name", 15) != NULL;
    gcl_message one = GCL_MESSAGE("~p", his_wins ? his : mine);
    gcl_message none = GCL_MESSAGE("none");
    cr_assert_eq(gcl_term_build(&r->terms, &bytes, nobody ? &none : &one), 0);
    answer = gcl_str_make(gcl_buffer_bytes(&bytes), gcl_buffer_size(&bytes));
    gcl_gns_answered(r->gns, r->now_ms, effect->number, 0, gcl_term_of(&r->terms, answer));
    gcl_buffer_fini(&bytes);
}

static void carry_out(struct replay *r, const struct gcl_gns_effect *effect)
{
    size_t to = replay_place_of(r, effect->node);
    switch (effect->kind) {
    case GCL_GNS_SEND_PID:
        to = replay_home_of(r, effect->pid);
        /* fallthrough */
    case GCL_GNS_SEND:
        if (r->is_up[to])
            keep_said(r, to, effect);
        break;
    case GCL_GNS_CALL:
        if (r->is_up[to])
            keep_said(r, to, effect);
        else
            gcl_gns_answered(r->gns, r->now_ms, effect->number, GCL_ENOCONNECTION, replay_nothing);
        break;
    case GCL_GNS_RESOLVE:
        if (to == r->node)
            resolve_here(r, effect);
        else
            keep_said(r, to, effect);
        break;
    case GCL_GNS_REPLY: {
        const struct caller *caller = &r->callers[effect->number];
        if (caller->tag.size > 0 && r->is_up[caller->node])
            keep_said(r, caller->node, effect);
        break;
    }
    case GCL_GNS_MONITOR:
        if (replay_home_of(r, effect->pid) != r->node)
            add_watched(&r->mine, effect->pid, (gcl_ref){0});
        break;
    case GCL_GNS_DEMONITOR:
        replay_unwatch(&r->mine, effect->pid);
        break;
    case GCL_GNS_CONNECT:
        r->is_wanted_up[to] = !r->is_up[to];
        break;
    case GCL_GNS_DISCONNECT:
        r->is_leaving[to] = r->is_wanted_down[to] = r->is_up[to];
        break;
    case GCL_GNS_DONE:
    case GCL_GNS_LOST:
    case GCL_GNS_LOG:
        break;
    }
}

void replay_settle(struct replay *r)
{
    struct gcl_gns_effect effect;
    while (gcl_gns_next(r->gns, &effect))
        carry_out(r, &effect);
    cr_assert(!gcl_gns_has_failed(r->gns));
}

/* --- what the node has said ----------------------------------------------------------------- */

/* A message of the node: from which of its processes, to which node. */
struct message {
    gcl_pid from;
    size_t to;
    enum gcl_gns_effect_kind kind;
    gcl_term tag; /* of a call, or of the one that a reply is for */
    gcl_term term;
};

bool replay_is_own_report(const struct replay *r, gcl_term term)
{
    gcl_bytes from;
    return gcl_match(term, "{lost_connection, ~a, _, _, _}", &from) &&
           replay_place_of(r, gcl_str_make(from.bytes, from.size)) == r->node;
}

static bool is_same_report(gcl_term his, gcl_term mine)
{
    gcl_term a[3], b[3];
    return gcl_match(his, "{lost_connection, ~t, ~t, _, ~t}", &a[0], &a[1], &a[2]) &&
           gcl_match(mine, "{lost_connection, ~t, ~t, _, ~t}", &b[0], &b[1], &b[2]) &&
           gcl_term_equal(a[0], b[0]) && gcl_term_equal(a[1], b[1]) && gcl_term_equal(a[2], b[2]);
}

/* From the first one on, what stands for the tag of the node is known. */
static void learn_if_first(struct replay *r, size_t other, gcl_term his, gcl_term mine)
{
    gcl_term tags[2];
    if (gcl_match(his, "{'$gen_cast', {init_connect, {_, ~t}, _, _}}", &tags[0]) &&
        gcl_match(mine, "{'$gen_cast', {init_connect, {_, ~t}, _, _}}", &tags[1]))
        learn_tag(r, other, tags[0], tags[1]);
}

static bool is_said(struct replay *r, const struct said *said, const struct message *message)
{
    gcl_term mine = gcl_term_of(&r->terms, said->bytes);
    if (said->to != message->to || said->kind != message->kind ||
        (said->kind == GCL_GNS_CALL && !gcl_pid_equal(said->from, message->from)) ||
        (said->kind == GCL_GNS_REPLY &&
         !gcl_term_equal(r->callers[said->number].tag, message->tag)))
        return false;
    if (replay_is_own_report(r, message->term))
        return is_same_report(message->term, mine);
    learn_if_first(r, message->to, message->term, mine);
    struct gcl_str bytes =
        replay_translated(r, message->to, gcl_str_make(message->term.bytes, message->term.size));
    bool is_equal = gns_is_same(gcl_term_of(&r->terms, bytes), mine);
    replay_discard(bytes);
    return is_equal;
}

static struct said *find_said(struct replay *r, const struct message *message)
{
    for (size_t i = 0; i < r->said_count; i++)
        if (is_said(r, &r->said[i], message))
            return &r->said[i];
    return NULL;
}

/* What the machine says when the time has come, if it has not said it yet. */
static struct said *await_said(struct replay *r, const struct message *message)
{
    struct said *said = find_said(r, message);
    for (int i = 0; i < WAKES && said == NULL; i++) {
        uint64_t at_ms = gcl_gns_wake_at(r->gns);
        if (at_ms == GCL_NEVER)
            break;
        if (at_ms > r->now_ms)
            r->now_ms = at_ms;
        gcl_gns_woken(r->gns, r->now_ms);
        replay_settle(r);
        said = find_said(r, message);
    }
    return said;
}

static struct thread *thread_of(struct replay *r, const struct message *message)
{
    size_t i = 0;
    while (i < r->thread_count &&
           !(r->threads[i].to == message->to && gcl_pid_equal(r->threads[i].from, message->from)))
        i++;
    if (i == r->thread_count) {
        cr_assert_lt(i, (size_t)THREADS);
        r->threads[r->thread_count++] = (struct thread){.from = message->from, .to = message->to};
    }
    return &r->threads[i];
}

/* One process of the node says things in their order, and so does the machine. */
static void check_order(struct replay *r, const struct message *message, const struct said *said)
{
    struct thread *thread = thread_of(r, message);
    if (said->order < thread->order)
        WRONG(r, "the machine has said it earlier than something that the node had said before");
    thread->order = said->order;
}

static gcl_term first_said(struct replay *r, size_t to)
{
    for (size_t i = 0; i < r->said_count; i++)
        if (r->said[i].to == to)
            return gcl_term_of(&r->terms, r->said[i].bytes);
    return replay_nothing;
}

static struct call *new_call(struct replay *r, const struct said *said)
{
    cr_assert_lt(r->call_count, CALLS);
    struct call *call = &r->calls[r->call_count++];
    *call = (struct call){.number = said->number, .to = said->to, .is_open = true};
    return call;
}

/* See gns_receive.c: the answer to an init_connect_ack that is late. */
static bool is_needless(struct replay *r, const struct message *message)
{
    return r->has_acked[message->to] && gcl_match(message->term, "{cancel_connect, _, _}") &&
           find_said(r, message) == NULL;
}

/* The call that the message is, if it is one; NULL also when it is wrong. */
static struct call *expect(struct replay *r, const struct message *message)
{
    struct call *call = NULL;
    struct said *said;
    if (is_needless(r, message))
        return NULL;
    said = await_said(r, message);
    if (said == NULL) {
        differ(r, r->life->nodes[message->to], message->term, first_said(r, message->to));
        return NULL;
    }
    check_order(r, message, said);
    if (said->kind == GCL_GNS_CALL || said->kind == GCL_GNS_RESOLVE)
        call = new_call(r, said);
    r->verdict.said++;
    take_said(r, (size_t)(said - r->said));
    return call;
}

static void sent_resolve(struct replay *r, size_t to, const struct gcl_control *control)
{
    struct message message = {
        .from = replay_intern(r, &control->from), .to = to, .kind = GCL_GNS_RESOLVE};
    gcl_term all = gcl_term_of(&r->terms, control->term);
    struct call *call;
    if (gcl_match(all, "[_, global, resolve_it, ~t]", &message.term) &&
        (call = expect(r, &message)) != NULL)
        cr_assert_eq(gcl_intern_ref(&r->names, &control->ref, &call->ref), 0);
}

void replay_see_leaving(struct replay *r, size_t other, gcl_term message)
{
    if (gcl_match(message, "{remove_connection, _}"))
        r->is_leaving[other] = true;
    if (gcl_match(message, "{cancel_connect, _, _}"))
        r->is_forgetting[other] = true;
}

static void sent_term(struct replay *r, size_t to, const struct gcl_control *control)
{
    struct message message = {.to = to, .term = gcl_term_of(&r->terms, control->term)};
    gcl_term all = message.term;
    struct call *call;
    if (control->has_from)
        message.from = replay_intern(r, &control->from);
    if (gcl_match(all, "{'$gen_call', {~p, ~t}, ~t}", &message.from, &message.tag, &message.term)) {
        message.kind = GCL_GNS_CALL;
        if (replay_is_actor(r, message.from) && (call = expect(r, &message)) != NULL)
            cr_assert_eq(gcl_term_copy(message.tag, &call->tag), 0);
        return;
    }
    if (control->target == GCL_CONTROL_TO_NAME)
        message.kind = GCL_GNS_SEND;
    else if (gcl_match(all, "{~t, ~t}", &message.tag, &message.term))
        message.kind = GCL_GNS_REPLY;
    else
        message.kind = GCL_GNS_SEND_PID;
    replay_see_leaving(r, to, all);
    (void)expect(r, &message);
}

static void sent_monitor(struct replay *r, const struct gcl_control *control)
{
    gcl_ref ref;
    cr_assert_eq(gcl_intern_ref(&r->names, &control->ref, &ref), 0);
    if (control->op == GCL_CONTROL_MONITOR) {
        add_watched(&r->his, replay_intern(r, &control->to), ref);
        return;
    }
    for (size_t i = 0; i < r->his.count; i++)
        if (gcl_ref_equal(&r->his.items[i].ref, &ref) &&
            !r->is_forgetting[replay_home_of(r, r->his.items[i].pid)])
            r->his.items[i--] = r->his.items[--r->his.count];
}

/* A process of the node has died: its own server has heard of it, too. */
static void own_process_died(struct replay *r, gcl_pid pid)
{
    gcl_gns_down(r->gns, r->now_ms, pid);
    replay_settle(r);
}

void replay_sent(struct replay *r, const struct capture_line *line)
{
    struct gcl_control control;
    struct gcl_control_scratch scratch;
    const char *wrong = NULL;
    cr_assert_eq(gcl_control_decode(line->bytes, &control, &scratch, &wrong), 0, "%s", wrong);
    switch (control.op) {
    case GCL_CONTROL_SEND:
        sent_term(r, line->other, &control);
        break;
    case GCL_CONTROL_MONITOR:
    case GCL_CONTROL_DEMONITOR:
        sent_monitor(r, &control);
        break;
    case GCL_CONTROL_DOWN:
        if (control.has_from)
            own_process_died(r, replay_intern(r, &control.from));
        break;
    case GCL_CONTROL_SPAWN_REQUEST:
        sent_resolve(r, line->other, &control);
        break;
    default: /* of other services: no matter of the machine */
        break;
    }
}

/* --- all of it ------------------------------------------------------------------------------ */

void replay_check_said(struct replay *r)
{
    for (size_t i = 0; i < r->said_count; i++)
        differ(r, r->life->nodes[r->said[i].to], replay_nothing,
               gcl_term_of(&r->terms, r->said[i].bytes));
}

void replay_said_fini(struct replay *r)
{
    while (r->said_count > 0)
        take_said(r, 0);
    for (size_t i = 0; i < r->tag_count; i++) {
        replay_discard(r->tags[i].his);
        replay_discard(r->tags[i].mine);
    }
}
