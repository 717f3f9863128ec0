/* SPDX-License-Identifier: MIT */
/* api/mux_tracks.h - text tracks in the words of Mux's contract, and what is asked of new ones. */
#pragma once
#include "api/mux_call.h"
#include "video/text_tracks.h"

/* Appends the asset's to `tracks`; makes the array when there are any. */
json_t *mux_text_tracks_json(struct db *db, const char *asset_id, json_t *tracks);
/* For webhooks: with the asset's id. NULL: there is no such track. */
json_t *mux_track_event_json(struct db *db, const char *id);
/* Of `inputs` those behind the first, which is the media: LIMIT_TEXT_TRACKS of room in `out`. */
bool mux_read_text_inputs(struct call *c, json_t *list, struct text_track_new *out, size_t *n);
/* The fields of a new track; the texts are the JSON's. `prefix` "" or "inputs.", for what is said.
 * False: the reply is made. */
bool mux_read_track(struct call *c, json_t *in, const char *prefix, struct text_track_new *out);
