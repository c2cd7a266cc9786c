/* SPDX-License-Identifier: Apache-2.0 */
#include "gns_capture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[CAPTURE_KINDS] = {"node", "up", "down", "do", "sent", "got"};

static bool has_other(enum capture_kind kind)
{
    return kind != CAPTURE_NODE && kind != CAPTURE_DO;
}

static bool has_bytes(enum capture_kind kind)
{
    return kind == CAPTURE_NODE || kind == CAPTURE_DO || kind == CAPTURE_SENT;
}

static const char *next_word(char **rest)
{
    const char *word = strsep(rest, " \n");
    cr_assert(word != NULL && *word != '\0', "a line of a capture ends too early");
    return word;
}

static struct gcl_str decode(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return gcl_str_make(bytes, size);
}

/* Makes it known where it is not. */
static size_t place_of(struct capture_life *life, const char *name)
{
    size_t i = 0;
    while (i < life->node_count && strcmp(life->nodes[i], name) != 0)
        i++;
    if (i == life->node_count) {
        cr_assert_lt(i, (size_t)CAPTURE_NODES);
        (void)snprintf(life->nodes[life->node_count++], sizeof life->nodes[0], "%s", name);
    }
    return i;
}

static void add_line(struct capture_life *life, const char *word, char *rest, unsigned number)
{
    struct capture_line line = {.number = number};
    while (line.kind < CAPTURE_KINDS && strcmp(words[line.kind], word) != 0)
        line.kind++;
    cr_assert_lt(line.kind, CAPTURE_KINDS, "line %u: %s", number, word);
    line.at = place_of(life, next_word(&rest));
    if (has_other(line.kind))
        line.other = place_of(life, next_word(&rest));
    if (has_bytes(line.kind))
        line.bytes = decode(next_word(&rest));
    life->lines = realloc(life->lines, (life->count + 1) * sizeof line);
    cr_assert_not_null(life->lines);
    life->lines[life->count++] = line;
}

static void add_life(struct capture *capture, char *rest)
{
    capture->lives = realloc(capture->lives, (capture->count + 1) * sizeof *capture->lives);
    cr_assert_not_null(capture->lives);
    struct capture_life *life = &capture->lives[capture->count++];
    memset(life, 0, sizeof *life);
    (void)snprintf(life->title, sizeof life->title, "%s", next_word(&rest));
}

struct capture capture_load(const char *name)
{
    struct capture capture = {0};
    char path[256], *line = NULL;
    size_t room = 0;
    (void)snprintf(path, sizeof path, "test/c/golden/%s", name);
    FILE *stream = fopen(path, "r");
    cr_assert_not_null(stream, "%s cannot be read", path);
    for (unsigned number = 1; getline(&line, &room, stream) > 0; number++) {
        char *rest = line;
        if (line[0] == '#')
            continue;
        const char *word = next_word(&rest);
        if (strcmp(word, "life") == 0)
            add_life(&capture, rest);
        else
            add_line(&capture.lives[capture.count - 1], word, rest, number);
    }
    free(line);
    (void)fclose(stream);
    cr_assert_gt(capture.count, 0);
    return capture;
}

void capture_free(struct capture *capture)
{
    for (size_t i = 0; i < capture->count; i++) {
        struct capture_life *life = &capture->lives[i];
        for (size_t k = 0; k < life->count; k++)
            free((void *)(uintptr_t)life->lines[k].bytes.bytes);
        free(life->lines);
    }
    free(capture->lives);
    memset(capture, 0, sizeof *capture);
}
