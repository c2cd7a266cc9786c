/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that can be shut down from outside, and that nothing keeps open for longer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <gen_cluster/error.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/guard.h"
#include "support.h"
#include "system.h"

enum { ROUNDS = 2000, PAIRS = 40 };

struct pair {
    int ours;
    int theirs;
    int slot;
};

static gcl_test_memory mem;
static struct gcl_guard guard;

static void begin(void)
{
    cr_assert(gcl_guard_init(&guard, gcl_test_begin(&mem)));
}

static void end(void)
{
    gcl_guard_clear(&guard);
    gcl_guard_fini(&guard);
    gcl_test_end(&mem);
}

static void open_pair(struct pair *pair)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    pair->ours = fds[0];
    pair->theirs = fds[1];
    pair->slot = GCL_GUARD_NONE;
}

static void add(struct pair *pair)
{
    open_pair(pair);
    cr_assert_eq(gcl_guard_add(&guard, pair->ours, &pair->slot), 0);
}

static bool has_ended(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    cr_assert(got == 0 || (got < 0 && errno == EAGAIN));
    return got == 0;
}

static void drop(struct pair *pair)
{
    gcl_guard_remove(&guard, &pair->slot);
    cr_assert_eq(pair->slot, GCL_GUARD_NONE);
    cr_assert_eq(close(pair->ours), 0);
    cr_assert(has_ended(pair->theirs));
    cr_assert_eq(close(pair->theirs), 0);
}

Test(guard, all_are_cut_and_stay_open_otherwise)
{
    struct pair pairs[PAIRS];
    begin();
    for (int i = 0; i < PAIRS; i++)
        add(&pairs[i]);
    for (int i = 0; i < PAIRS; i++)
        cr_assert_not(has_ended(pairs[i].theirs));
    drop(&pairs[7]);
    cr_assert_eq(gcl_guard_cut(&guard), PAIRS - 1);
    for (int i = 0; i < PAIRS; i++) {
        if (i == 7)
            continue;
        cr_assert(has_ended(pairs[i].theirs));
        cr_assert(has_ended(pairs[i].ours));
        drop(&pairs[i]);
    }
    end();
}

Test(guard, what_is_opened_after_the_cut_is_cut_until_it_is_mended)
{
    struct pair before, after;
    begin();
    cr_assert_eq(gcl_guard_cut(&guard), 0);
    add(&before);
    cr_assert(has_ended(before.theirs));
    gcl_guard_mend(&guard);
    add(&after);
    cr_assert_not(has_ended(after.theirs));
    drop(&before);
    drop(&after);
    end();
}

/* drop() fails when a duplicate is left. */
Test(guard, nothing_stays_open_for_longer_than_its_owner_wants)
{
    struct pair pairs[PAIRS];
    uint64_t random = gcl_test_seed();
    begin();
    unsigned files = test_count_files();
    for (int i = 0; i < PAIRS; i++)
        pairs[i].ours = -1;
    for (int round = 0; round < ROUNDS; round++) {
        struct pair *pair = &pairs[gcl_test_random(&random) % PAIRS];
        if (pair->ours < 0) {
            add(pair);
        } else {
            drop(pair);
            pair->ours = -1;
        }
    }
    for (int i = 0; i < PAIRS; i++)
        if (pairs[i].ours >= 0)
            drop(&pairs[i]);
    cr_assert_eq(test_count_files(), files);
    cr_assert_eq(mem.live, 1);
    end();
}

Test(guard, clearing_lets_go_of_all)
{
    struct pair pair;
    begin();
    add(&pair);
    cr_assert_eq(close(pair.ours), 0);
    cr_assert_not(has_ended(pair.theirs));
    gcl_guard_clear(&guard);
    cr_assert(has_ended(pair.theirs));
    end();
}

Test(guard, removing_is_idempotent_and_none_is_none)
{
    struct pair pair;
    int slot = 3;
    begin();
    add(&pair);
    gcl_guard_remove(&guard, &pair.slot);
    gcl_guard_remove(&guard, &pair.slot);
    cr_assert_eq(gcl_guard_cut(&guard), 0);
    cr_assert_eq(gcl_guard_add(NULL, pair.ours, &slot), 0);
    cr_assert_eq(slot, GCL_GUARD_NONE);
    gcl_guard_remove(NULL, &slot);
    end();
}

Test(guard, children_inherit_nothing)
{
    struct pair pair;
    begin();
    add(&pair);
    cr_assert_eq(fcntl(guard.fds[pair.slot], F_GETFD), FD_CLOEXEC);
    drop(&pair);
    end();
}

Test(guard, without_memory_a_socket_is_not_taken_and_the_others_are_kept)
{
    struct pair pairs[PAIRS];
    int taken = 0;
    begin();
    open_pair(&pairs[0]);
    unsigned files = test_count_files();
    gcl_test_fail_at(&mem, 1);
    cr_assert_eq(gcl_guard_add(&guard, pairs[0].ours, &pairs[0].slot), GCL_ENOMEM);
    cr_assert_eq(pairs[0].slot, GCL_GUARD_NONE);
    cr_assert_eq(test_count_files(), files);
    drop(&pairs[0]);
    gcl_test_fail_at(&mem, 2);
    for (;; taken++) {
        open_pair(&pairs[taken]);
        if (gcl_guard_add(&guard, pairs[taken].ours, &pairs[taken].slot) != 0)
            break;
    }
    cr_assert_gt(taken, 1);
    cr_assert_lt(taken, PAIRS);
    cr_assert_eq(gcl_guard_cut(&guard), (size_t)taken);
    for (int i = 0; i < taken; i++) {
        cr_assert(has_ended(pairs[i].theirs));
        drop(&pairs[i]);
    }
    end();
}

Test(guard, without_a_descriptor_a_socket_is_not_taken)
{
    struct pair pair;
    begin();
    open_pair(&pair);
    test_leave_files(0);
    cr_assert_eq(gcl_guard_add(&guard, pair.ours, &pair.slot), GCL_ESYS);
    cr_assert_eq(errno, EMFILE);
    cr_assert_eq(pair.slot, GCL_GUARD_NONE);
    test_leave_enough_files();
    cr_assert_eq(gcl_guard_add(&guard, pair.ours, &pair.slot), 0);
    drop(&pair);
    end();
}

static gcl_allocator cutting;
static unsigned cuts;

static void *cut_and_alloc(void *user, size_t size)
{
    cuts++;
    cr_assert_eq(gcl_guard_cut(&guard), 0);
    return mem.allocator.alloc(user, size);
}

static void *cut_and_resize(void *user, void *block, size_t size)
{
    cuts++;
    cr_assert_eq(gcl_guard_cut(&guard), 0);
    return mem.allocator.resize(user, block, size);
}

/* Its allocator is the program's, and may be what stands still. */
Test(guard, it_can_be_cut_while_it_allocates, .timeout = 20)
{
    struct pair pair;
    const gcl_allocator *counting = gcl_test_begin(&mem);
    cutting = *counting;
    cutting.alloc = cut_and_alloc;
    cutting.resize = cut_and_resize;
    cuts = 0;
    cr_assert(gcl_guard_init(&guard, &cutting));
    add(&pair);
    cr_assert_eq(cuts, 1);
    cr_assert(has_ended(pair.theirs));
    drop(&pair);
    end();
}

static int dial(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(fd, 0);
    if (connect(fd, (const struct sockaddr *)(const void *)address, sizeof *address) == 0)
        return fd;
    cr_assert_eq(errno, ECONNREFUSED);
    cr_assert_eq(close(fd), 0);
    return -1;
}

/* Who waits to be accepted is let go, too: nobody will accept it. */
Test(guard, a_listener_refuses_those_who_come_and_those_who_wait)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *any = (struct sockaddr *)(void *)&address;
    socklen_t size = sizeof address;
    char byte;
    int slot;
    begin();
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, any, size), 0);
    cr_assert_eq(listen(listener, 5), 0);
    cr_assert_eq(getsockname(listener, any, &size), 0);
    cr_assert_eq(gcl_guard_add(&guard, listener, &slot), 0);
    int waiting = dial(&address);
    cr_assert_geq(waiting, 0);
    cr_assert_eq(gcl_guard_cut(&guard), 1);
    cr_assert_leq(recv(waiting, &byte, 1, 0), 0);
    cr_assert_lt(dial(&address), 0);
    gcl_guard_remove(&guard, &slot);
    cr_assert_eq(close(listener), 0);
    cr_assert_eq(close(waiting), 0);
    end();
}
