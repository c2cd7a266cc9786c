/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the program `server` behind the n-th message of `global`, got or said: the program `doomed`,
 * with n in GCL_DOOM. One that it gets is not handled any more; one that it says is on its way, and
 * what would come behind it is not. The library is the one that is shipped: the functions of its
 * machine are wrapped by the linker. Each message is written out as `message N KIND`.
 */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/global/gns.h"

enum { EXIT_DOOMED = 70 };

/* In which what was said reaches the sockets. */
static const double flush_s = 0.005;

static bool is_over;

static void end(int events, void *user)
{
    (void)events;
    (void)user;
    _exit(EXIT_DOOMED);
}

/* False: this was the last one. */
static bool count(const char *kind)
{
    static long last, number;
    if (last == 0)
        last = getenv("GCL_DOOM") != NULL ? atol(getenv("GCL_DOOM")) : -1;
    printf("message %ld %s\n", ++number, kind);
    is_over = number == last;
    return !is_over;
}

static bool got(const char *kind)
{
    if (is_over)
        return false;
    if (!count(kind))
        _exit(EXIT_DOOMED);
    return true;
}

static void said(const char *kind)
{
    if (!count(kind))
        ev_once(ev_default_loop(0), -1, 0, flush_s, end, NULL);
}

/* --- what the machine gets ------------------------------------------------------------------ */

void __real_gcl_gns_cast(struct gcl_gns *gns, uint64_t now_ms, gcl_term message);
void __wrap_gcl_gns_cast(struct gcl_gns *gns, uint64_t now_ms, gcl_term message);
void __wrap_gcl_gns_cast(struct gcl_gns *gns, uint64_t now_ms, gcl_term message)
{
    if (got("cast"))
        __real_gcl_gns_cast(gns, now_ms, message);
}

void __real_gcl_gns_info(struct gcl_gns *gns, uint64_t now_ms, gcl_term message);
void __wrap_gcl_gns_info(struct gcl_gns *gns, uint64_t now_ms, gcl_term message);
void __wrap_gcl_gns_info(struct gcl_gns *gns, uint64_t now_ms, gcl_term message)
{
    if (got("info"))
        __real_gcl_gns_info(gns, now_ms, message);
}

bool __real_gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                         gcl_term request);
bool __wrap_gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                         gcl_term request);
bool __wrap_gcl_gns_call(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, gcl_pid from,
                         gcl_term request)
{
    return got("call") && __real_gcl_gns_call(gns, now_ms, number, from, request);
}

void __real_gcl_gns_answered(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, int error,
                             gcl_term answer);
void __wrap_gcl_gns_answered(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, int error,
                             gcl_term answer);
void __wrap_gcl_gns_answered(struct gcl_gns *gns, uint64_t now_ms, uint64_t number, int error,
                             gcl_term answer)
{
    if (got("answer"))
        __real_gcl_gns_answered(gns, now_ms, number, error, answer);
}

/* --- what it says --------------------------------------------------------------------------- */

static const char *const kinds[] = {
    [GCL_GNS_SEND] = "said",         [GCL_GNS_SEND_PID] = "said",
    [GCL_GNS_CALL] = "asked",        [GCL_GNS_REPLY] = "replied",
    [GCL_GNS_MONITOR] = "monitored", [GCL_GNS_CONNECT] = "connected",
    [GCL_GNS_RESOLVE] = "resolved",
};

bool __real_gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect);
bool __wrap_gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect);
bool __wrap_gcl_gns_next(struct gcl_gns *gns, struct gcl_gns_effect *effect)
{
    if (is_over || !__real_gcl_gns_next(gns, effect))
        return false;
    if (effect->kind < sizeof kinds / sizeof kinds[0] && kinds[effect->kind] != NULL)
        said(kinds[effect->kind]);
    return true;
}
