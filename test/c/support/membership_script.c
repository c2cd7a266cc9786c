/* SPDX-License-Identifier: Apache-2.0 */
#include "support/membership_script.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/membership/machine.h"
#include "support.h"
#include "support/md5.h"
#include "support/membership_text.h"

enum { LINES_MAX = 8192, ARENA_SIZE = 1 << 22 };

struct lines {
    const char *text[LINES_MAX];
    size_t count;
};

struct script {
    const char *path;
    char *content;
    char *rest;        /* the next line */
    const char *line;  /* the current one; NULL at the end */
    size_t number;     /* its number */
    const char *title; /* of the vector */
    gcl_script_watcher *watcher;
    void *user;
    gcl_test_memory mem;
    struct gcl_membership *machine;
    struct gcl_script_result result;
    struct gcl_text_event event;
    struct lines expected;
    struct lines actual;
    char arena[ARENA_SIZE];
};

/* --- reading lines -------------------------------------------------------------------------- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "cannot open %s", path);
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *content = malloc(size + 1);
    cr_assert_not_null(content);
    cr_assert_eq(fread(content, 1, size, file), size);
    content[size] = '\0';
    fclose(file);
    return content;
}

static void next_line(struct script *script)
{
    do {
        script->line = *script->rest ? script->rest : NULL;
        if (script->line == NULL)
            return;
        char *end = strchr(script->rest, '\n');
        script->rest = end ? end + 1 : script->rest + strlen(script->rest);
        if (end)
            *end = '\0';
        script->number++;
    } while (script->line[0] == '#' || script->line[0] == '\0');
}

static bool begins_with(const char *text, const char *prefix)
{
    return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

#define MUST(script, condition, text)                                                              \
    cr_assert(condition, "%s:%zu: %s: %s", (script)->path, (script)->number, text,                 \
              (script)->line ? (script)->line : "end of file")

/* --- comparing ------------------------------------------------------------------------------ */

/* Lines of one order: those of callbacks, and those of the messages to one destination. Any other
 * line is an order of its own. */
static struct gcl_str order_of(const char *line)
{
    if (begins_with(line, "handle_") || begins_with(line, "silent_join"))
        return gcl_str_of("handle_");
    struct gcl_str whole = gcl_str_of(line);
    if (!begins_with(line, "send "))
        return whole;
    struct gcl_str rest = gcl_str_make(whole.bytes + 5, whole.size - 5);
    struct gcl_str to = gcl_text_cut(&rest, ' ');
    return gcl_str_make(whole.bytes, 5 + to.size);
}

struct ordered {
    const char *text;
    size_t place;
};

static int compare_ordered(const void *a, const void *b)
{
    const struct ordered *left = a, *right = b;
    int order = gcl_str_compare(order_of(left->text), order_of(right->text));
    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

static struct ordered *sort_lines(const struct lines *lines)
{
    struct ordered *sorted = calloc(lines->count + 1, sizeof *sorted);
    cr_assert_not_null(sorted);
    for (size_t i = 0; i < lines->count; i++)
        sorted[i] = (struct ordered){lines->text[i], i};
    qsort(sorted, lines->count, sizeof *sorted, compare_ordered);
    return sorted;
}

static bool are_equal(const struct lines *a, const struct lines *b)
{
    if (a->count != b->count)
        return false;
    struct ordered *left = sort_lines(a), *right = sort_lines(b);
    size_t i = 0;
    while (i < a->count && strcmp(left[i].text, right[i].text) == 0)
        i++;
    free(left);
    free(right);
    return i == a->count;
}

/* A monitor that is set after the hello may miss the answer's sender. */
static bool monitors_come_first(const struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (!begins_with(lines->text[i], "monitor "))
            continue;
        struct gcl_str rest = gcl_str_of(lines->text[i] + strlen("monitor "));
        struct gcl_str to = gcl_text_cut(&rest, ' ');
        for (size_t j = 0; j < i; j++) {
            struct gcl_str order = order_of(lines->text[j]);
            if (begins_with(lines->text[j], "send ") && order.size == 5 + to.size &&
                memcmp(order.bytes + 5, to.bytes, to.size) == 0)
                return false;
        }
    }
    return true;
}

static void print_lines(const char *what, const struct lines *lines)
{
    fprintf(stderr, "%s\n", what);
    for (size_t i = 0; i < lines->count; i++)
        fprintf(stderr, "  %s\n", lines->text[i]);
}

/* --- running -------------------------------------------------------------------------------- */

static void take_effects(struct script *script)
{
    struct gcl_membership_effect effect;
    char *at = script->arena;
    script->actual.count = 0;
    while (gcl_membership_next(script->machine, &effect)) {
        cr_assert_lt(script->actual.count, (size_t)LINES_MAX);
        cr_assert_lt((size_t)(at - script->arena), (size_t)(ARENA_SIZE - GCL_TEXT_LINE_MAX));
        script->actual.text[script->actual.count++] = at;
        at = gcl_text_write_effect(at, &effect) + 1;
    }
}

static void run_step(struct script *script)
{
    uint64_t now_ms, random;
    size_t number = script->number;
    const char *line = script->line;
    struct gcl_str rest = gcl_str_of(line + 2);
    MUST(script, gcl_text_read_number(gcl_text_cut(&rest, ' '), &now_ms), "no time");
    MUST(script, gcl_text_read_number(gcl_text_cut(&rest, ' '), &random), "no random number");
    MUST(script, gcl_text_read_event(rest, &script->event), "no event");
    if (script->watcher != NULL)
        script->watcher(script->user, script->machine, &script->event.event);
    cr_assert_eq(
        gcl_membership_step(script->machine, now_ms, (uint32_t)random, &script->event.event), 0);
    take_effects(script);
    script->result.steps++;
    script->expected.count = 0;
    for (next_line(script); begins_with(script->line, "< "); next_line(script)) {
        cr_assert_lt(script->expected.count, (size_t)LINES_MAX);
        script->expected.text[script->expected.count++] = script->line + 2;
    }
    if (are_equal(&script->expected, &script->actual) && monitors_come_first(&script->actual))
        return;
    print_lines("expected:", &script->expected);
    print_lines("but it was:", &script->actual);
    cr_assert_fail("%s:%zu: %s: %s", script->path, number, script->title, line);
}

static char *write_suspects(char *at, const struct gcl_membership *m)
{
    size_t count = 0;
    *at++ = '[';
    for (size_t i = 0; i < m->peers.count; i++) {
        if (m->peers.sorted[i]->state != GCL_MEMBER_SUSPECT)
            continue;
        if (count++ > 0)
            *at++ = ',';
        at = gcl_text_write_id(at, &m->peers.sorted[i]->id);
    }
    return at + sprintf(at, "]");
}

static void check_state(struct script *script)
{
    static const char *const phases[] = {"out", "joining", "settled"};
    struct gcl_member_list members = gcl_membership_members(script->machine);
    char *at = script->arena + sprintf(script->arena, "= members=");
    at = gcl_text_write_list(at, &members);
    at += sprintf(at, " leader=");
    at = gcl_text_write_id(at, gcl_membership_leader(script->machine));
    at += sprintf(at, " phase=%s suspects=", phases[gcl_membership_phase(script->machine)]);
    write_suspects(at, script->machine);
    cr_assert_str_eq(script->arena, script->line, "%s:%zu: %s: state\n  expected %s\n  but was  %s",
                     script->path, script->number, script->title, script->line, script->arena);
    next_line(script);
}

static void make_machine(struct script *script)
{
    struct gcl_membership_config config;
    struct gcl_str rest = gcl_str_of(script->line);
    uint64_t quorum;
    gcl_membership_config_init(&config);
    MUST(script, gcl_str_is(gcl_text_cut(&rest, ' '), "self"), "no configuration");
    MUST(script, gcl_text_read_id(gcl_text_cut(&rest, ' '), &config.self), "no pid");
    config.hidden = gcl_str_is(gcl_text_cut(&rest, ' '), "hidden=true");
    gcl_text_cut(&rest, '=');
    MUST(script, gcl_text_read_number(gcl_text_cut(&rest, ' '), &quorum), "no quorum");
    config.settings.quorum = (uint32_t)quorum;
    config.mem = gcl_test_begin(&script->mem);
    config.hash = gcl_test_md5();
    config.label.type = gcl_str_of("t");
    cr_assert_eq(gcl_membership_new(&config, &script->machine), 0);
    next_line(script);
}

static void run_vector(struct script *script)
{
    MUST(script, begins_with(script->line, "vector "), "no vector");
    script->title = script->line;
    next_line(script);
    make_machine(script);
    while (begins_with(script->line, "> "))
        run_step(script);
    if (begins_with(script->line, "= "))
        check_state(script);
    MUST(script, script->line != NULL && strcmp(script->line, "end") == 0, "no end");
    gcl_membership_free(script->machine);
    gcl_test_end(&script->mem);
    script->result.vectors++;
    next_line(script);
}

struct gcl_script_result gcl_script_run(const char *path, gcl_script_watcher *watcher, void *user)
{
    struct script *script = calloc(1, sizeof *script);
    cr_assert_not_null(script);
    script->path = path;
    script->watcher = watcher;
    script->user = user;
    script->content = script->rest = read_file(path);
    for (next_line(script); script->line != NULL;)
        run_vector(script);
    struct gcl_script_result result = script->result;
    free(script->content);
    free(script);
    return result;
}
