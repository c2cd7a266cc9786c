/* SPDX-License-Identifier: Apache-2.0 */
/* A term: what is accepted is accepted at exactly its own length, and at no shorter one; it is
 * skipped by the same length. */
#include <assert.h>
#include <stdint.h>

#include "wire/term/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gcl_cursor at = {0};
    if (size > 0)
        at = gcl_cursor_make(data, size);
    if (gcl_term_walk(&at) != 0) {
        assert(at.at == (size > 0 ? data : NULL));
        return 0;
    }
    size_t length = (size_t)(at.at - data);
    at = gcl_cursor_make(data, length);
    int error = gcl_term_walk(&at);
    assert(error == 0 && gcl_cursor_left(&at) == 0);
    at = gcl_cursor_make(data, length);
    error = gcl_term_skip(&at);
    assert(error == 0 && gcl_cursor_left(&at) == 0);
    at = gcl_cursor_make(data, length - 1);
    error = gcl_term_walk(&at);
    assert(error != 0);
    return 0;
}
