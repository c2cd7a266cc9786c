/* SPDX-License-Identifier: Apache-2.0 */
#include <gen_cluster/error.h>

const char *gcl_strerror(int error)
{
    switch (error) {
    case GCL_OK:
        return "ok";
#define ERROR_TEXT(name, value, text)                                                              \
    case name:                                                                                     \
        return text;
        GCL_ERROR_LIST(ERROR_TEXT)
#undef ERROR_TEXT
    }
    return "unknown error";
}

const char *gcl_error_name(int error)
{
    switch (error) {
    case GCL_OK:
        return "GCL_OK";
#define ERROR_NAME(name, value, text)                                                              \
    case name:                                                                                     \
        return #name;
        GCL_ERROR_LIST(ERROR_NAME)
#undef ERROR_NAME
    }
    return "unknown error";
}
