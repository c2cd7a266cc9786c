/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = strchr(digits, character);
    cr_assert(found != NULL && *found != '\0', "bad digit %d", character);
    return (uint8_t)(found - digits);
}

static struct gcl_str decode(const char *hex, size_t size)
{
    uint8_t *bytes = malloc(size / 2 + 1);
    cr_assert(bytes != NULL && size % 2 == 0);
    for (size_t i = 0; i < size / 2; i++)
        bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return gcl_str_make(bytes, size / 2);
}

struct gcl_golden_file gcl_golden_load(const char *name)
{
    struct gcl_golden_file file = {0};
    char path[256], *line = NULL;
    size_t room = 0;
    (void)snprintf(path, sizeof path, "test/c/golden/%s", name);
    FILE *stream = fopen(path, "r");
    cr_assert(stream != NULL, "%s cannot be read", path);
    while (getline(&line, &room, stream) > 0) {
        if (line[0] == '#')
            continue;
        file.lines = realloc(file.lines, (file.count + 1) * sizeof *file.lines);
        cr_assert_not_null(file.lines);
        file.lines[file.count].side = line[0];
        file.lines[file.count++].packet = decode(line + 2, strcspn(line + 2, "\n"));
    }
    free(line);
    (void)fclose(stream);
    cr_assert_gt(file.count, 0);
    return file;
}

void gcl_golden_free(struct gcl_golden_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        free((void *)(uintptr_t)file->lines[i].packet.bytes);
    free(file->lines);
    memset(file, 0, sizeof *file);
}
