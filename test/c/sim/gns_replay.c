/* SPDX-License-Identifier: Apache-2.0 */
#include "gns_replay.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gns_replay_impl.h"
#include "node/translate.h"

/* --- ids ------------------------------------------------------------------------------------ */

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    return gcl_intern_pid(user, wire, pid);
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    return gcl_translate_pid(user, *pid, wire) ? 0 : GCL_ESTALE;
}

static int ref_in(void *user, const struct gcl_wire_ref *wire, gcl_ref *ref)
{
    return gcl_intern_ref(user, wire, ref);
}

static int ref_out(void *user, const gcl_ref *ref, struct gcl_wire_ref *wire)
{
    return gcl_translate_ref(user, ref, wire) ? 0 : GCL_ESTALE;
}

gcl_pid replay_intern(struct replay *r, const struct gcl_wire_pid *wire)
{
    gcl_pid pid;
    cr_assert_eq(gcl_intern_pid(&r->names, wire, &pid), 0);
    return pid;
}

bool replay_is_actor(const struct replay *r, gcl_pid pid)
{
    for (int i = 0; i < GCL_GNS_ACTORS; i++)
        if (gcl_pid_equal(pid, r->actors[i]))
            return true;
    return false;
}

size_t replay_place_of(const struct replay *r, struct gcl_str name)
{
    for (size_t i = 0; i < r->life->node_count; i++)
        if (gcl_str_is(name, r->life->nodes[i]))
            return i;
    return SIZE_MAX;
}

size_t replay_home_of(struct replay *r, gcl_pid pid)
{
    struct gcl_wire_pid wire;
    return gcl_translate_pid(&r->names, pid, &wire) ? replay_place_of(r, wire.node) : SIZE_MAX;
}

/* --- what the node has got ------------------------------------------------------------------ */

/* Processes of nodes that are connected, and to stay. */
static void check_watching(struct replay *r, const struct watching *those,
                           const struct watching *others)
{
    bool is_his = those == &r->his;
    for (size_t i = 0; i < those->count; i++) {
        gcl_pid pid = those->items[i].pid;
        size_t home = replay_home_of(r, pid);
        if (!r->is_up[home] || r->is_leaving[home] || replay_is_watched(others, pid))
            continue;
        WRONG(r, "the %s monitors process %u of %s, the %s does not", is_his ? "node" : "machine",
              pid.id, r->life->nodes[home], is_his ? "machine" : "node");
    }
}

/* All that the node has said is what the machine has said; and so it is the other way round. */
static void check(struct replay *r)
{
    replay_check_said(r);
    check_watching(r, &r->his, &r->mine);
    check_watching(r, &r->mine, &r->his);
}

/* What the machine wanted of connections has happened. */
static void check_end(struct replay *r)
{
    check(r);
    for (size_t i = 0; i < r->life->node_count; i++)
        if (r->is_wanted_up[i] || r->is_wanted_down[i])
            WRONG(r, "the machine wanted %s to be %s", r->life->nodes[i],
                  r->is_wanted_up[i] ? "connected" : "disconnected");
}

static struct call *find_call(struct replay *r, gcl_term tag)
{
    for (size_t i = 0; i < r->call_count; i++)
        if (r->calls[i].is_open && gcl_term_equal(r->calls[i].tag, tag))
            return &r->calls[i];
    return NULL;
}

static struct call *find_spawn(struct replay *r, gcl_ref ref)
{
    for (size_t i = 0; i < r->call_count; i++)
        if (r->calls[i].is_open && r->calls[i].tag.size == 0 &&
            gcl_ref_equal(&r->calls[i].ref, &ref))
            return &r->calls[i];
    return NULL;
}

static void serve(struct replay *r, size_t from, gcl_pid pid, gcl_term tag, gcl_term request)
{
    struct caller *caller = &r->callers[++r->caller_count];
    cr_assert_lt(r->caller_count, CALLERS);
    cr_assert_eq(gcl_term_copy(tag, &caller->tag), 0);
    caller->node = from;
    gcl_gns_call(r->gns, r->now_ms, r->caller_count, pid, request);
}

static void got_term(struct replay *r, size_t from, gcl_term message)
{
    gcl_pid pid;
    gcl_term tag, term;
    struct call *call;
    replay_see_leaving(r, from, message);
    if (gcl_match(message, "{'$gen_cast', ~t}", &term)) {
        gcl_gns_cast(r->gns, r->now_ms, term);
    } else if (gcl_match(message, "{'$gen_call', {~p, ~t}, ~t}", &pid, &tag, &term)) {
        serve(r, from, pid, tag, term);
    } else if (gcl_match(message, "{~t, ~t}", &tag, &term) && (call = find_call(r, tag)) != NULL) {
        replay_answer(r, call, 0, term);
    } else {
        r->has_acked[from] = gcl_match(message, "{init_connect_ack, _, _, _}");
        gcl_gns_info(r->gns, r->now_ms, message);
    }
}

/* Of a process that is monitored; or with what erpc has to say. spec: erpc, execute_call */
static void got_down(struct replay *r, const struct gcl_control *control)
{
    gcl_ref ref;
    gcl_term result;
    struct call *call;
    cr_assert_eq(gcl_intern_ref(&r->names, &control->ref, &ref), 0);
    gcl_term reason = gcl_term_of(&r->terms, control->term);
    if ((call = find_spawn(r, ref)) != NULL) {
        bool has_result = gcl_match(reason, "{_, return, ~t}", &result);
        replay_answer(r, call, has_result ? 0 : GCL_ENOPROC, has_result ? result : replay_nothing);
        return;
    }
    gcl_pid pid = replay_intern(r, &control->from);
    replay_unwatch(&r->his, pid);
    replay_unwatch(&r->mine, pid);
    gcl_gns_down(r->gns, r->now_ms, pid);
}

static const struct capture_line *oldest_frame(struct replay *r, size_t from)
{
    for (size_t i = r->oldest[from]; i < r->next; i++) {
        const struct capture_line *line = &r->life->lines[i];
        if (line->kind != CAPTURE_SENT || line->at != from || line->other != r->node)
            continue;
        r->oldest[from] = i + 1;
        return line;
    }
    return NULL;
}

static void got(struct replay *r, size_t from)
{
    memset(r->is_forgetting, 0, sizeof r->is_forgetting);
    memset(r->has_acked, 0, sizeof r->has_acked);
    struct gcl_control control;
    struct gcl_control_scratch scratch;
    const char *wrong = NULL;
    const struct capture_line *line = oldest_frame(r, from);
    if (line == NULL) {
        WRONG(r, "a frame has arrived that nobody has sent");
        return;
    }
    struct gcl_str bytes = replay_translated(r, from, line->bytes);
    cr_assert_eq(gcl_control_decode(bytes, &control, &scratch, &wrong), 0, "%s", wrong);
    if (control.op == GCL_CONTROL_SEND)
        got_term(r, from, gcl_term_of(&r->terms, control.term));
    else if (control.op == GCL_CONTROL_DOWN && control.has_from)
        got_down(r, &control);
    replay_settle(r);
    replay_discard(bytes);
}

/* --- what happens to the node --------------------------------------------------------------- */

static void up(struct replay *r, size_t other)
{
    r->is_up[other] = true;
    r->is_wanted_up[other] = false;
    /* What was on its way when the last connection went is lost. */
    r->oldest[other] = r->next;
    gcl_gns_nodeup(r->gns, r->now_ms, gcl_str_of(r->life->nodes[other]), true);
    replay_settle(r);
}

/* As the layers below do: DOWNs first, then calls that have failed, then nodedown. */
static void down(struct replay *r, size_t other)
{
    r->is_up[other] = r->is_leaving[other] = r->is_wanted_down[other] = false;
    for (size_t i = 0; i < r->his.count; i++)
        if (replay_home_of(r, r->his.items[i].pid) == other)
            r->his.items[i--] = r->his.items[--r->his.count];
    for (size_t i = 0; i < r->mine.count; i++) {
        gcl_pid pid = r->mine.items[i].pid;
        if (replay_home_of(r, pid) != other)
            continue;
        r->mine.items[i--] = r->mine.items[--r->mine.count];
        gcl_gns_down(r->gns, r->now_ms, pid);
        replay_settle(r);
    }
    for (size_t i = 0; i < r->call_count; i++)
        if (r->calls[i].is_open && r->calls[i].to == other) {
            replay_answer(r, &r->calls[i], GCL_ENOCONNECTION, replay_nothing);
            replay_settle(r);
        }
    gcl_gns_nodedown(r->gns, r->now_ms, gcl_str_of(r->life->nodes[other]));
    replay_settle(r);
}

static void do_lock(struct replay *r, const char *what, gcl_term id, gcl_pid pid)
{
    struct gcl_buffer bytes;
    gcl_message request = GCL_MESSAGE("{~a, ~t}", what, id);
    gcl_buffer_init(&bytes, gcl_allocator_default(), 0);
    cr_assert_eq(gcl_term_build(&r->terms, &bytes, &request), 0);
    gcl_gns_call(r->gns, r->now_ms, ++r->caller_count, pid,
                 gcl_term_make(&r->terms, gcl_buffer_bytes(&bytes), gcl_buffer_size(&bytes)));
    gcl_buffer_fini(&bytes);
}

static void do_it(struct replay *r, gcl_term what)
{
    static const gcl_pid anybody = {0};
    gcl_pid pid;
    gcl_term name, method, id;
    if (gcl_match(what, "{register, ~t, ~p, ~t}", &name, &pid, &method))
        cr_assert_eq(gcl_gns_register(r->gns, r->now_ms, ++r->request, name, pid, method), 0);
    else if (gcl_match(what, "{re_register, ~t, ~p, ~t}", &name, &pid, &method))
        cr_assert_eq(gcl_gns_re_register(r->gns, r->now_ms, ++r->request, name, pid, method), 0);
    else if (gcl_match(what, "{unregister, ~t}", &name))
        cr_assert_eq(gcl_gns_unregister(r->gns, r->now_ms, ++r->request, name, anybody), 0);
    else if (gcl_match(what, "{set_lock, ~t, ~p}", &id, &pid))
        do_lock(r, "set_lock", id, pid);
    else if (gcl_match(what, "{del_lock, ~t, ~p}", &id, &pid))
        do_lock(r, "del_lock", id, pid);
    else if (gcl_match(what, "halt"))
        r->is_over = true;
    else if (gcl_match(what, "{exit, ~p}", &pid))
        gcl_gns_down(r->gns, r->now_ms, pid);
    else
        cr_assert_fail("the node does what is not known here");
    replay_settle(r);
}

/* --- all of it ------------------------------------------------------------------------------ */

/* The machine reports its losses as one that was started when the node was. */
static uint64_t incarnation_of(struct replay *r)
{
    for (size_t i = 0; i < r->life->count; i++) {
        const struct capture_line *line = &r->life->lines[i];
        struct gcl_control control;
        struct gcl_control_scratch scratch;
        const char *wrong;
        uint64_t incarnation;
        if (line->kind == CAPTURE_SENT && line->at == r->node &&
            gcl_control_decode(line->bytes, &control, &scratch, &wrong) == 0 &&
            control.op == GCL_CONTROL_SEND &&
            replay_is_own_report(r, gcl_term_of(&r->terms, control.term)) &&
            gcl_match(gcl_term_of(&r->terms, control.term), "{lost_connection, _, ~u, _, _}",
                      &incarnation))
            return incarnation;
    }
    return 1;
}

static void begin(struct replay *r, const struct capture_life *life, size_t node, uint64_t seed)
{
    const uint64_t seeds[2] = {seed, 0};
    memset(r, 0, sizeof *r);
    r->life = life;
    r->node = node;
    r->verdict.is_ok = true;
    r->now_ms = 1;
    gcl_names_init(&r->names, gcl_allocator_default(), seeds, 1 << 16);
    const struct gcl_term_ids ids = {.pid_in = pid_in,
                                     .pid_out = pid_out,
                                     .ref_in = ref_in,
                                     .ref_out = ref_out,
                                     .user = &r->names};
    gcl_term_context_init(&r->terms, gcl_allocator_default(), &ids, NULL, NULL);
}

static void start(struct replay *r, const struct capture_line *line, uint64_t seed)
{
    struct gcl_gns_config config;
    struct gcl_wire_pid wire;
    gcl_term actors = gcl_term_of(&r->terms, line->bytes);
    struct gcl_str self = gcl_str_of(r->life->nodes[r->node]);
    cr_assert(gcl_match(actors, "{~p, ~p, ~p}", &r->actors[0], &r->actors[1], &r->actors[2]));
    cr_assert(gcl_translate_pid(&r->names, r->actors[0], &wire));
    gcl_gns_config_init(&config);
    config.mem = gcl_allocator_default();
    config.terms = &r->terms;
    config.self = self;
    memcpy(config.actors, r->actors, sizeof config.actors);
    config.seed[0] = seed;
    config.incarnation = incarnation_of(r);
    config.reports_lost_connections = true;
    config.step_timeout_ms = UINT32_MAX; /* what OTP does not do */
    cr_assert_eq(gcl_gns_new(&config, &r->gns), 0);
}

static void end(struct replay *r)
{
    gcl_gns_free(r->gns);
    replay_said_fini(r);
    for (size_t i = 1; i <= r->caller_count; i++)
        gcl_term_free(r->callers[i].tag);
    for (size_t i = 0; i < r->call_count; i++)
        gcl_term_free(r->calls[i].tag);
    gcl_term_context_fini(&r->terms);
    gcl_names_fini(&r->names);
}

static void step(struct replay *r, const struct capture_line *line, uint64_t seed)
{
    bool is_got = line->kind == CAPTURE_GOT;
    if ((is_got ? line->other : line->at) != r->node)
        return;
    if (line->kind == CAPTURE_GOT || line->kind == CAPTURE_DOWN || line->kind == CAPTURE_DO)
        check(r);
    switch (line->kind) {
    case CAPTURE_NODE:
        start(r, line, seed);
        break;
    case CAPTURE_UP:
        up(r, line->other);
        break;
    case CAPTURE_DOWN:
        down(r, line->other);
        break;
    case CAPTURE_DO:
        do_it(r, gcl_term_of(&r->terms, line->bytes));
        break;
    case CAPTURE_SENT:
        replay_sent(r, line);
        break;
    case CAPTURE_GOT:
        got(r, line->at);
        break;
    case CAPTURE_KINDS:
        break;
    }
    gcl_term_context_release(&r->terms);
}

static struct replay_verdict replay_with(const struct capture_life *life, size_t node,
                                         uint64_t seed)
{
    struct replay *r = malloc(sizeof *r);
    begin(r, life, node, seed);
    for (; r->next < life->count && r->verdict.is_ok && !r->is_over; r->next++) {
        r->verdict.line = life->lines[r->next].number;
        step(r, &life->lines[r->next], seed);
    }
    if (r->verdict.is_ok && !r->is_over)
        check_end(r);
    struct replay_verdict verdict = r->verdict;
    end(r);
    free(r);
    return verdict;
}

struct replay_verdict replay(const struct capture_life *life, size_t node)
{
    struct replay_verdict best = {.is_ok = false};
    for (uint64_t seed = 1; seed <= SEEDS && !best.is_ok; seed++) {
        struct replay_verdict verdict = replay_with(life, node, seed);
        if (verdict.is_ok || verdict.line > best.line)
            best = verdict;
    }
    return best;
}
