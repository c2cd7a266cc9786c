/* SPDX-License-Identifier: Apache-2.0 */
/** The threads of the library: detached, and out of the way of the program's signals. */
#ifndef GCL_NET_THREAD_H
#define GCL_NET_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** False when the system gives no thread; then `main` will not run. */
bool gcl_thread_start(void *(*main)(void *argument), void *argument);

/** A condition whose timed waits go by the clock of net/clock.h. False: the system gives none. */
bool gcl_thread_condition_init(pthread_cond_t *condition);

/** As pthread_cond_wait(), but no longer than until then. */
void gcl_thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t at_ms);

#endif
