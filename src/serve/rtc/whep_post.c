/* SPDX-License-Identifier: MIT */
/* POST of a viewer: from its offer, through the gate, to a session. */
#include "base/rand.h"
#include "base/xalloc.h"
#include "bridge/outward.h"
#include "serve/rtc/whep_priv.h"

struct post {
    struct rtc_service *service;
    struct http_request *r;
    struct sdp *offer;
    struct channel *channel; /* while the bridge is asked */
    unsigned dismissals;
};

/* What all packets of a track begin with; seal() fills in the rest. */
static void make_head(struct whep_track *t, const struct rtc_track *g, struct span mid)
{
    static const uint8_t NO_DELAY[3] = {0, 0, 40}; /* 0 to 40, in 10 ms: 12 bits each */
    struct wr w = wr_to(t->head, sizeof t->head);
    const bool has_mid = g->ext[SDP_EXT_MID] && mid.len > 0 && mid.len <= 16;
    const bool has_ext = has_mid || g->ext[SDP_EXT_TWCC] || g->ext[SDP_EXT_PLAYOUT_DELAY];
    rtp_write(&w, &(struct rtp){.pt = t->pt, .ssrc = t->ssrc}, has_ext);
    if (has_ext) {
        const size_t mark = rtp_ext_begin(&w);
        if (has_mid) rtp_ext_put(&w, g->ext[SDP_EXT_MID], mid);
        if (g->ext[SDP_EXT_PLAYOUT_DELAY])
            rtp_ext_put(&w, g->ext[SDP_EXT_PLAYOUT_DELAY], span_of(NO_DELAY, sizeof NO_DELAY));
        if (g->ext[SDP_EXT_TWCC]) {
            t->twcc_at = (uint8_t)(wr_used(&w) + 1);
            rtp_ext_put(&w, g->ext[SDP_EXT_TWCC], span_of(NO_DELAY, 2));
        }
        rtp_ext_end(&w, mark);
    }
    t->head_len = (uint8_t)wr_used(&w);
}

static void set_track(struct whep_track *t, const struct rtc_track *g, const struct sdp *offer)
{
    if (!g->is) return;
    t->is = true;
    t->codec = g->codec;
    t->format = g->format;
    t->pt = g->media->pt;
    t->clock = g->media->clock;
    t->nack = g->fb & SDP_FB_NACK;
    t->ssrc = (uint32_t)rand_u64() | 1;
    /* far from the wrap, so that nobody guesses it wrong */
    rtc_rewrite_init(&t->map, 1000 + rand_u64() % 20000);
    t->rtx_seq = 1000 + rand_u64() % 20000;
    if (g->rtx) {
        t->rtx_pt = g->rtx->pt;
        t->rtx_ssrc = t->ssrc ^ 0x5a5a5a5a;
    }
    make_head(t, g, offer->media[g->section].mid);
}

static void fill_sources(const struct whep *v, const struct rtc_agreed *g, struct sdp_answer *a)
{
    static const char *const NAMES[2] = {"video", "audio"};
    for (unsigned k = 0; k < 2; k++) {
        if (!g->tracks[k].is) continue;
        struct sdp_answer_media *m = &a->media[g->tracks[k].section];
        m->ssrc = v->tracks[k].ssrc;
        m->rtx_ssrc = v->tracks[k].rtx_ssrc;
        m->cname = SPAN_LIT(WHEP_CNAME);
        m->track = span_str(NAMES[k]);
    }
}

static void create(struct post *p, const struct rtc_agreed *g, struct channel *ch)
{
    struct whep *v = NEW(struct whep);
    struct sdp_answer *a = xcalloc(1, sizeof *a);
    const enum err e = rtc_peer_new(rtc_loop_here(p->service), http_peer(p->r), p->offer, g,
                                    &WHEP_OPS, v, &v->peer);
    if (e == E_OK) {
        v->channel = channel_ref(ch);
        v->dismissals = p->dismissals;
        rtc_viewer_came(p->service, p->r, channel_id(ch));
        for (unsigned k = 0; k < 2; k++) set_track(&v->tracks[k], &g->tracks[k], p->offer);
        rtc_layers_init(&v->layers);
        rtc_answer(p->offer, g, SDP_SENDONLY, a);
        fill_sources(v, g, a);
        rtc_reply_created(p->r, v->peer, a);
    } else {
        free(v);
        if (e == E_INVALID)
            rtc_reply_error(p->r, 422, "bad_sdp",
                            "The certificate's fingerprint is of no known kind.");
        else
            rtc_reply_error(p->r, 503, "busy", "The server has as many sessions as it can take.");
    }
    free(a);
}

static void post_free(struct post *p)
{
    channel_unref(p->channel);
    free(p->offer);
    free(p);
}

static void agree(struct post *p, const struct lane_track tracks[2], struct channel *ch)
{
    struct rtc_agreed g;
    const char *why = "";
    const struct rtc_wanted want[2] = {{tracks[0].codec, span_str(tracks[0].fmtp)},
                                       {tracks[1].codec, span_str(tracks[1].fmtp)}};
    if (rtc_agree_viewer(p->offer, want, &g, &why) == E_OK)
        create(p, &g, ch);
    else
        rtc_reply_error(p->r, 422, "bad_sdp", why);
}

static void on_bridge(void *ctx, enum err e, const char *message)
{
    struct post *p = ctx;
    struct lane_track tracks[2];
    if (e == E_UNSUPPORTED)
        rtc_reply_error(p->r, 409, "no_webrtc", message);
    else if (e != E_OK || lane_describe(p->channel, tracks) != E_OK)
        rtc_reply_error(p->r, 409, "not_live", "The stream has nothing for WebRTC now.");
    else
        agree(p, tracks, p->channel);
    post_free(p);
}

/* Always asked: what is on the lane may be the last that a bridge sends before it ends for want of
 * viewers. */
static void on_play(void *ctx, enum err e, const char *reason, struct channel *ch)
{
    struct post *p = ctx;
    if (e == E_OK) {
        p->channel = channel_ref(ch);
        p->dismissals = channel_dismissals(ch);
        outward_ask(ch, on_bridge, p);
        return;
    }
    if (e == E_CLOSED)
        rtc_reply_error(p->r, 409, "not_live", "The stream has nothing for WebRTC now.");
    else if (e == E_AUTH)
        rtc_reply_error(p->r, 403, "forbidden", reason);
    else
        rtc_reply_error(p->r, 404, "not_found", "There is nothing to play at this address.");
    post_free(p);
}

/* "?token=", or as WHEP's clients send one. */
static void ask_gate(struct post *p)
{
    const struct gate *g = p->service->cfg.gate;
    char token[LIMIT_JWT_BYTES + 1] = "", referrer[512] = "", agent[512] = "";
    if (http_query_get(p->r, "token", token, sizeof token) != E_OK &&
        !rtc_bearer(p->r, token, sizeof token))
        token[0] = 0;
    (void)span_cstr(http_header_in(p->r, "referer"), referrer, sizeof referrer);
    (void)span_cstr(http_header_in(p->r, "user-agent"), agent, sizeof agent);
    g->play(g->self, http_param(p->r, 0),
            &(struct gate_viewer){.token = token, .referrer = referrer, .agent = agent, .use = "v"},
            on_play, p);
}

void rtc_on_whep(struct http_request *r, void *ctx)
{
    struct rtc_service *s = ctx;
    struct sdp *offer = rtc_read_offer(r);
    if (!offer) return;
    struct post *p = NEW(struct post);
    *p = (struct post){.service = s, .r = r, .offer = offer};
    ask_gate(p);
}
