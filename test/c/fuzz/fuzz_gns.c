/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other nodes may send to the global_name_server, in a row. An input is a sequence of a byte
 * that says what happens (its low four bits, see enum happening; its high ones say to which node),
 * a size in two bytes, and so many bytes of a term. This node is b@h; a@h, c@h and d@h are others.
 * In front of all stands in two bytes from which allocation on there is no memory; 0: there always
 * is, 65535: from each, one after the other. Then the machine says so, and is freed.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gen_cluster/error.h>

#include "core/global/gns.h"
#include "wire/term/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum happening {
    CAST,
    INFO,
    CALL,
    ANSWER,    /* to the oldest question */
    NO_ANSWER, /* the same */
    UP,
    DOWN,
    CONNECT_FAILED,
    PROCESS_DOWN,
    REGISTER,
    UNREGISTER,
    WOKEN,
    LOCK, /* on all nodes, by one of four processes of this one */
    UNLOCK,
    LOCKER_ENDS,
    EXCLUDE,
};

enum { SELF = 1, QUESTIONS = 64, EACH = UINT16_MAX, EACH_MAX_BYTES = 2048 };

static const char names[] = "a@hb@hc@hd@h";
static gcl_term_context *context;
static uint64_t questions[QUESTIONS];
static size_t question_count;
static uint64_t now_ms;
static size_t allocations, fails_at;

static bool fails(void)
{
    return ++allocations >= fails_at && fails_at != 0;
}

static void *allocate(void *user, size_t size)
{
    (void)user;
    return fails() ? NULL : malloc(size);
}

static void *resize(void *user, void *block, size_t size)
{
    (void)user;
    return fails() ? NULL : realloc(block, size);
}

static void give_back(void *user, void *block)
{
    (void)user;
    free(block);
}

static const gcl_allocator allocator = {.alloc = allocate, .resize = resize, .free = give_back};

static struct gcl_str name_at(uint32_t node)
{
    return gcl_str_make(names + 3 * (node % 4), 3);
}

static gcl_pid pid_at(uint32_t node, uint32_t id)
{
    return (gcl_pid){.node = node % 4, .generation = 1, .id = id};
}

static int pid_in(void *user, const struct gcl_wire_pid *wire, gcl_pid *pid)
{
    (void)user;
    for (uint32_t i = 0; i < 4; i++)
        if (gcl_str_equal(wire->node, name_at(i))) {
            *pid = pid_at(i, wire->id);
            pid->serial = wire->serial;
            return 0;
        }
    return GCL_ENAME;
}

static int pid_out(void *user, const gcl_pid *pid, struct gcl_wire_pid *wire)
{
    (void)user;
    *wire = (struct gcl_wire_pid){
        .node = name_at(pid->node), .id = pid->id, .serial = pid->serial, .creation = 1};
    return 0;
}

/* What goes out has to be well formed; what is not connected is said later, by the input. */
static void drain(struct gcl_gns *gns)
{
    struct gcl_gns_effect effect;
    while (gcl_gns_next(gns, &effect)) {
        switch (effect.kind) {
        case GCL_GNS_SEND:
        case GCL_GNS_SEND_PID:
        case GCL_GNS_REPLY:
        case GCL_GNS_LOST:
            assert(gcl_term_check(effect.term) == 0);
            break;
        case GCL_GNS_CALL:
        case GCL_GNS_RESOLVE:
            assert(gcl_term_check(effect.term) == 0 && effect.number != 0);
            if (question_count < QUESTIONS)
                questions[question_count++] = effect.number;
            break;
        default:
            break;
        }
    }
    assert(!gcl_gns_has_failed(gns) || fails_at != 0);
    gcl_term_context_release(context);
}

static uint64_t take_question(void)
{
    uint64_t number = question_count > 0 ? questions[0] : 0;
    if (question_count > 0)
        memmove(questions, questions + 1, --question_count * sizeof questions[0]);
    return number;
}

static const struct gcl_gns_places everywhere = {NULL, 0};

/* What a request is refused with. */
static void expect(int error)
{
    if (error != 0 && error != GCL_EINVAL && error != GCL_ELIMIT && error != GCL_ENOMEM)
        abort();
}

static void happen(struct gcl_gns *gns, uint8_t what, gcl_term term)
{
    uint32_t node = what >> 4;
    switch (what & 15) {
    case CAST:
        gcl_gns_cast(gns, now_ms, term);
        break;
    case INFO:
        gcl_gns_info(gns, now_ms, term);
        break;
    case CALL:
        gcl_gns_call(gns, now_ms, now_ms, pid_at(node, 1 + node), term);
        break;
    case ANSWER:
        gcl_gns_answered(gns, now_ms, take_question(), 0, term);
        break;
    case NO_ANSWER:
        gcl_gns_answered(gns, now_ms, take_question(), GCL_ENOCONNECTION,
                         gcl_term_make(context, NULL, 0));
        break;
    case UP:
        gcl_gns_nodeup(gns, now_ms, name_at(node), node != 2);
        break;
    case DOWN:
        gcl_gns_nodedown(gns, now_ms, name_at(node));
        break;
    case CONNECT_FAILED:
        gcl_gns_connect_failed(gns, now_ms, name_at(node));
        break;
    case PROCESS_DOWN:
        gcl_gns_down(gns, now_ms, pid_at(node, 1 + node));
        break;
    case REGISTER:
        if (gcl_term_check(term) == 0)
            expect(gcl_gns_register(gns, now_ms, now_ms, term, pid_at(SELF, 100 + node), term));
        break;
    case UNREGISTER:
        if (gcl_term_check(term) == 0)
            expect(gcl_gns_unregister(gns, now_ms, now_ms, term, pid_at(SELF, 100 + node)));
        break;
    case LOCK:
        if (gcl_term_check(term) == 0)
            expect(
                gcl_gns_lock(gns, now_ms, now_ms, term, pid_at(SELF, 100 + node), &everywhere, 2));
        break;
    case UNLOCK:
        if (gcl_term_check(term) == 0)
            expect(
                gcl_gns_unlock(gns, now_ms, now_ms, term, pid_at(SELF, 100 + node), &everywhere));
        break;
    case LOCKER_ENDS:
        gcl_gns_locks_end(gns, now_ms, pid_at(SELF, 100 + node));
        break;
    case WOKEN:
        now_ms += 5000;
        gcl_gns_woken(gns, now_ms);
        break;
    case EXCLUDE:
        gcl_gns_exclude(gns, now_ms, name_at(node));
        break;
    }
    now_ms++;
    drain(gns);
}

/* True: there was no memory some time. */
static bool run(struct gcl_cursor input, size_t failing)
{
    const struct gcl_term_ids ids = {.pid_in = pid_in, .pid_out = pid_out};
    struct gcl_gns_config config;
    struct gcl_gns *gns;
    uint8_t what;
    uint16_t length;
    struct gcl_str bytes;
    allocations = 0;
    fails_at = 0;
    context = gcl_term_context_new(&allocator, NULL, NULL);
    assert(context != NULL);
    context->ids = ids;
    fails_at = failing;
    question_count = 0;
    now_ms = 1;
    gcl_gns_config_init(&config);
    config.mem = &allocator;
    config.terms = context;
    config.self = name_at(SELF);
    config.reports_lost_connections = (fails_at & 1) == 0;
    config.max_names = 64;
    config.max_locks = 16;
    config.max_nodes = 32;
    for (uint32_t i = 0; i < GCL_GNS_ACTORS; i++)
        config.actors[i] = pid_at(SELF, 10 + i);
    if (gcl_gns_new(&config, &gns) == 0) {
        while (!gcl_gns_has_failed(gns) && gcl_cursor_u8(&input, &what) &&
               gcl_cursor_u16(&input, &length)) {
            if (!gcl_cursor_bytes(&input, length, &bytes))
                (void)gcl_cursor_bytes(&input, gcl_cursor_left(&input), &bytes);
            happen(gns, what, gcl_term_of(context, bytes));
        }
        gcl_gns_free(gns);
    }
    gcl_term_context_free(context);
    return fails_at != 0 && allocations >= fails_at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gcl_cursor input = gcl_cursor_make(data, size);
    uint16_t failing = 0;
    (void)gcl_cursor_u16(&input, &failing);
    if (failing != EACH)
        (void)run(input, failing);
    else
        for (size_t n = 1; size < EACH_MAX_BYTES && run(input, n); n++)
            continue;
    return 0;
}
