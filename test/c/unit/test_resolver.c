/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/error.h>
#include <semaphore.h>
#include <stdbool.h>
#include <string.h>

#include "net/resolver.h"

static sem_t woken, gate;
static int outcomes;
static bool found;

static void wake(void *argument)
{
    (void)argument;
    (void)sem_post(&woken);
}

/* Hangs until the test lets it go, as a resolver whose servers do not answer. */
static bool hang(const char *host, struct gcl_address *address)
{
    (void)sem_wait(&gate);
    return gcl_address_parse(strcmp(host, "one.test") == 0 ? "127.0.0.1" : host, 0, address);
}

static void outcome(void *user, const struct gcl_address *address)
{
    cr_assert_eq(user, &outcomes);
    outcomes++;
    found = address != NULL;
}

static struct gcl_resolver *make(void)
{
    struct gcl_resolver_config config = {hang, 1, wake, NULL};
    cr_assert_eq(sem_init(&woken, 0, 0), 0);
    cr_assert_eq(sem_init(&gate, 0, 0), 0);
    struct gcl_resolver *resolver = gcl_resolver_new(&config);
    cr_assert_not_null(resolver);
    return resolver;
}

static void expect(struct gcl_resolver *resolver, const char *host, bool is_found)
{
    int before = outcomes;
    cr_assert_eq(gcl_resolver_start(resolver, host, &outcomes), 0);
    (void)sem_post(&gate);
    (void)sem_wait(&woken);
    gcl_resolver_run(resolver, outcome);
    cr_assert_eq(outcomes, before + 1);
    cr_assert_eq(found, is_found);
}

Test(resolver, outcomes_come_to_the_loop_thread)
{
    struct gcl_resolver *resolver = make();
    expect(resolver, "one.test", true);
    expect(resolver, "nobody.test", false);
    gcl_resolver_close(resolver);
}

Test(resolver, lookups_at_a_time_have_a_limit)
{
    struct gcl_resolver *resolver = make();
    cr_assert_eq(gcl_resolver_start(resolver, "one.test", &outcomes), 0);
    cr_assert_eq(gcl_resolver_start(resolver, "two.test", &outcomes), GCL_EBUSY);
    (void)sem_post(&gate);
    (void)sem_wait(&woken);
    gcl_resolver_run(resolver, outcome);
    cr_assert_eq(outcomes, 1);
    gcl_resolver_close(resolver);
}

Test(resolver, a_cancelled_lookup_has_no_outcome)
{
    struct gcl_resolver *resolver = make();
    cr_assert_eq(gcl_resolver_start(resolver, "one.test", &outcomes), 0);
    gcl_resolver_cancel(resolver, &outcomes);
    (void)sem_post(&gate);
    (void)sem_wait(&woken);
    gcl_resolver_run(resolver, outcome);
    cr_assert_eq(outcomes, 0);
    gcl_resolver_close(resolver);
}

Test(resolver, closing_does_not_wait_for_one_that_hangs)
{
    struct gcl_resolver *resolver = make();
    cr_assert_eq(gcl_resolver_start(resolver, "one.test", &outcomes), 0);
    gcl_resolver_close(resolver);
    (void)sem_post(&gate);
    /* The thread frees the resolver; the sanitizers see whether it did so once. */
}
