/* SPDX-License-Identifier: MIT */
/* Which layer a viewer is sent. The estimate and the layers' rates decide; a key frame of the new
 * layer is asked for and the old one goes on until it comes. */
#include "base/clock.h"
#include "base/log.h"
#include "serve/rtc/whep_priv.h"

#define SOUND_BPS      60000 /* goes beside */
#define EVIDENCE_US    (3 * US_PER_SEC)
#define PROBE_FIRST_US US_PER_SEC
#define PROBE_LAST_US  (8 * US_PER_SEC)
#define PROBE_MS       20 /* of the rate to be seen */

static struct rtc_layers_line line_of(const struct whep *v, int64_t now)
{
    const uint64_t bps = v->bwe.bps;
    return (struct rtc_layers_line){.bps = bps > 2 * SOUND_BPS ? bps - SOUND_BPS : bps / 2,
                                    .limited = v->bwe.limited && now - v->bwe.down_us < EVIDENCE_US,
                                    .blind = !v->tracks[MEDIA_VIDEO].twcc_at ||
                                             !v->tracks[MEDIA_VIDEO].rtx_ssrc};
}

uint8_t whep_layer_now(const struct whep *v)
{
    const struct rtc_span *s = rtc_rewrite_now(&v->tracks[MEDIA_VIDEO].map);
    return v->tracks[MEDIA_VIDEO].started && s ? s->layer : RTC_LAYER_NONE;
}

/* More may go through than what is sent shows: only a probe can tell. */
static void look_higher(struct whep *v, const struct rtc_layers_there *there, int64_t now)
{
    const struct rtc_layers_line line = line_of(v, now);
    const uint64_t want = rtc_layers_lack(&v->layers, there, &line, now);
    if (!want || line.blind || v->bwe.use == RTC_BWE_OVER) {
        if (!want) v->probe_wait_us = PROBE_FIRST_US;
        return;
    }
    if (now < v->probe_us || rtc_bwe_probing(&v->bwe)) return;
    whep_probe(v, (size_t)(want * PROBE_MS / 8000));
    v->probe_us = now + v->probe_wait_us;
    if (v->probe_wait_us < PROBE_LAST_US) v->probe_wait_us *= 2;
}

void whep_choose(struct whep *v, int64_t now)
{
    struct whep_track *t = &v->tracks[MEDIA_VIDEO];
    struct rtc_layers_there there;
    const uint8_t before = v->layers.target;
    if (!t->is) return;
    relay_layers(v->relay, &there);
    const struct rtc_layers_line line = line_of(v, now);
    const uint8_t target = rtc_layers_choose(&v->layers, &there, &line, now);
    if (target != before)
        log_debug("whep-layer", "session=%.8s from=%d to=%d bps=%llu acked=%llu rtt_ms=%lld",
                  v->peer->id, before, target, (unsigned long long)v->bwe.bps,
                  (unsigned long long)v->bwe.acked, (long long)(v->bwe.rtt_us / US_PER_MS));
    if (target == RTC_LAYER_NONE) { /* sound alone, until more goes through */
        t->started = v->behind = false;
    } else if (!t->started) {
        whep_begin_video(v, now);
    } else if (target != whep_layer_now(v)) {
        relay_want_key(v->relay, target, now);
    }
    look_higher(v, &there, now);
}

void whep_tick(struct list *viewer, int64_t now)
{
    struct whep *v = CONTAINER_OF(viewer, struct whep, node);
    if (!v->relay) return;
    if (v->dismissals != channel_dismissals(v->channel)) {
        v->look = true; /* it goes by its own timer: the relay may go with it */
        rtc_peer_wake(v->peer, now);
        return;
    }
    rtc_bwe_tick(&v->bwe, now);
    whep_choose(v, now);
}
