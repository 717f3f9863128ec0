/* SPDX-License-Identifier: MIT */
/* api/app_streams.h - the work of the endpoints under /api/streams. Pool threads. */
#pragma once
#include "api/call.h"
#include "product/stream.h"

/* The stream of the first parameter, which the caller finishes. False: the reply is made. */
bool app_stream_find(struct call *c, struct stream *s);

void app_stream_create(struct call *c);
void app_stream_list(struct call *c);
void app_stream_get(struct call *c);
void app_stream_played(struct call *c);
void app_stream_change(struct call *c);
void app_stream_delete(struct call *c);
void app_stream_end(struct call *c);
void app_stream_reset_key(struct call *c);
void app_stream_health(struct call *c); /* app_health.c */
/* app_direct.c */
void app_direct_offer(struct call *c);
void app_direct_answer(struct call *c);
void app_direct_get(struct call *c);
void app_direct_end(struct call *c);
