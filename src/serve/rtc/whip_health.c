/* SPDX-License-Identifier: MIT */
/* What only the transport of a WHIP publisher knows, for the health page (hub/ingest_stats.h). */
#include "base/clock.h"
#include "serve/rtc/whip_priv.h"
#include <stdio.h>

void whip_health_who(struct whip *w, struct http_request *r)
{
    const struct span agent = http_header_in(r, "user-agent");
    size_t n = 0;
    snprintf(w->who.protocol, sizeof w->who.protocol, "whip");
    snprintf(w->who.peer, sizeof w->who.peer, "%s", http_peer(r));
    for (size_t i = 0; i < agent.len && n + 1 < sizeof w->who.encoder; i++)
        w->who.encoder[n++] = agent.p[i] >= 0x20 && agent.p[i] < 0x7f ? (char)agent.p[i] : '?';
    w->network.rtt_us = -1;
}

/* RFC 6464, 3: the level in dBov, without its sign; the first bit says whether it is a voice. */
void whip_health_level(struct whip *w, const struct whip_source *s, const struct rtp *p)
{
    const uint8_t id = w->tracks[MEDIA_AUDIO].ext[SDP_EXT_LEVEL];
    if (s->track != MEDIA_AUDIO || !id || !w->ready) return;
    const struct span v = rtp_ext(p, id);
    if (v.len >= 1) publisher_level(w->publisher, (int16_t)(-10 * (v.p[0] & 0x7f)));
}

/* Of the picture's first source, or of the sound's when there is no picture. */
void whip_health_report(struct whip *w, const struct whip_source *s, const struct rtcp_report *r)
{
    const bool video = w->tracks[MEDIA_VIDEO].is;
    if (!w->ready || s->track != (video ? MEDIA_VIDEO : MEDIA_AUDIO)) return;
    if (w->network_of && w->network_of != s->in.ssrc) return;
    w->network_of = s->in.ssrc;
    w->network.is = true;
    w->network.loss = r->fraction_lost / 256.0;
    const int64_t jitter_us = (int64_t)r->jitter * US_PER_SEC / (s->in.clock ? s->in.clock : 1);
    w->jitter_us[w->n_reports++ % 3] = jitter_us;
    w->network.jitter_us = jitter_us;
    /* A clock that jumps makes one huge, and the next ones large: the least of three seconds. */
    for (unsigned i = 0; i < 3 && i < w->n_reports; i++)
        if (w->jitter_us[i] < w->network.jitter_us) w->network.jitter_us = w->jitter_us[i];
    if (w->n_reports < 3) w->network.jitter_us = 0;
    publisher_network(w->publisher, &w->network);
}

void whip_health_xr(struct whip *w, const struct rtcp *c, int64_t now_us)
{
    int64_t rtt_us = 0;
    if (rtcp_dlrr_rtt(c, w->our_ssrc, now_us, &rtt_us)) w->network.rtt_us = rtt_us;
}
