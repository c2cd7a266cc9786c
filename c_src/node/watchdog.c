/* SPDX-License-Identifier: Apache-2.0 */
#include "node/watchdog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <gen_cluster/error.h>

#include "net/clock.h"
#include "net/thread.h"

/* --- its judgement --------------------------------------------------------------------------- */

void gcl_stall_init(struct gcl_stall *stall, unsigned limit_ms, uint64_t now_ms)
{
    *stall = (struct gcl_stall){.limit_ms = limit_ms, .awake_ms = now_ms, .wake_ms = now_ms};
}

bool gcl_stall_check(struct gcl_stall *stall, uint64_t busy_since_ms, uint64_t now_ms)
{
    /* A machine that is merely busy delays a thread by less than that. */
    if (now_ms > stall->wake_ms + stall->limit_ms / 2)
        stall->awake_ms = now_ms;
    uint64_t from_ms = busy_since_ms > stall->awake_ms ? busy_since_ms : stall->awake_ms;
    /* A turn that begins right now is the next one that can be too long. */
    if (busy_since_ms == 0)
        from_ms = now_ms;
    stall->wake_ms = from_ms + stall->limit_ms;
    return now_ms >= stall->wake_ms;
}

/* --- the thread ------------------------------------------------------------------------------ */

/* malloc() serves here: the last one to leave frees it, and that may be the thread. */
struct gcl_watchdog {
    _Atomic uint64_t busy_since_ms;
    atomic_bool has_struck;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct gcl_guard guard;
    struct gcl_stall stall;
    struct gcl_watchdog_strike strike;
    bool is_closed;
};

static void destroy(struct gcl_watchdog *watchdog)
{
    gcl_guard_fini(&watchdog->guard);
    (void)pthread_cond_destroy(&watchdog->changed);
    (void)pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}

/* The flag comes first: who finds a socket shut down knows why. */
static void strike(struct gcl_watchdog *watchdog, uint64_t busy_since_ms)
{
    watchdog->strike.busy_since_ms = busy_since_ms;
    atomic_store(&watchdog->has_struck, true);
    watchdog->strike.sockets = gcl_guard_cut(&watchdog->guard);
}

/* The clock comes first: a turn that is seen to go on behind that has lasted until then. The other
 * way round it could have ended while the thread had to wait for a processor. */
static void watch(struct gcl_watchdog *watchdog)
{
    uint64_t now_ms = gcl_clock_ms();
    uint64_t busy_since_ms = atomic_load(&watchdog->busy_since_ms);
    if (atomic_load(&watchdog->has_struck))
        (void)pthread_cond_wait(&watchdog->changed, &watchdog->lock);
    else if (gcl_stall_check(&watchdog->stall, busy_since_ms, now_ms))
        strike(watchdog, busy_since_ms);
    else
        gcl_thread_wait_until(&watchdog->changed, &watchdog->lock, watchdog->stall.wake_ms);
}

static void *thread_main(void *argument)
{
    struct gcl_watchdog *watchdog = argument;
    (void)pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->is_closed)
        watch(watchdog);
    (void)pthread_mutex_unlock(&watchdog->lock);
    destroy(watchdog);
    return NULL;
}

static bool init(struct gcl_watchdog *watchdog, const gcl_allocator *mem)
{
    if (pthread_mutex_init(&watchdog->lock, NULL) != 0)
        return false;
    if (!gcl_thread_condition_init(&watchdog->changed))
        goto no_condition;
    if (gcl_guard_init(&watchdog->guard, mem))
        return true;
    (void)pthread_cond_destroy(&watchdog->changed);
no_condition:
    (void)pthread_mutex_destroy(&watchdog->lock);
    return false;
}

int gcl_watchdog_new(const gcl_allocator *mem, unsigned limit_ms, struct gcl_watchdog **out)
{
    struct gcl_watchdog *watchdog = calloc(1, sizeof *watchdog);
    uint64_t now_ms = gcl_clock_ms();
    if (watchdog == NULL || !init(watchdog, mem)) {
        free(watchdog);
        return GCL_ENOMEM;
    }
    gcl_stall_init(&watchdog->stall, limit_ms, now_ms);
    atomic_store(&watchdog->busy_since_ms, now_ms);
    if (!gcl_thread_start(thread_main, watchdog)) {
        destroy(watchdog);
        return GCL_ESYS;
    }
    *out = watchdog;
    return 0;
}

struct gcl_guard *gcl_watchdog_guard(struct gcl_watchdog *watchdog)
{
    return &watchdog->guard;
}

_Atomic uint64_t *gcl_watchdog_heartbeat(struct gcl_watchdog *watchdog)
{
    return &watchdog->busy_since_ms;
}

bool gcl_watchdog_has_struck(struct gcl_watchdog *watchdog)
{
    return atomic_load(&watchdog->has_struck);
}

struct gcl_watchdog_strike gcl_watchdog_resume(struct gcl_watchdog *watchdog, uint64_t now_ms)
{
    /* Held while it strikes: what it began is done. */
    (void)pthread_mutex_lock(&watchdog->lock);
    struct gcl_watchdog_strike strike = watchdog->strike;
    gcl_guard_mend(&watchdog->guard);
    atomic_store(&watchdog->busy_since_ms, now_ms);
    gcl_stall_init(&watchdog->stall, (unsigned)watchdog->stall.limit_ms, now_ms);
    atomic_store(&watchdog->has_struck, false);
    (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
    return strike;
}

void gcl_watchdog_close(struct gcl_watchdog *watchdog)
{
    (void)pthread_mutex_lock(&watchdog->lock);
    gcl_guard_clear(&watchdog->guard);
    watchdog->is_closed = true;
    (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
}
