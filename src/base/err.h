/* SPDX-License-Identifier: MIT */
/* base/err.h - the one set of error codes, used by every floor.
 *
 * Functions that can fail return `enum err`; results go through out-pointers, written only on
 * E_OK. The detail ("AMF0 string past end") is a static string kept where it happened and is
 * logged once, by the session that owns the connection. */
#pragma once

#define ERR_TABLE(X)                                                                               \
    X(E_OK, "ok", "no error")                                                                      \
    X(E_MORE, "more", "valid so far, needs more bytes")                                            \
    X(E_PROTO, "proto", "the bytes break the format")                                              \
    X(E_LIMIT, "limit", "well-formed, but above a limit")                                          \
    X(E_UNSUPPORTED, "unsupported", "well-formed, but not supported")                              \
    X(E_AUTH, "auth", "not allowed")                                                               \
    X(E_NOTFOUND, "not_found", "no such thing")                                                    \
    X(E_CONFLICT, "conflict", "in use or already there")                                           \
    X(E_INVALID, "invalid", "a value that cannot be accepted")                                     \
    X(E_TIMEOUT, "timeout", "took too long")                                                       \
    X(E_CLOSED, "closed", "closed by the other side")                                              \
    X(E_IO, "io", "input or output failed")                                                        \
    X(E_FULL, "full", "no space left")                                                             \
    X(E_NOMEM, "nomem", "out of memory")

enum err {
#define X(name, label, text) name,
    ERR_TABLE(X)
#undef X
        ERR_COUNT
};

#define WARN_UNUSED __attribute__((warn_unused_result))

/* Short label for logs and metrics ("limit"), and a sentence for people. Never NULL. */
const char *err_label(enum err e);
const char *err_text(enum err e);
