/* SPDX-License-Identifier: MIT */
/* api/mux_live.h - between the files of live streams. False: the reply is made. */
#pragma once
#include "api/mux_call.h"
#include "api/mux_options.h"
#include "product/live_stream.h"

/* The live stream that the path names, of whoever asks. live_stream_fini() after true. */
bool mux_live_own(struct call *c, struct live_stream *out);
void mux_live_reply(struct call *c, const char *id, int status);
/* Tells the pages that show it. */
void mux_live_changed(struct call *c, const struct live_stream *s);
bool mux_read_target(struct call *c, json_t *in, struct live_target *out);
json_t *mux_target_json(const struct live_target *t, const char *status);

/* mux_live_body.c. What a request says; begins as zeros, mux_live_body_fini() whatever came of it.
 */
struct mux_live_body {
    struct live_stream_fields f;
    struct mux_asset_options assets;
    struct mux_policies policies;
    struct live_target *targets; /* LIMIT_MUX_TARGETS */
    size_t n_targets;
    char *meta, *options, *merged; /* JSON; merged: new_asset_settings after a change */
    char asset_policies[32];
};
void mux_live_body_fini(struct mux_live_body *b);
bool mux_live_read_new(struct call *c, json_t *in, struct mux_live_body *b);
/* What is not given stays as `s` has it. */
bool mux_live_read_change(struct call *c, json_t *in, const struct live_stream *s,
                          struct mux_live_body *b);
