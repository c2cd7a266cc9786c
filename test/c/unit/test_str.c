/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/str.h"

Test(str, as_a_c_string)
{
    char text[5] = "full";
    cr_assert(gcl_str_terminate(gcl_str_of("abcd"), text, sizeof text));
    cr_assert_str_eq(text, "abcd");
    cr_assert(gcl_str_terminate(gcl_str_make(NULL, 0), text, sizeof text));
    cr_assert_str_eq(text, "");
}

Test(str, what_would_be_another_c_string_is_none)
{
    static const struct gcl_str none[] = {
        {(const uint8_t *)"abcde", 5}, {(const uint8_t *)"a\0b", 3}, {(const uint8_t *)"\0", 1}};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        char text[5] = "full";
        cr_assert_not(gcl_str_terminate(none[i], text, sizeof text));
        cr_assert_str_eq(text, "");
    }
}
