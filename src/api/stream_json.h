/* SPDX-License-Identifier: MIT */
/* api/stream_json.h - rows as the API shows them. Any thread that may use the database. */
#pragma once
#include "api/api.h"
#include "product/visibility.h"
#include <jansson.h>

json_t *time_json(int64_t us);           /* ISO 8601; null for 0 */
json_t *user_json(const struct user *u); /* for the user themself */
/* Where Mux plays one of its playback ids (".m3u8"), or has its pictures ("/thumbnail.jpg"). */
json_t *remote_url(struct api *a, const char *id, const char *file);
/* What everybody may see. URLs begin with `origin`. Of a private stream it is without what plays.
 */
json_t *stream_json(struct api *a, const struct stream *s, const char *origin);
/* For somebody who may watch (visibility_may_watch): of a private stream with addresses that let in
 * until `playback.expiresAt`. */
json_t *stream_json_watch(struct api *a, const struct stream *s, const char *origin);
/* What lets into a private stream's media, behind an address without a query: "?token=…"; "" for
 * others. Until when, in seconds since 1970; 0. For who may watch. */
#define STREAM_PASS_CAP (GRANT_CAP + 8)
int64_t stream_pass(struct api *a, const struct stream *s, char out[STREAM_PASS_CAP]);
/* With how far its awaited recording is, for its owner's list. */
json_t *stream_json_mine(struct api *a, struct db *db, const struct stream *s, const char *origin);
/* With `ingest`, for its owner only. */
json_t *stream_json_own(struct api *a, struct db *db, const struct stream *s, const char *origin);
