/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of an epmd, as they come byte by byte: done stays done, wrong stays wrong. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/epmd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void alive(const uint8_t *data, size_t size)
{
    struct gcl_epmd_alive reply, whole;
    bool done = false, whole_done;
    int error = 0, whole_error;
    size_t taken = 0;
    while (error == 0 && !done && taken < size)
        error = gcl_epmd_decode_alive(gcl_str_make(data, ++taken), &reply, &done);
    whole_error = gcl_epmd_decode_alive(gcl_str_make(data, size), &whole, &whole_done);
    assert(error == whole_error);
    assert(done == whole_done);
    assert(!done || (reply.result == whole.result && reply.creation == whole.creation));
}

static void port(const uint8_t *data, size_t size)
{
    struct gcl_epmd_port reply, whole;
    bool done = false, whole_done;
    int error = 0, whole_error;
    size_t taken = 0;
    while (error == 0 && !done && taken < size)
        error = gcl_epmd_decode_port(gcl_str_make(data, ++taken), &reply, &done);
    whole_error = gcl_epmd_decode_port(gcl_str_make(data, size), &whole, &whole_done);
    assert(error == whole_error);
    assert(done == whole_done);
    assert(error != 0 || done || taken < GCL_EPMD_REPLY_MAX_BYTES);
    assert(!done || (reply.result == whole.result && reply.port == whole.port &&
                     gcl_str_equal(reply.name, whole.name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    alive(data, size);
    port(data, size);
    return 0;
}
