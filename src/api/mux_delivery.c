/* SPDX-License-Identifier: MIT */
/* Delivery usage: seconds that went out, by asset. */
#include "api/api_priv.h"
#include "api/mux_call.h"
#include "api/mux_json.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "video/asset.h"
#include "video/delivery.h"

#define DAY_US (INT64_C(24) * 3600 * US_PER_SEC)

/* "timeframe[]=FROM&timeframe[]=TO", in seconds since 1970; without them the last day. */
static bool read_timeframe(struct call *c, struct delivery_ask *ask)
{
    struct span rest = c->raw_query;
    uint64_t at[2];
    unsigned n = 0;
    while (rest.len) {
        struct span value = span_cut(&rest, '&');
        const struct span name = span_cut(&value, '=');
        if (!span_is(name, "timeframe[]") && !span_ieq(name, SPAN_LIT("timeframe%5B%5D"))) continue;
        if (n == 2 || !span_u64(value, INT64_MAX / US_PER_SEC, &at[n++]))
            return mux_invalid(c, "timeframe", "These are two times in seconds since 1970.");
    }
    ask->to_us = clock_wall_us();
    ask->from_us = ask->to_us - DAY_US;
    if (n == 0) return true;
    if (n == 1 || at[0] > at[1])
        return mux_invalid(c, "timeframe", "These are two times, the earlier one first.");
    ask->from_us = (int64_t)at[0] * US_PER_SEC;
    ask->to_us = (int64_t)at[1] * US_PER_SEC;
    return true;
}

static json_t *seconds(int64_t us)
{
    return json_real((double)us / US_PER_SEC);
}

static json_t *report(struct call *c, const struct delivery_ask *ask, const struct delivery_row *r)
{
    static const char *const TIERS[] = {"tier_audio_only", "tier_720p", "tier_1080p", "tier_1440p",
                                        "tier_2160p"};
    static const char *const SAME[] = {"created_at", "live_stream_id", "passthrough", NULL};
    int64_t us[TIER_COUNT];
    json_t *a = mux_asset_json(c->db, r->asset_id, MUX_REPLY, NULL);
    if (!a) return NULL;
    json_t *j = json_pack("{s:s}", "asset_id", r->asset_id), *by = json_object();
    const json_t *duration = json_object_get(a, "duration");
    mux_set(j, "asset_duration", json_real(json_number_value(duration)));
    json_object_set(j, "asset_state", json_object_get(a, "status"));
    json_object_set(j, "asset_video_quality", json_object_get(a, "video_quality"));
    json_object_set(j, "asset_encoding_tier", json_object_get(a, "encoding_tier"));
    json_t *tier = json_object_get(a, "resolution_tier");
    if (tier) json_object_set(j, "asset_resolution_tier", tier);
    for (size_t i = 0; SAME[i]; i++)
        if (json_object_get(a, SAME[i])) json_object_set(j, SAME[i], json_object_get(a, SAME[i]));
    json_decref(a);
    mux_set(j, "delivered_seconds", seconds(r->us));
    if (delivery_tiers(c->db, ask, r->asset_id, us) == E_OK)
        for (int i = 0; i < TIER_COUNT; i++)
            if (us[i]) mux_set(by, TIERS[i], seconds(us[i]));
    mux_set(j, "delivered_seconds_by_resolution", by);
    return j;
}

static const char *filter(struct call *c, const char *name)
{
    const char *text = mux_query(c, name);
    return text && *text ? text : NULL;
}

static void list(struct call *c)
{
    struct mux_page page;
    struct delivery_ask ask = {.user_id = c->user.id,
                               .asset_id = filter(c, "asset_id"),
                               .live_stream_id = filter(c, "live_stream_id")};
    int64_t total = 0;
    size_t n = 0;
    if (!mux_page(c, &page) || !read_timeframe(c, &ask)) return;
    if (ask.asset_id && ask.live_stream_id) {
        mux_invalid(c, "asset_id", "Not together with live_stream_id.");
        return;
    }
    ask.limit = page.limit;
    ask.offset = page.offset;
    struct delivery_row *rows = xcalloc(LIMIT_PAGE_ITEMS, sizeof *rows);
    const enum err e = delivery_list(c->db, &ask, rows, &n, &total);
    json_t *all = json_array();
    for (size_t i = 0; i < n && e == E_OK; i++) {
        json_t *j = report(c, &ask, &rows[i]);
        if (j) json_array_append_new(all, j);
    }
    free(rows);
    if (e == E_OK) {
        /* The client asks for the page after the one it is told: without `page` for ever the first.
         */
        call_json(c, 200,
                  json_pack("{s:o, s:[I, I], s:I, s:I, s:I}", "data", all, "timeframe",
                            (json_int_t)(ask.from_us / US_PER_SEC),
                            (json_int_t)(ask.to_us / US_PER_SEC), "limit", (json_int_t)page.limit,
                            "page", (json_int_t)(page.offset / page.limit + 1), "total_row_count",
                            (json_int_t)total));
        return;
    }
    json_decref(all);
    mux_fail(c, e);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET,
     "/video/v1/delivery-usage",
     list,
     CALL_MUX,
     {"page", "limit", "asset_id", "live_stream_id"}},
};
const struct endpoint_table mux_delivery = ENDPOINT_TABLE(ENDPOINTS);
