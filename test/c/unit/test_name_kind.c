/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "node/name_kind.h"

static bool differ(const char *host, const char *name)
{
    return gcl_name_kinds_differ(host, gcl_str_of(name));
}

Test(name_kind, short_and_long_names)
{
    cr_assert(differ("127.0.0.1", "one@localhost"));
    cr_assert(differ("host", "one@host.example"));
    cr_assert_not(differ("host", "o.n.e@other"));
    cr_assert_not(differ("host.example", "one@127.0.0.1"));
}

/* BEAMs dial an address of IPv6 with either kind of name. */
Test(name_kind, addresses_of_ipv6_go_with_both)
{
    cr_assert_not(differ("::1", "one@host"));
    cr_assert_not(differ("::1", "one@host.example"));
    cr_assert_not(differ("host", "one@::1"));
    cr_assert_not(differ("host.example", "one@::ffff:192.0.2.1"));
    cr_assert_not(differ("host", "one@::ffff:192.0.2.1"));
}
