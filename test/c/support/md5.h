/* SPDX-License-Identifier: Apache-2.0 */
/** The hash that the membership machine is handed; one for as many machines as there are. */
#ifndef GCL_TEST_SUPPORT_MD5_H
#define GCL_TEST_SUPPORT_MD5_H

#include "core/membership/membership.h"

struct gcl_membership_hash gcl_test_md5(void);

#endif
