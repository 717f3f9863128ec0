/* SPDX-License-Identifier: MIT */
/* api/mux_options.h - what several endpoints take: playback policies, meta, and AssetOptions (of a
 * new asset, of an upload's, of a live stream's recordings). Checked; unknown fields are left out.
 * False: the reply is made. */
#pragma once
#include "api/mux_call.h"
#include "video/playback_id.h"

#define MUX_POLICIES_MAX 8

struct mux_policies {
    enum playback_policy list[MUX_POLICIES_MAX];
    size_t n;
    bool given;
};
/* playback_policies (a list or one word), playback_policy, advanced_playback_policies. */
bool mux_read_policies(struct call *c, json_t *in, struct mux_policies *out);
/* "public,signed", for the columns. */
void mux_policies_text(const struct mux_policies *p, char out[32]);

/* meta as JSON text, or NULL when absent; free() it. */
bool mux_read_meta(struct call *c, json_t *in, char **out);

/* What of AssetOptions does not concern inputs. */
struct mux_asset_options {
    struct mux_policies policies;
    const char *passthrough; /* borrowed from the body; NULL: absent */
    char *meta;              /* JSON or NULL; owned */
    char *json;              /* all of it, to be stored and given back; owned */
    bool test;
};
/* `live`: of a live stream's recordings, which have no basic quality. */
bool mux_read_asset_options(struct call *c, json_t *in, bool live, struct mux_asset_options *out);
void mux_asset_options_fini(struct mux_asset_options *o);
