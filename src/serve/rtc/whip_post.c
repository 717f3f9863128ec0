/* SPDX-License-Identifier: MIT */
/* The POST of a publisher: offer, key, channel, answer. It is answered when the channel has taken
 * the publisher, so that a refusal is a status and not a silence. */
#include "base/log.h"
#include "base/rand.h"
#include "serve/rtc/whip_priv.h"
#include <stdio.h>

struct post {
    struct rtc_service *service;
    struct http_request *r;
    struct sdp *offer;
    struct rtc_agreed agreed;
};

static void keep_track(struct rtc_track_set *k, const struct rtc_track *t)
{
    if (!t->is) return;
    *k = (struct rtc_track_set){.is = true,
                                .codec = t->codec,
                                .format = t->format,
                                .pt = t->media->pt,
                                .fb = t->fb,
                                .rtx_pt = t->rtx ? t->rtx->pt : -1,
                                .clock = t->media->clock,
                                .layers = (uint8_t)(t->n_rids ? t->n_rids : 1),
                                .n_rids = t->n_rids};
    memcpy(k->ext, t->ext, sizeof k->ext);
    for (unsigned i = 0; i < t->n_rids; i++)
        (void)span_cstr(t->rids[i], k->rids[i], sizeof k->rids[i]);
    (void)span_cstr(t->media->fmtp, k->fmtp, sizeof k->fmtp);
}

static void describe(struct whip *w)
{
    struct lane_track tracks[2] = {0};
    for (unsigned k = 0; k < 2; k++) {
        if (!w->tracks[k].is) continue;
        tracks[k].codec = w->tracks[k].codec;
        tracks[k].layers = w->tracks[k].layers;
        tracks[k].makes_keys = true;
        for (unsigned i = 0; i < w->tracks[k].n_rids; i++)
            memcpy(tracks[k].rids[i], w->tracks[k].rids[i], LANE_RID_CAP);
        memcpy(tracks[k].fmtp, w->tracks[k].fmtp, sizeof tracks[k].fmtp);
    }
    lane_publish_description(w->publisher, tracks);
}

static void on_ready(void *ctx, int64_t base_us)
{
    struct whip *w = ctx;
    struct sdp_answer *a = xcalloc(1, sizeof *a);
    w->ready = true;
    rtc_answer(w->offer, &w->agreed, SDP_RECVONLY, a);
    rtc_reply_created(w->r, w->peer, a);
    free(a);
    log_info("whip-publish", "session=%.8s channel=%s video=%s layers=%u audio=%s", w->peer->id,
             channel_id(w->channel), codec_name(w->tracks[MEDIA_VIDEO].codec),
             w->tracks[MEDIA_VIDEO].layers, codec_name(w->tracks[MEDIA_AUDIO].codec));
    w->r = NULL;
    free(w->offer);
    w->offer = NULL;
    describe(w);
    publisher_describe(w->publisher, &w->who);
    whip_frames_open(w, base_us);
}

static void on_kick(void *ctx, enum err why, const char *reason)
{
    struct whip *w = ctx;
    if (w->r) rtc_reply_error(w->r, why == E_CONFLICT ? 409 : 403, "refused", reason);
    w->r = NULL;
    rtc_peer_close(w->peer, why == E_OK ? E_CLOSED : why, reason);
}

static void on_want_key(void *ctx, uint8_t layer)
{
    whip_want_key(ctx, layer);
}

static const struct publisher_ops PUBLISHER_OPS = {on_ready, on_kick, on_want_key};

/* Takes the post over. */
static enum err create(struct post *p, struct channel *ch)
{
    struct whip *w = NEW(struct whip);
    const enum err e = rtc_peer_new(rtc_loop_here(p->service), http_peer(p->r), p->offer,
                                    &p->agreed, &WHIP_OPS, w, &w->peer);
    if (e != E_OK) {
        free(w);
        return e;
    }
    w->channel = channel_ref(ch);
    w->r = p->r;
    w->offer = p->offer;
    w->agreed = p->agreed;
    w->our_ssrc = (uint32_t)rand_u64() | 1;
    whip_health_who(w, p->r);
    for (unsigned k = 0; k < 2; k++) keep_track(&w->tracks[k], &p->agreed.tracks[k]);
    for (unsigned k = 0; k < 2; k++)
        if (w->tracks[k].is && (w->tracks[k].fb & SDP_FB_TWCC))
            w->twcc_id = w->tracks[k].ext[SDP_EXT_TWCC];
    w->publisher = publisher_open(ch, &PUBLISHER_OPS, w);
    return E_OK;
}

static void refuse(struct http_request *r, enum err e, const char *reason)
{
    static const struct http_header AUTH[] = {{"access-control-allow-origin", "*"},
                                              {"www-authenticate", "Bearer"}};
    if (e == E_AUTH)
        http_reply_error(r, 401, "unauthorized", reason, NULL, AUTH, 2);
    else if (e == E_CONFLICT)
        rtc_reply_error(r, 409, "conflict", reason);
    else
        rtc_reply_error(r, 403, "forbidden", reason);
}

static void on_publish(void *ctx, enum err e, const char *reason, struct channel *ch)
{
    struct post *p = ctx;
    if (e != E_OK) {
        refuse(p->r, e, reason);
        free(p->offer);
    } else if ((e = create(p, ch)) != E_OK) {
        if (e == E_INVALID)
            rtc_reply_error(p->r, 422, "bad_sdp",
                            "The certificate's fingerprint is of no known kind.");
        else
            rtc_reply_error(p->r, 503, "busy", "The server has as many sessions as it can take.");
        free(p->offer);
    }
    free(p);
}

static void post(struct http_request *r, struct rtc_service *s, const char *key)
{
    const char *why = "";
    struct sdp *offer = rtc_read_offer(r);
    if (!offer) return;
    struct post *p = NEW(struct post);
    *p = (struct post){.service = s, .r = r, .offer = offer};
    const enum err e = rtc_agree_publisher(offer, &p->agreed, &why);
    if (e != E_OK) {
        rtc_reply_error(r, e == E_UNSUPPORTED ? 422 : 400, "bad_sdp", why);
        free(offer);
        free(p);
        return;
    }
    const struct gate_publish ask = {.key = key, .protocol = "whip", .peer = http_peer(r)};
    s->cfg.gate->publish(s->cfg.gate->self, &ask, on_publish, p);
}

void rtc_on_whip(struct http_request *r, void *ctx)
{
    post(r, ctx, http_param(r, 0));
}

void rtc_on_whip_bearer(struct http_request *r, void *ctx)
{
    char key[256];
    if (!rtc_bearer(r, key, sizeof key))
        refuse(r, E_AUTH, "Give the stream key as a bearer token.");
    else
        post(r, ctx, key);
}
