/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <gen_cluster/cookie.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/gcl_cookie_XXXXXX";
static char path[64];

static void write_file(const char *text, size_t size, mode_t mode)
{
    cr_assert_not_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/.erlang.cookie", directory);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(chmod(path, mode), 0);
}

static void remove_file(void)
{
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(directory), 0);
}

static int read_text(const char *text, size_t size, mode_t mode, char *cookie, char detail[256])
{
    write_file(text, size, mode);
    int error = gcl_cookie_read(path, cookie, detail, 256);
    remove_file();
    return error;
}

Test(cookie, line_end_is_not_part_of_it)
{
    char cookie[GCL_COOKIE_SIZE], detail[256];
    cr_assert_eq(read_text("SECRET\r\n \n", 10, 0400, cookie, detail), 0);
    cr_assert_str_eq(cookie, "SECRET");
}

Test(cookie, found_in_the_home_directory)
{
    char cookie[GCL_COOKIE_SIZE];
    write_file("HOME", 4, 0600);
    cr_assert_eq(setenv("HOME", directory, 1), 0);
    cr_assert_eq(gcl_cookie_read(NULL, cookie, NULL, 0), 0);
    cr_assert_str_eq(cookie, "HOME");
    remove_file();
}

Test(cookie, must_not_be_readable_by_others)
{
    char cookie[GCL_COOKIE_SIZE], detail[256];
    cr_assert_eq(read_text("SECRET", 6, 0640, cookie, detail), GCL_EAUTH);
    cr_assert_not_null(strstr(detail, "chmod 400"));
    cr_assert_eq(cookie[0], '\0');
}

Test(cookie, bad_content_is_refused)
{
    char cookie[GCL_COOKIE_SIZE], detail[256];
    cr_assert_eq(read_text("A\tB", 3, 0400, cookie, detail), GCL_EAUTH);
}

Test(cookie, empty_file_is_refused)
{
    char cookie[GCL_COOKIE_SIZE], detail[256];
    cr_assert_eq(read_text("\n", 1, 0400, cookie, detail), GCL_EAUTH);
}

Test(cookie, longest_and_too_long)
{
    char cookie[GCL_COOKIE_SIZE], detail[256], text[300];
    memset(text, 'x', sizeof text);
    cr_assert_eq(read_text(text, 256, 0400, cookie, detail), GCL_EAUTH);
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    cr_assert_eq(read_text(text, 255, 0400, cookie, detail), 0);
    cr_assert_eq(strlen(cookie), 255);
}

Test(cookie, missing_file_is_named)
{
    char cookie[GCL_COOKIE_SIZE], detail[256];
    cr_assert_eq(gcl_cookie_read("/nonexistent/cookie", cookie, detail, sizeof detail), GCL_ENOENT);
    cr_assert_not_null(strstr(detail, "/nonexistent/cookie"));
}
