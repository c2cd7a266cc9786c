/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/seeds.h"
#include "support/terms.h"

static struct test_terms terms;
static struct gcl_cluster_seeds seeds;
static char logged[1024];
static int log_count;

static void log_line(gcl_log_level level, const char *event, const char *text, void *user)
{
    (void)user;
    log_count++;
    (void)snprintf(logged, sizeof logged, "%s %s %s", gcl_log_level_name(level), event, text);
}

static void begin(void)
{
    static const struct gcl_log log = {log_line, NULL, GCL_LOG_WARNING};
    test_terms_begin(&terms);
    gcl_cluster_seeds_init(&seeds, &terms.mem.allocator, &log, gcl_str_of("me@here"));
    log_count = 0;
}

static void end(void)
{
    gcl_cluster_seeds_fini(&seeds);
    test_terms_end(&terms);
}

/* All of them, between spaces. */
static const char *found(void)
{
    static char text[4096];
    text[0] = '\0';
    for (size_t i = 0; i < seeds.count; i++) {
        size_t size = strlen(text);
        (void)snprintf(text + size, sizeof text - size, "%s%.*s", i > 0 ? " " : "",
                       (int)seeds.names[i].size, (const char *)seeds.names[i].bytes);
    }
    return text;
}

static int add_terms(const char *text)
{
    return gcl_cluster_seeds_add_terms(&seeds, terms.context, "the file", gcl_str_of(text));
}

Test(cluster_seeds, names_of_nodes)
{
    static const char *const good[] = {"a@h", "a@h.example.org", "a-b_1@10.0.0.1", "\xC3\xA4@h"};
    static const char *const bad[] = {"",      "a",     "@",     "a@",    "@h",
                                      "a@h@h", "a b@h", "a@h\n", "\xFF@h"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert(gcl_cluster_is_node(gcl_str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(!gcl_cluster_is_node(gcl_str_of(bad[i])), "%s", bad[i]);
}

Test(cluster_seeds, each_once_and_never_this_node)
{
    begin();
    static const char *const names[] = {"b@h", "a@h", "b@h", "me@here", "a@h"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_eq(gcl_cluster_seeds_add(&seeds, gcl_str_of(names[i])), 0);
    cr_assert_str_eq(found(), "b@h a@h");
    cr_assert_eq(gcl_cluster_seeds_add(&seeds, gcl_str_of("nonsense")), GCL_ENAME);
    end();
}

Test(cluster_seeds, at_most_256)
{
    char name[32];
    begin();
    for (int i = 0; i < 256; i++) {
        (void)snprintf(name, sizeof name, "n%d@h", i);
        cr_assert_eq(gcl_cluster_seeds_add(&seeds, gcl_str_of(name)), 0);
    }
    cr_assert_eq(gcl_cluster_seeds_add(&seeds, gcl_str_of("one@more")), GCL_ELIMIT);
    cr_assert_eq(gcl_cluster_seeds_add(&seeds, gcl_str_of("n7@h")), 0, "it is there");
    cr_assert_eq(gcl_cluster_seeds_add_words(&seeds, "it", gcl_str_of("one@more")), 0);
    cr_assert_str_eq(logged, "warning bad_seed \"one@more\" from it is left out: a member has at "
                             "most 256 seeds");
    end();
}

Test(cluster_seeds, words_between_commas_and_spaces)
{
    begin();
    cr_assert_eq(gcl_cluster_seeds_add_words(&seeds, "it", gcl_str_of("")), 0);
    cr_assert_eq(gcl_cluster_seeds_add_words(&seeds, "it", gcl_str_of(" a@h,b@h  c@h,\td@h, ")), 0);
    cr_assert_str_eq(found(), "a@h b@h c@h d@h");
    cr_assert_eq(log_count, 0);
    cr_assert_eq(gcl_cluster_seeds_add_words(&seeds, "IT", gcl_str_of("e@h;f@h g@h")), 0);
    cr_assert_str_eq(found(), "a@h b@h c@h d@h g@h");
    cr_assert_str_eq(logged, "warning bad_seed \"e@h;f@h\" from IT is no seed; a seed is a node's "
                             "name, name@host");
    end();
}

Test(cluster_seeds, terms_of_a_file)
{
    begin();
    cr_assert_eq(add_terms(""), 0);
    cr_assert_eq(add_terms("%% nothing\n"), 0);
    cr_assert_eq(add_terms("a@h.\n'b@h.example.org'. \"c@h\".% three\n\n<<\"d@h.org\">>.\n"
                           "% 'no@h'.\n e@h\n."),
                 0);
    cr_assert_str_eq(found(), "a@h b@h.example.org c@h d@h.org e@h");
    cr_assert_eq(add_terms("f@h"), 0, "the last dot may be missing");
    cr_assert_str_eq(found(), "a@h b@h.example.org c@h d@h.org e@h f@h");
    cr_assert_eq(log_count, 0);
    end();
}

Test(cluster_seeds, bad_terms_are_logged)
{
    begin();
    cr_assert_eq(add_terms("{a, b}. x@h. 7. nohost."), 0);
    cr_assert_str_eq(found(), "x@h");
    cr_assert_eq(log_count, 3);
    cr_assert_str_eq(logged, "warning bad_seed \"nohost\" from the file is no seed; a seed is a "
                             "node's name, name@host");
    cr_assert_eq(add_terms("y@h.\n% here\n{a, .\nz@h."), 0);
    cr_assert_str_eq(found(), "x@h y@h");
    cr_assert(strstr(logged, "no more seeds from the file: line 3: ") != NULL, "%s", logged);
    end();
}

Test(cluster_seeds, environment)
{
    char path[] = "/tmp/seedsXXXXXX";
    begin();
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, "'c@h'.\nb@h.\n", 12) == 12);
    (void)close(fd);
    (void)setenv("GEN_CLUSTER_SEEDS", "a@h b@h", 1);
    (void)setenv("GEN_CLUSTER_SEED_CONFIG", path, 1);
    cr_assert_eq(gcl_cluster_seeds_add_environment(&seeds, terms.context), 0);
    cr_assert_str_eq(found(), "a@h b@h c@h");
    cr_assert_eq(log_count, 0);
    (void)unlink(path);
    cr_assert_eq(gcl_cluster_seeds_add_environment(&seeds, terms.context), 0);
    cr_assert(strstr(logged, "named by GEN_CLUSTER_SEED_CONFIG: No such file") != NULL, "%s",
              logged);
    (void)unsetenv("GEN_CLUSTER_SEEDS");
    (void)setenv("GEN_CLUSTER_SEED_CONFIG", "", 1);
    log_count = 0;
    cr_assert_eq(gcl_cluster_seeds_add_environment(&seeds, terms.context), 0);
    cr_assert_eq(log_count, 0);
    end();
}

Test(cluster_seeds, a_file_that_is_too_large)
{
    char path[] = "/tmp/seedsXXXXXX";
    begin();
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && ftruncate(fd, (1 << 20) + 1) == 0);
    (void)close(fd);
    cr_assert_eq(gcl_cluster_seeds_add_file(&seeds, terms.context, path), 0);
    cr_assert(strstr(logged, "File too large") != NULL, "%s", logged);
    (void)unlink(path);
    end();
}

Test(cluster_seeds, no_memory)
{
    begin();
    cr_assert_eq(add_terms("a@h. b@h."), 0); /* the patterns are compiled */
    gcl_cluster_seeds_fini(&seeds);
    for (size_t n = 1; n < 100; n++) {
        gcl_test_fail_at(&terms.mem, n);
        int error = gcl_cluster_seeds_add_words(&seeds, "it", gcl_str_of("a@h,b@h"));
        if (error == 0)
            error = add_terms("c@h. \"d@h\".");
        gcl_test_fail_at(&terms.mem, 0);
        if (error == 0)
            break;
        cr_assert_eq(error, GCL_ENOMEM);
        gcl_cluster_seeds_fini(&seeds);
    }
    cr_assert_str_eq(found(), "a@h b@h c@h d@h");
    end();
}
