/* SPDX-License-Identifier: MIT */
#include "hub/ingest_stats.h"
#include "base/clock.h"
#include "wire/aac.h"
#include "wire/aac_level.h"
#include <math.h>
#include <stdlib.h>

#define EVERY_US     US_PER_SEC
#define FIRST_US     (EVERY_US / 5) /* who it is, before anything can be measured */
#define LEAST_S      0.9            /* over less nothing is measured */
#define REORDER_US   (10 * US_PER_SEC)
#define STEP_MAX_US  US_PER_SEC /* longer is a gap and no frame rate */
#define QUIET_POWER  1e-6       /* -60 dB: nobody hears anything */
#define OFFSET_OF    5          /* seconds whose middle is the offset */
#define OFFSET_LEAST 3
#define VIDEO_CLOCK  90000
#define LISTEN_EVERY 3 /* frames of sound */

void ingest_meter_open(struct ingest_meter *m, int64_t now_us, int64_t wall_us)
{
    const struct ingest_source who = m->source;
    *m = (struct ingest_meter){.opened_us = now_us,
                               .opened_wall_us = wall_us,
                               .due_us = now_us + FIRST_US,
                               .reorder_us = INT64_MIN,
                               .best_delay_us = INT64_MAX,
                               .heard_us = now_us,
                               .delay_us = {INT64_MAX, INT64_MAX},
                               .source = who};
    m->frames[0].last_key_us = m->frames[1].last_key_us = -1;
    for (unsigned i = 0; i < LANE_LAYERS; i++) m->lane[i].last_key_us = -1;
}

/* --- what comes --- */

static void flow_frame(struct ingest_flow *f, int64_t at_us, bool key)
{
    const int64_t step = at_us - f->last_us;
    if (f->is && step > 0 && step < STEP_MAX_US) {
        const double first = f->step_us == 0 ? 1 : 1.0 / 32;
        f->step_us += ((double)step - f->step_us) * first;
        f->spread_us += (fabs((double)step - f->step_us) - f->spread_us) / 32;
    }
    if (!f->is) f->first_us = at_us;
    f->is = true;
    f->frames++;
    f->last_us = at_us;
    if (!key) return;
    if (f->last_key_us >= 0 && at_us > f->last_key_us)
        f->keys[f->n_keys++ % INGEST_KEYS] = at_us - f->last_key_us;
    f->last_key_us = at_us;
}

/* RFC 3550, A.8, with frames for packets. */
static void note_delay(struct ingest_meter *m, enum media_kind kind, int64_t delay_us)
{
    if (delay_us < m->delay_us[kind]) m->delay_us[kind] = delay_us;
    if (kind == MEDIA_AUDIO && m->frames[MEDIA_VIDEO].is) return;
    const int64_t d = m->last_delay_us ? llabs(delay_us - m->last_delay_us) : 0;
    m->jitter16 += d - (m->jitter16 + 8) / 16;
    m->last_delay_us = delay_us;
}

void ingest_meter_track(struct ingest_meter *m, const struct track *t)
{
    struct aac_config c;
    if (t->kind != MEDIA_AUDIO) return;
    const bool known = t->codec == CODEC_AAC && t->config &&
                       aac_config_parse(buf_span(t->config), &c) == E_OK && c.samples % 1024 == 0;
    m->aac_rate = known ? c.core_rate : 0;
}

static void note_power(struct ingest_meter *m, double power, int64_t now_us)
{
    m->levels = true;
    m->power_sum += power;
    m->power_n++;
    if (power > m->power_peak) m->power_peak = power;
    if (power > QUIET_POWER) m->heard_us = now_us;
}

/* WebRTC says itself how loud it is; what is made of its sound is not listened to. */
static void listen(struct ingest_meter *m, const struct frame *f, int64_t now_us)
{
    double power = 0;
    if (f->codec != CODEC_AAC || !m->aac_rate || strcmp(m->source.protocol, "whip") == 0) return;
    if (m->frames[MEDIA_AUDIO].frames % LISTEN_EVERY) return;
    if (aac_power(frame_span(f), m->aac_rate, &power) == E_OK) note_power(m, power, now_us);
}

void ingest_meter_frame(struct ingest_meter *m, const struct frame *f, int64_t arrived_us)
{
    const enum media_kind kind = codec_kind(f->codec);
    struct ingest_flow *w = &m->frames[kind];
    if (f->track > TRACK_ID_AUDIO) return; /* another layer of the same picture */
    if (f->discontinuity && w->is) {       /* a new time: nothing before compares with it */
        m->jumps += kind == MEDIA_VIDEO || !m->frames[MEDIA_VIDEO].is;
        m->best_delay_us = INT64_MAX;
        m->delay_us[0] = m->delay_us[1] = INT64_MAX;
        m->last_delay_us = 0;
        m->jumped_at = m->n_samples;
        w->last_key_us = -1;
    }
    m->codec[kind] = f->codec;
    if (kind == MEDIA_VIDEO && f->pts_us != f->dts_us) m->reorder_us = arrived_us;
    w->bytes += (int64_t)f->len;
    if (kind == MEDIA_AUDIO) listen(m, f, arrived_us);
    flow_frame(w, f->dts_us, f->key);
    note_delay(m, kind, arrived_us - f->dts_us);
}

void ingest_meter_describe(struct ingest_meter *m, const struct lane_track tracks[2])
{
    memcpy(m->lane_tracks, tracks, sizeof m->lane_tracks);
}

/* Packets of one picture have one timestamp. One that comes late belongs to a picture before. */
static void lane_video(struct ingest_meter *m, const struct lane_packet *p)
{
    struct ingest_flow *w = &m->lane[p->layer < LANE_LAYERS ? p->layer : 0];
    w->bytes += p->len;
    const int32_t ticks = (int32_t)(p->ts - w->last_ts);
    if (w->is && ticks <= 0) {
        if (p->key && ticks == 0 && w->last_key_us != w->last_us) {
            w->frames--;
            flow_frame(w, w->last_us, true);
        }
        return;
    }
    const int64_t at_us = w->is ? w->last_us + (int64_t)ticks * US_PER_SEC / VIDEO_CLOCK : 0;
    w->last_ts = p->ts;
    flow_frame(w, at_us, p->key);
}

void ingest_meter_burst(struct ingest_meter *m, const struct lane_burst *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        const struct lane_packet *p = &b->packets[i];
        if (p->track == MEDIA_VIDEO) {
            lane_video(m, p);
        } else {
            m->lane_audio.is = true;
            m->lane_audio.bytes += p->len;
        }
    }
}

void ingest_meter_level(struct ingest_meter *m, int16_t level, int64_t now_us)
{
    note_power(m, level <= INGEST_LEVEL_SILENCE ? 0 : pow(10, level / 100.0), now_us);
}

/* --- once a second --- */

static struct ingest_sample *sample(struct ingest_meter *m, unsigned back)
{
    return &m->samples[(m->n_samples - 1 - back) % INGEST_SAMPLES];
}

/* How many there are, at most `max`. */
static unsigned depth(const struct ingest_meter *m, unsigned max)
{
    const unsigned n = m->n_samples < INGEST_SAMPLES ? m->n_samples : INGEST_SAMPLES;
    return n < max ? n : max;
}

/* The same, of those that have the clock of now. */
static unsigned timed(const struct ingest_meter *m, unsigned max)
{
    const unsigned n = m->n_samples - m->jumped_at;
    return n < max ? depth(m, n) : depth(m, max);
}

static void take_sample(struct ingest_meter *m, int64_t now_us)
{
    struct ingest_sample *s = &m->samples[m->n_samples++ % INGEST_SAMPLES];
    *s = (struct ingest_sample){.at_us = now_us, .power = -1};
    for (unsigned k = 0; k < 2; k++) {
        s->bytes[k] = m->frames[k].bytes;
        s->frames[k] = m->frames[k].frames;
        s->newest_us[k] = m->frames[k].last_us;
        s->delay_us[k] = m->delay_us[k];
        m->delay_us[k] = INT64_MAX;
    }
    for (unsigned i = 0; i < LANE_LAYERS; i++) {
        s->lane_bytes[i] = m->lane[i].bytes;
        s->lane_frames[i] = m->lane[i].frames;
    }
    s->lane_audio_bytes = m->lane_audio.bytes;
    if (m->power_n) s->power = m->power_sum / m->power_n;
    s->peak = m->power_peak;
    m->power_sum = m->power_peak = 0;
    m->power_n = 0;
}

static int64_t rate(int64_t now, int64_t then, double seconds)
{
    return seconds >= LEAST_S ? (int64_t)((double)(now - then) / seconds) : 0;
}

static void take_keys(const struct ingest_flow *f, struct ingest_video *v)
{
    const unsigned n = f->n_keys < INGEST_KEYS ? f->n_keys : INGEST_KEYS;
    for (unsigned i = 0; i < n; i++) {
        const int64_t k = f->keys[i];
        if (k > v->key_longest_us) v->key_longest_us = k;
        if (v->key_shortest_us == 0 || k < v->key_shortest_us) v->key_shortest_us = k;
    }
    if (n) v->key_interval_us = f->keys[(f->n_keys - 1) % INGEST_KEYS];
    if (f->last_key_us >= 0) v->since_key_us = f->last_us - f->last_key_us;
}

/* What WebRTC publishes is judged as it comes, before anything was done to it. */
static bool in_packets(const struct ingest_meter *m, enum media_kind kind)
{
    return strcmp(m->source.protocol, "whip") == 0 && m->lane_tracks[kind].codec != CODEC_NONE;
}

static void take_video(struct ingest_meter *m, const struct ingest_sample *now,
                       const struct ingest_sample *then, struct ingest_stats *out)
{
    struct ingest_video *v = &out->video;
    const bool lane = in_packets(m, MEDIA_VIDEO);
    const struct ingest_flow *f = lane ? &m->lane[0] : &m->frames[MEDIA_VIDEO];
    const double s = (double)(now->at_us - then->at_us) / (double)US_PER_SEC;
    v->layers = 1;
    for (unsigned i = 0; lane && i < LANE_LAYERS; i++) {
        v->layer_bps[i] = 8 * rate(now->lane_bytes[i], then->lane_bytes[i], s);
        if (m->lane[i].is && (!f->is || v->layer_bps[i] > v->layer_bps[f - m->lane]))
            f = &m->lane[i]; /* the largest that is sent stands for all */
        v->bps += v->layer_bps[i];
    }
    v->is = f->is;
    if (!f->is) return;
    const unsigned at = lane ? (unsigned)(f - m->lane) : 0;
    v->codec = lane ? m->lane_tracks[MEDIA_VIDEO].codec : m->codec[MEDIA_VIDEO];
    v->transcoded = lane && m->frames[MEDIA_VIDEO].is && m->codec[MEDIA_VIDEO] != v->codec;
    if (lane && m->lane_tracks[MEDIA_VIDEO].layers) v->layers = m->lane_tracks[MEDIA_VIDEO].layers;
    if (!lane) v->bps = 8 * rate(now->bytes[MEDIA_VIDEO], then->bytes[MEDIA_VIDEO], s);
    v->fps = s >= LEAST_S ? (double)(lane ? now->lane_frames[at] - then->lane_frames[at]
                                          : now->frames[MEDIA_VIDEO] - then->frames[MEDIA_VIDEO]) /
                                s
                          : 0;
    if (depth(m, INGEST_SAMPLES) > OFFSET_OF && v->fps > m->best_fps) m->best_fps = v->fps;
    v->best_fps = m->best_fps;
    v->b_frames = !lane && m->reorder_us != INT64_MIN && now->at_us - m->reorder_us < REORDER_US;
    v->varies = f->step_us > 0 && f->frames > 90 && f->spread_us > 0.4 * f->step_us;
    take_keys(f, v);
}

static int16_t decibels(double power)
{
    if (power < 0) return INGEST_LEVEL_NONE;
    const double tenths = power > 0 ? 100 * log10(power) : INGEST_LEVEL_SILENCE;
    return (int16_t)(tenths < INGEST_LEVEL_SILENCE ? INGEST_LEVEL_SILENCE : lrint(tenths));
}

static void take_audio(struct ingest_meter *m, const struct ingest_sample *now,
                       const struct ingest_sample *then, struct ingest_stats *out)
{
    struct ingest_audio *a = &out->audio;
    const bool lane = in_packets(m, MEDIA_AUDIO);
    const double s = (double)(now->at_us - then->at_us) / (double)US_PER_SEC;
    double sum = 0, peak = 0;
    unsigned n = 0;
    a->level = a->peak_level = INGEST_LEVEL_NONE;
    a->is = lane ? m->lane_audio.is : m->frames[MEDIA_AUDIO].is;
    if (!a->is) return;
    a->codec = lane ? m->lane_tracks[MEDIA_AUDIO].codec : m->codec[MEDIA_AUDIO];
    a->bps = 8 * (lane ? rate(now->lane_audio_bytes, then->lane_audio_bytes, s)
                       : rate(now->bytes[MEDIA_AUDIO], then->bytes[MEDIA_AUDIO], s));
    for (unsigned i = 0; i < depth(m, INGEST_SAMPLES); i++) {
        const struct ingest_sample *x = sample(m, i);
        if (x->power < 0) continue;
        if (i < 3) sum += x->power, n++;
        if (x->peak > peak) peak = x->peak;
    }
    if (!m->levels) return;
    a->level = n ? decibels(sum / n) : INGEST_LEVEL_NONE;
    a->peak_level = decibels(peak);
    a->silent_us = now->at_us - m->heard_us;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The middle of the last seconds: one of them may be disturbed. */
static void take_offset(struct ingest_meter *m, struct ingest_stats *out)
{
    int64_t v[OFFSET_OF];
    unsigned n = 0;
    for (unsigned i = 0; i < timed(m, OFFSET_OF); i++) {
        const struct ingest_sample *s = sample(m, i);
        if (s->delay_us[0] != INT64_MAX && s->delay_us[1] != INT64_MAX)
            v[n++] = s->delay_us[MEDIA_AUDIO] - s->delay_us[MEDIA_VIDEO];
    }
    if (n < OFFSET_LEAST) return;
    qsort(v, n, sizeof *v, by_size);
    out->has_offset = true;
    out->offset_us = v[n / 2];
}

#define ROLLING_S 30

/* How far it is behind, in the means. */
static void take_drift(struct ingest_meter *m, struct ingest_stats *out)
{
    const double now = (double)out->behind_us;
    m->drifts++;
    m->drift_us += (now - m->drift_us) / (double)m->drifts;
    m->rolling_us +=
        (now - m->rolling_us) / (double)(m->drifts < ROLLING_S ? m->drifts : ROLLING_S);
    out->drift_us = (int64_t)m->drift_us;
    out->drift_now_us = (int64_t)(now - m->rolling_us);
}

static void take_pace(struct ingest_meter *m, struct ingest_stats *out)
{
    const unsigned n = timed(m, INGEST_SAMPLES);
    const unsigned k = m->frames[MEDIA_VIDEO].is ? MEDIA_VIDEO : MEDIA_AUDIO;
    int64_t least = INT64_MAX;
    if (!m->frames[k].is || n == 0) return;
    for (unsigned i = 0; i < timed(m, 3); i++)
        if (sample(m, i)->delay_us[k] < least) least = sample(m, i)->delay_us[k];
    if (least < m->best_delay_us) m->best_delay_us = least;
    if (least != INT64_MAX) {
        out->behind_us = least - m->best_delay_us;
        take_drift(m, out);
    }
    const struct ingest_sample *now = sample(m, 0), *then = sample(m, n - 1);
    const int64_t passed = now->at_us - then->at_us;
    if (passed >= 3 * US_PER_SEC)
        out->speed = (double)(now->newest_us[k] - then->newest_us[k]) / (double)passed;
}

bool ingest_meter_take(struct ingest_meter *m, int64_t now_us, struct ingest_stats *out)
{
    if (now_us < m->due_us) return false;
    m->due_us = now_us + EVERY_US;
    take_sample(m, now_us);
    const unsigned n = depth(m, INGEST_SAMPLES), few = n > OFFSET_OF ? OFFSET_OF + 1 : n;
    const struct ingest_sample first = {.at_us = m->opened_us};
    const bool young = m->n_samples < 2;
    const struct ingest_sample *now = sample(m, 0);
    const struct ingest_sample *then = young ? &first : sample(m, few - 1);
    *out = (struct ingest_stats){.is = true,
                                 .source = m->source,
                                 .connected_wall_us = m->opened_wall_us,
                                 .jumps = m->jumps,
                                 .jitter_us = m->jitter16 / 16,
                                 .network = m->network};
    take_video(m, now, then, out);
    take_audio(m, now, then, out);
    take_offset(m, out);
    out->has_start_gap = m->frames[0].is && m->frames[1].is;
    if (out->has_start_gap)
        out->start_gap_us = m->frames[MEDIA_AUDIO].first_us - m->frames[MEDIA_VIDEO].first_us;
    take_pace(m, out);
    return true;
}
