/* SPDX-License-Identifier: MIT */
/* api/stream_json.h - rows as the API shows them. Any thread that may use the database. */
#pragma once
#include "api/api.h"
#include "product/stream.h"
#include <jansson.h>

json_t *time_json(int64_t us);           /* ISO 8601; null for 0 */
json_t *user_json(const struct user *u); /* for the user themself */
/* Where Mux plays one of its playback ids (".m3u8"), or has its pictures ("/thumbnail.jpg"). */
json_t *remote_url(struct api *a, const char *id, const char *file);
/* What everybody may see. URLs begin with `origin`. */
json_t *stream_json(struct api *a, const struct stream *s, const char *origin);
/* With how far its awaited recording is, for its owner's list. */
json_t *stream_json_mine(struct api *a, struct db *db, const struct stream *s, const char *origin);
/* With `ingest`, for its owner only. */
json_t *stream_json_own(struct api *a, struct db *db, const struct stream *s, const char *origin);
