/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/membership_script.h"

Test(membership, answers_as_the_vectors_say)
{
    struct gcl_script_result result = gcl_script_run("test/vectors/membership.txt", NULL, NULL);
    printf("replayed %zu vectors, %zu steps\n", result.vectors, result.steps);
    cr_assert_geq(result.vectors, 47);
}
