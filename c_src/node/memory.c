/* SPDX-License-Identifier: Apache-2.0 */
#include "net/platform.h"
#include "node/node.h"

bool gcl_node_memory(uint64_t *bytes)
{
    return gcl_platform_memory(bytes);
}
