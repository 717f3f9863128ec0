/* SPDX-License-Identifier: MIT */
/* video/asset.h - the rows of recordings and uploads that have become media. Pool threads. */
#pragma once
#include "store/store.h"
#include "video/live.h"

struct asset {
    char id[LIVE_ID_CAP], user_id[LIVE_ID_CAP]; /* user_id "": nobody's */
    char live_stream_id[LIVE_ID_CAP], stream_id[LIVE_ID_CAP], upload_id[LIVE_ID_CAP];
    char source_asset_id[LIVE_ID_CAP], dir[LIVE_ID_CAP];
    char status[12], ingest_type[32], progress_state[16], error_type[32];
    bool is_live, test;
    int64_t duration_us, thumbnail_time_us;                   /* -1: none */
    int64_t progress;                                         /* percent, or -1 */
    int64_t width, height, fps_milli;                         /* 0: not known */
    int64_t started_at, master_until, created_at, updated_at; /* 0: none */
    /* Owned. JSON, or "": meta, options, tracks, input_info, non_standard. */
    char *problem, *passthrough, *meta, *options, *tracks, *input_info, *non_standard;
    char source_file[64];
    char master_status[12], master_key[LIVE_ID_CAP], master_file[64], master_name[24];
    char master_origin[300]; /* video/master.h */
};

/* `user_id` NULL: whoever's it is. E_NOTFOUND. asset_fini() after E_OK. */
enum err asset_get(struct db *db, const char *id, const char *user_id,
                   struct asset *out) WARN_UNUSED;
void asset_fini(struct asset *a);

/* A page, newest first: by place, or with a cursor from the row after it. */
struct asset_list {
    const char *user_id;
    const char *live_stream_id, *upload_id; /* NULL: any */
    int64_t limit, offset;
    const char *cursor; /* NULL: by offset */
};
#define ASSET_CURSOR_CAP 96
/* At most `limit` ids into `ids`; `next` is "" on the last page. E_INVALID: a bad cursor. */
enum err asset_list(struct db *db, const struct asset_list *ask, char (*ids)[LIVE_ID_CAP],
                    size_t *n, char next[ASSET_CURSOR_CAP]) WARN_UNUSED;

/* What PATCH may change; NULL, or -2 for the time: as it is. -1: no time. Tells of it. E_NOTFOUND
 */
enum err asset_change(struct db *db, const char *id, const char *passthrough, const char *meta,
                      int64_t thumbnail_time_us) WARN_UNUSED;
