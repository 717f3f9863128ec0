/* SPDX-License-Identifier: MIT */
/* Frames to the lane, their time, and what is told about them. */
#include "base/log.h"
#include "bridge/outward_priv.h"
#include "wire/h264.h"
#include <stdio.h>

#define CLOCK_EVERY_US US_PER_SEC
#define BEHIND_US      (100 * US_PER_MS) /* a break shorter than this needs no step in time */
#define NTP_1970       INT64_C(2208988800)

static uint64_t ntp_of(int64_t wall_us)
{
    const uint64_t seconds = (uint64_t)(wall_us / US_PER_SEC + NTP_1970);
    return seconds << 32 | ((uint64_t)(wall_us % US_PER_SEC) << 32) / US_PER_SEC;
}

static void tell_clocks(struct outward *o, int64_t now)
{
    const struct outward_line *l = &o->line;
    if (now - l->told_us < CLOCK_EVERY_US) return;
    o->line.told_us = now;
    for (uint8_t k = 0; k < 2; k++) {
        if (o->lane[k].codec == CODEC_NONE) continue;
        struct lane_clock *c = lane_clock_new(k, 0, ntp_of(l->wall_us + l->newest_us),
                                              packer_ts((enum media_kind)k, l->newest_us));
        lane_bridge_send(o->channel, &c->msg);
    }
}

void outward_mark(struct outward *o, const struct frame *f)
{
    struct outward_line *l = &o->line;
    const int64_t shift = f->wall_us - l->wall_us - f->pts_us;
    if (!l->set) {
        l->set = true;
        l->wall_us = f->wall_us - f->pts_us;
    } else if (f->discontinuity && shift > l->shift_us + BEHIND_US) {
        l->shift_us = shift;
    }
}

static void on_burst(void *ctx, struct lane_burst *b)
{
    struct outward *o = ctx;
    lane_bridge_send(o->channel, &b->msg);
}

void outward_send(struct outward *o, const struct frame *f)
{
    const int64_t now = loop_now_us(o->home);
    const int64_t t = f->pts_us + o->line.shift_us;
    if (t > o->line.newest_us) o->line.newest_us = t;
    const enum err e = packer_frame(&o->packer, f, t, now, on_burst, o);
    if (e != E_OK && e != E_NOTFOUND)
        log_debug("outward", "channel=%s frame not sent: %s", channel_id(o->channel), err_text(e));
    tell_clocks(o, now);
}

/* --- the description --- */

static void describe_h264(struct lane_track *l, const struct track *t)
{
    struct h264_config c;
    if (!t || !t->config || h264_avcc_parse(buf_span(t->config), &c) != E_OK) return;
    snprintf(l->fmtp, sizeof l->fmtp, "packetization-mode=1;profile-level-id=%02x%02x%02x",
             c.profile, c.constraints, c.level);
}

static void describe_track(const struct outward *o, unsigned k, struct lane_track *l)
{
    static const enum codec CODED[2] = {[MEDIA_VIDEO] = CODEC_H264, [MEDIA_AUDIO] = CODEC_OPUS};
    const struct track *t = o->packer.tracks[k];
    memset(l, 0, sizeof *l); /* it is compared as a whole */
    l->layers = 1;
    if (o->way[k] == OUTWARD_TRANSCODED)
        l->codec = CODED[k];
    else if (o->way[k] == OUTWARD_AS_IT_IS && t)
        l->codec = t->codec;
    l->makes_keys = k == MEDIA_VIDEO && o->way[k] == OUTWARD_TRANSCODED;
    if (l->codec == CODEC_H264) describe_h264(l, t);
}

static bool same_codecs(const struct outward *o, const struct lane_track was[2])
{
    for (unsigned k = 0; k < 2; k++)
        if (o->lane[k].codec != was[k].codec || o->lane[k].makes_keys != was[k].makes_keys)
            return false;
    return true;
}

/* Field by field: what lies between fields says nothing. */
static bool same_description(const struct lane_track *a, const struct lane_track *b)
{
    return a->codec == b->codec && a->layers == b->layers && a->makes_keys == b->makes_keys &&
           strcmp(a->fmtp, b->fmtp) == 0 && memcmp(a->rids, b->rids, sizeof a->rids) == 0;
}

/* Viewers go on when only a configuration has changed: it comes with the next key frame. */
void outward_describe(struct outward *o)
{
    struct lane_track was[2];
    const bool described = lane_describe(o->channel, was) == E_OK;
    for (unsigned k = 0; k < 2; k++) describe_track(o, k, &o->lane[k]);
    if (described && same_description(&was[0], &o->lane[0]) &&
        same_description(&was[1], &o->lane[1]))
        return;
    o->line.told_us = 0;
    lane_bridge_describe(o->channel, o->lane, described && same_codecs(o, was));
    log_info("outward", "channel=%s video=%s%s audio=%s%s", channel_id(o->channel),
             codec_name(o->lane[0].codec), o->way[0] == OUTWARD_TRANSCODED ? " transcoded" : "",
             codec_name(o->lane[1].codec), o->way[1] == OUTWARD_TRANSCODED ? " transcoded" : "");
}

void outward_undescribe(struct outward *o)
{
    memset(o->lane, 0, sizeof o->lane);
    lane_bridge_describe(o->channel, o->lane, false);
}
