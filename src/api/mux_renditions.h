/* SPDX-License-Identifier: MIT */
/* api/mux_renditions.h - the part of an asset's JSON about files made of it. */
#pragma once
#include "store/store.h"
#include <jansson.h>

/* {"status", "files"}; "disabled" without any. */
json_t *mux_static_renditions_json(struct db *db, const char *asset_id);
/* One, as events have it; NULL: there is no such one. */
json_t *mux_rendition_event_json(struct db *db, const char *id);
