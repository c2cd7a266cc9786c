/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_CLUSTER_EXPORT_H
#define GEN_CLUSTER_EXPORT_H

/** Marks what the library exports; everything else is built with hidden visibility. */
#if defined(__GNUC__)
#define GCL_API __attribute__((visibility("default")))
/** The result of a function that can fail has to be looked at. */
#define GCL_MUST_USE __attribute__((warn_unused_result))
#define GCL_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define GCL_API
#define GCL_MUST_USE
#define GCL_PRINTF(text, first)
#endif

#endif
