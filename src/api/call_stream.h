/* SPDX-License-Identifier: MIT */
/* api/call_stream.h - replies that are made while they are sent: a piece on a pool thread, then to
 * the client, and the next one when it has taken enough of what was there. */
#pragma once
#include "api/call.h"

struct call_source {
    const char *content_type, *disposition;
    /* Pool thread: appends the next piece. False: it was the last, or it failed and the reply ends
     * here, where its reader sees that it is not whole. */
    bool (*more)(void *self, struct db *db, struct str *out);
    void (*free)(void *self); /* any thread; once, also when the client has gone */
};

/* Replies 200 with what `source` gives; takes `self` over. Pool thread, in an endpoint's work. */
void call_stream(struct call *c, const struct call_source *source, void *self);
/* call.c: the reply begins. Loop. Takes `c` over. */
void call_stream_begin(struct call *c);
