/* SPDX-License-Identifier: MIT */
/* /rtc/{id}/layer: which layers there are, which one is sent, and the wish for another. The session
 * is on a loop of its own; the question goes there and the answer comes back. */
#include "base/hash.h"
#include "base/xalloc.h"
#include "serve/rtc/whep_priv.h"
#include "wire/json_flat.h"
#include <stdio.h>

struct ask {
    struct rtc_loop *to;
    struct loop *from;
    struct http_request *r; /* unanswered, so that its body stays where it is */
    bool set;
    struct span wish; /* p == NULL: automatic */
    int status;
    struct str body;
};

static void layer_name(const struct whep *v, uint8_t layer, char out[LANE_RID_CAP])
{
    const char *rid = relay_track(v->relay, MEDIA_VIDEO)->rids[layer];
    if (rid[0])
        snprintf(out, LANE_RID_CAP, "%s", rid);
    else
        snprintf(out, LANE_RID_CAP, "%u", layer);
}

static void describe(const struct whep *v, struct str *out)
{
    char name[LANE_RID_CAP];
    struct rtc_layers_there there;
    const uint8_t now = whep_layer_now(v);
    relay_layers(v->relay, &there);
    if (now != RTC_LAYER_NONE) layer_name(v, now, name);
    str_addf(out, now == RTC_LAYER_NONE ? "{\"current\":null" : "{\"current\":\"%s\"", name);
    str_addf(out, ",\"automatic\":%s,\"layers\":[",
             v->layers.wish == RTC_LAYER_NONE ? "true" : "false");
    for (unsigned i = there.n; i-- > 0;) { /* the best first */
        const uint8_t layer = there.order[i];
        uint16_t width = 0, height = 0;
        layer_name(v, layer, name);
        relay_picture(v->relay, layer, &width, &height);
        str_addf(out, "{\"encodingId\":\"%s\"", name);
        if (width) str_addf(out, ",\"width\":%u,\"height\":%u", width, height);
        str_addf(out, ",\"bitrate\":%llu}%s", (unsigned long long)there.rate[layer], i ? "," : "");
    }
    str_adds(out, "]}");
}

static bool set_wish(struct whep *v, struct span wish)
{
    const struct lane_track *t = relay_track(v->relay, MEDIA_VIDEO);
    char name[LANE_RID_CAP];
    uint8_t found = RTC_LAYER_NONE;
    for (uint8_t i = 0; wish.p && i < t->layers && i < LANE_LAYERS; i++) {
        layer_name(v, i, name);
        if (span_is(wish, name)) found = i;
    }
    if (wish.p && found == RTC_LAYER_NONE) return false;
    v->layers.wish = found;
    v->layers.up_us = 1; /* who asks does not wait */
    whep_choose(v, loop_now_us(v->peer->l->loop));
    return true;
}

static void on_reply(void *arg)
{
    struct ask *a = arg;
    static const struct http_header h[] = {{"access-control-allow-origin", "*"},
                                           {"cache-control", "no-store"},
                                           {"content-type", "application/json"}};
    if (a->status == 200) {
        struct buf *body = str_take_buf(&a->body);
        http_reply(a->r, 200, h, sizeof h / sizeof *h, body, 0);
        buf_unref(body);
    } else if (a->status == 404) {
        rtc_reply_error(a->r, 404, "not_found", "There is no such session.");
    } else {
        rtc_reply_error(a->r, 400, "unknown_layer", "The stream has no layer of that name.");
    }
    str_fini(&a->body);
    free(a);
}

static void on_ask(void *arg)
{
    struct ask *a = arg;
    const struct rtc_peer *p = map_get(&a->to->by_id, span_str(http_param(a->r, 0)));
    struct whep *v = p && p->ops == &WHEP_OPS ? p->ctx : NULL;
    a->status = 404;
    if (v && v->relay) {
        a->status = a->set && !set_wish(v, a->wish) ? 400 : 200;
        if (a->status == 200) describe(v, &a->body);
    }
    loop_post(a->from, on_reply, a);
}

static void ask(struct http_request *r, struct rtc_service *s, bool set, struct span wish)
{
    uint8_t loop = 0;
    const struct span id = span_str(http_param(r, 0));
    if (id.len != RTC_ID_LEN || !hash_unhex(span_head(id, 2), &loop, 1) || loop >= s->n_loops) {
        rtc_reply_error(r, 404, "not_found", "There is no such session.");
        return;
    }
    struct ask *a = NEW(struct ask);
    *a =
        (struct ask){.to = &s->loops[loop], .from = http_loop(r), .r = r, .set = set, .wish = wish};
    loop_post(a->to->loop, on_ask, a);
}

void rtc_on_layer_get(struct http_request *r, void *ctx)
{
    ask(r, ctx, false, SPAN_NULL);
}

void rtc_on_layer_set(struct http_request *r, void *ctx)
{
    struct span wish = SPAN_NULL;
    enum err e = json_flat_string(http_body(r), "encodingId", &wish);
    if (e == E_NOTFOUND) e = json_flat_string(http_body(r), "rid", &wish);
    if (e != E_OK && e != E_NOTFOUND)
        rtc_reply_error(r, 400, "bad_request", "Send {\"encodingId\":\"...\"}, or {}.");
    else
        ask(r, ctx, true, e == E_OK ? wish : SPAN_NULL);
}
