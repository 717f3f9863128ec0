/* SPDX-License-Identifier: MIT */
/* api/mux_live.h - between the files of live streams. False: the reply is made. */
#pragma once
#include "api/mux_call.h"
#include "product/live_stream.h"

/* The live stream that the path names, of whoever asks. live_stream_fini() after true. */
bool mux_live_own(struct call *c, struct live_stream *out);
void mux_live_reply(struct call *c, const char *id, int status);
/* Tells the pages that show it. */
void mux_live_changed(struct call *c, const struct live_stream *s);
bool mux_read_target(struct call *c, json_t *in, struct live_target *out);
json_t *mux_target_json(const struct live_target *t, const char *status);
