/* SPDX-License-Identifier: MIT */
/* A viewer by WHEP: it joins a relay, follows publishers that come and go, and leaves. */
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "serve/rtc/whep_priv.h"

static bool still_fits(const struct whep *v, const struct lane_track tracks[2])
{
    for (unsigned k = 0; k < 2; k++) {
        const struct whep_track *t = &v->tracks[k];
        if (t->is && tracks[k].codec != CODEC_NONE && tracks[k].codec != t->codec) return false;
    }
    return true;
}

/* Another publisher, or none: what comes next begins with a key frame and goes on in numbers. */
void whep_restart(struct list *viewer, const struct lane_description *d)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    if (v->relay && !still_fits(v, d->tracks)) {
        rtc_peer_close(v->peer, E_CLOSED, "the publisher came back with another codec");
        return;
    }
    for (unsigned k = 0; k < 2; k++) {
        v->tracks[k].started = false;
        rtc_rewrite_forget(&v->tracks[k].map);
        v->tracks[k].fresh = true;
    }
    v->behind = false;
    v->layers.target = RTC_LAYER_NONE;
    v->layers.up_us = 0;
    v->skip = 0;
    v->look = true; /* when what the hub kept has come too */
    rtc_peer_wake(v->peer, loop_now_us(v->peer->l->loop));
}

static int64_t on_tick(struct rtc_peer *p, int64_t now_us)
{
    struct whep *v = p->ctx;
    if (v->dismissals != channel_dismissals(v->channel)) {
        rtc_peer_close(p, E_AUTH, "who may see the stream has changed");
        return INT64_MAX;
    }
    if (v->relay && v->look) whep_choose(v, now_us);
    v->look = false;
    return v->relay ? whep_pace(v, now_us) : INT64_MAX;
}

static void on_rtp(struct rtc_peer *p, const struct rtp *rtp, int64_t now_us)
{
    (void)p, (void)rtp, (void)now_us; /* a viewer sends nothing */
}

static void on_open(struct rtc_peer *p)
{
    struct whep *v = p->ctx;
    struct lane_track tracks[2];
    const int64_t now = loop_now_us(p->l->loop);
    v->again_us = now - US_PER_SEC;
    v->probe_wait_us = US_PER_SEC;
    if (v->tracks[MEDIA_VIDEO].twcc_at) v->sent = xcalloc(RTC_BWE_SENT, sizeof *v->sent);
    rtc_bwe_init(&v->bwe, v->sent, now);
    v->relay = relay_join(p->l, v->channel, &v->node);
    if (lane_describe(v->channel, tracks) == E_OK && !still_fits(v, tracks))
        rtc_peer_close(p, E_CLOSED, "the publisher came back with another codec");
    else if (relay_track(v->relay, MEDIA_VIDEO)->codec != CODEC_NONE)
        whep_choose(v, now);
}

static void on_closed(struct rtc_peer *p, enum err why)
{
    struct whep *v = p->ctx;
    (void)why;
    if (v->relay) relay_leave(v->relay, &v->node);
    channel_unref(v->channel);
    free(v->sent);
    free(v);
}

const struct rtc_peer_ops WHEP_OPS = {.name = "whep",
                                      .on_open = on_open,
                                      .on_rtp = on_rtp,
                                      .on_rtcp = whep_on_rtcp,
                                      .on_tick = on_tick,
                                      .on_closed = on_closed};
