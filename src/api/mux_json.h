/* SPDX-License-Identifier: MIT */
/* api/mux_json.h - live streams, assets and uploads in the words of Mux's contract: for the API's
 * replies and for webhooks, which differ in the type of created_at and in extras. Pool threads. */
#pragma once
#include "api/api.h"
#include "video/outbox.h"
#include <jansson.h>

enum mux_form { MUX_REPLY, MUX_EVENT };

/* NULL: there is no such object (or the database failed). Whose it is the caller has checked. */
json_t *mux_live_json(struct db *db, const char *id, enum mux_form form);
/* `origin`: for the master's address; NULL: --public-url, or that of who asked for it. */
json_t *mux_asset_json(struct db *db, const char *id, enum mux_form form, const char *origin);

/* `origin`: for its address; NULL: without. */
json_t *mux_upload_json(struct db *db, const char *id, const char *origin);

/* --public-url, or "": for what nobody has asked for by an address. */
const char *mux_public_url(void);
json_t *mux_created(int64_t us, enum mux_form form); /* seconds: a text, in events a number */
json_t *mux_playback_json(const char *id, const char *policy);
json_t *mux_playback_ids_json(struct db *db, const char *object_id);
/* A JSON column as JSON; NULL: it is empty. */
json_t *mux_stored(const char *text);
/* Sets the key when there is a value; takes the reference over. */
void mux_set(json_t *object, const char *key, json_t *value);
void mux_set_text(json_t *object, const char *key, const char *text); /* "": nothing */

/* For outbox_set(). */
enum err mux_render(struct db *db, enum outbox_object kind, const char *id, struct str *out);
