/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes of the program `server` one that, from SIGUSR1 on, never says one thing, the program
 * `deaf`: what is left out stands in GCL_DROP. The library is the one that is shipped; functions of
 * it are wrapped by the linker.
 *
 *     a cast or message of `global`, such as lock_set or init_connect
 *     reply:REQUEST  the answer to a call of global_name_server, such as reply:set_lock
 *     down           what a monitor gets, the outcome of erpc included
 *     spawn_reply    that a process was spawned, or not
 *     yes            what net_kernel answers to a ping
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/gns.h"
#include "wire/control.h"

enum { CALLS_MAX = 4096, TEXT_BYTES = 128 };

static volatile sig_atomic_t is_deaf;

static void become_deaf(int number)
{
    (void)number;
    is_deaf = 1;
}

__attribute__((constructor)) static void begin(void)
{
    (void)signal(SIGUSR1, become_deaf);
}

static const char *dropped(void)
{
    const char *what = getenv("GCL_DROP");
    return is_deaf && what != NULL ? what : "";
}

static bool is_dropped(const char *what)
{
    return strcmp(dropped(), what) == 0;
}

/* {Kind, ...}, {'$gen_cast', {Kind, ...}}, or an atom. */
static bool is_of_kind(gcl_term term, const char *kind)
{
    char text[TEXT_BYTES];
    size_t size = strlen(kind);
    (void)gcl_term_print(term, text, sizeof text, NULL);
    const char *at = text;
    if (strncmp(at, "{'$gen_cast',", 13) == 0)
        at += 13;
    if (*at == '{')
        at++;
    return strncmp(at, kind, size) == 0 && strchr(",}", at[size]) != NULL;
}

/* --- global --------------------------------------------------------------------------------- */

static uint64_t calls[CALLS_MAX]; /* whose answers are dropped */
static size_t call_count;

bool __real_gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                         gcl_term request);
bool __wrap_gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                         gcl_term request);
bool __wrap_gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                         gcl_term request)
{
    if (strncmp(dropped(), "reply:", 6) == 0 && is_of_kind(request, dropped() + 6) &&
        call_count < CALLS_MAX)
        calls[call_count++] = number;
    return __real_gcl_gns_call(gns, now_ms, number, from, request);
}

static bool is_said(const struct gcl_gns_effect *effect)
{
    if (effect->kind == GCL_GNS_SEND || effect->kind == GCL_GNS_SEND_PID)
        return dropped()[0] == '\0' || !is_of_kind(effect->term, dropped());
    for (size_t i = 0; effect->kind == GCL_GNS_REPLY && i < call_count; i++)
        if (calls[i] == effect->number)
            return false;
    return true;
}

bool __real_gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect);
bool __wrap_gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect);
bool __wrap_gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect)
{
    while (__real_gcl_gns_next(gns, effect))
        if (is_said(effect))
            return true;
    return false;
}

/* --- everything else ------------------------------------------------------------------------ */

/* {Tag, yes}: a term that ends with the atom. */
static bool is_yes(struct gcl_str term)
{
    static const uint8_t yes[] = {119, 3, 'y', 'e', 's'};
    return term.size > sizeof yes &&
           memcmp(term.bytes + term.size - sizeof yes, yes, sizeof yes) == 0;
}

int __real_gcl_control_encode(struct gcl_buffer *out, uint64_t flags,
                              const struct gcl_control *control);
int __wrap_gcl_control_encode(struct gcl_buffer *out, uint64_t flags,
                              const struct gcl_control *control);
int __wrap_gcl_control_encode(struct gcl_buffer *out, uint64_t flags,
                              const struct gcl_control *control)
{
    if ((control->op == GCL_CONTROL_DOWN && is_dropped("down")) ||
        (control->op == GCL_CONTROL_SPAWN_REPLY && is_dropped("spawn_reply")) ||
        (control->op == GCL_CONTROL_SEND && is_dropped("yes") && is_yes(control->term)))
        return 0;
    return __real_gcl_control_encode(out, flags, control);
}
