/* SPDX-License-Identifier: Apache-2.0 */
/** Whether two messages of `global` mean the same. */
#ifndef GCL_TEST_SIM_GNS_SAME_H
#define GCL_TEST_SIM_GNS_SAME_H

#include <gen_cluster/term.h>

/**
 * The same terms, but for the order of lists other than those of pids, and for what stands in some
 * messages though nobody reads it.
 */
bool gns_is_same(gcl_term a, gcl_term b);

#endif
