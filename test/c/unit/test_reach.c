/* SPDX-License-Identifier: Apache-2.0 */
/* From where others come, compared with where a node listens and what it is called. */
#include <criterion/criterion.h>

#include "net/address.h"
#include "node/reach.h"

static struct gcl_address at(const char *text)
{
    struct gcl_address address;
    cr_assert(gcl_address_parse(text, 4711, &address));
    return address;
}

static bool is_fine(const char *listening, const char *host, const char *local, const char *remote)
{
    struct gcl_address a = at(listening), b = at(local), c = at(remote);
    return gcl_reach_judge(&a, host, &b, &c) == NULL;
}

Test(reach, who_listens_on_the_loopback_cannot_be_dialled_from_other_hosts)
{
    cr_assert_not(is_fine("127.0.0.1", "host", "192.0.2.1", "192.0.2.2"));
    cr_assert_not(is_fine("::1", "host", "2001:db8::1", "2001:db8::2"));
    cr_assert(is_fine("127.0.0.1", "host", "127.0.0.1", "127.0.0.1"));
    cr_assert(is_fine("127.0.0.1", "host", "192.0.2.1", "192.0.2.1"));
    cr_assert(is_fine("192.0.2.1", "host", "192.0.2.1", "192.0.2.2"));
}

Test(reach, who_is_called_by_the_loopback_neither)
{
    cr_assert_not(is_fine("::", "127.0.0.1", "192.0.2.1", "192.0.2.2"));
    cr_assert_not(is_fine("::", "localhost", "::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    cr_assert(is_fine("::", "127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.1"));
    cr_assert(is_fine("::", "192.0.2.1", "192.0.2.1", "192.0.2.2"));
    cr_assert(is_fine("::", "host.example", "192.0.2.1", "192.0.2.2"));
}

Test(reach, an_address_may_be_written_in_two_ways)
{
    struct gcl_address v4 = at("192.0.2.1"), v6 = at("::ffff:192.0.2.1"), other = at("192.0.2.2");
    cr_assert(gcl_address_is_same(&v4, &v6));
    cr_assert_not(gcl_address_is_same(&v4, &other));
    gcl_address_set_port(&v6, 4712);
    cr_assert_not(gcl_address_is_same(&v4, &v6));
    cr_assert(gcl_address_is_same_host(&v4, &v6));
}
