/* SPDX-License-Identifier: MIT */
/* api/app_streams.h - the work of the endpoints under /api/streams. Pool threads. */
#pragma once
#include "api/call.h"
#include "product/stream.h"

/* The stream of the first parameter, for who may watch it; the caller finishes it. False: the reply
 * is made. The endpoint is CALL_USER_MAYBE or CALL_USER. */
bool app_stream_find(struct call *c, struct stream *s);

void app_stream_create(struct call *c);
void app_stream_list(struct call *c);
void app_stream_get(struct call *c);
void app_stream_played(struct call *c);
void app_stream_change(struct call *c);
void app_stream_delete(struct call *c);
void app_stream_end(struct call *c);
void app_stream_reset_key(struct call *c);
/* app_access.c */
/* Who may see it has changed: whoever may not any more is sent away. */
void app_access_changed(struct call *c, const char *stream_id);
/* Whether this caller may watch it; false: the reply is made. The endpoint is CALL_USER_MAYBE. */
bool call_may_watch(struct call *c, const struct stream *s);
void app_stream_health(struct call *c); /* app_health.c */
/* app_direct.c */
void app_direct_offer(struct call *c);
void app_direct_answer(struct call *c);
void app_direct_get(struct call *c);
void app_direct_end(struct call *c);
