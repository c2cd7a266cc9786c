/* SPDX-License-Identifier: Apache-2.0 */
/* What members of the Erlang simulator did has to be what the machine in C does. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/membership_script.h"

Test(membership_traces, answers_as_the_simulated_members_of_the_other_implementation)
{
    struct gcl_script_result result =
        gcl_script_run("_build/test/membership-traces.txt", NULL, NULL);
    printf("replayed %zu traces, %zu steps\n", result.vectors, result.steps);
    cr_assert_eq(result.vectors, 500);
}
