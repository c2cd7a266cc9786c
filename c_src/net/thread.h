/* SPDX-License-Identifier: Apache-2.0 */
/** Starts the threads of the library: detached, and out of the way of the program's signals. */
#ifndef GCL_NET_THREAD_H
#define GCL_NET_THREAD_H

#include <stdbool.h>

/** False when the system gives no thread; then `main` will not run. */
bool gcl_thread_start(void *(*main)(void *argument), void *argument);

#endif
