/* SPDX-License-Identifier: MIT */
/* Where a period begins and ends, and which renditions are in it. */
#include "base/clock.h"
#include "engine/packager_priv.h"

/* --- the beginning ------------------------------------------------------------------------ */

bool packager_has_video(const struct packager *p)
{
    for (unsigned i = 0; i < p->n_v; i++)
        if (p->v[i].l.used) return true;
    return false;
}

struct video *packager_lead(struct packager *p)
{
    for (unsigned i = 0; i < p->n_v; i++)
        if (p->v[i].l.used) return &p->v[i];
    return NULL;
}

/* UTC minus stream clock: of the frame that came soonest, because the others were delayed. */
static int64_t wall_offset(const struct packager *p)
{
    int64_t least = INT64_MAX;
    for (unsigned k = 0; k <= p->n_v; k++) {
        const struct queue *q = k < p->n_v ? &p->v[k].s.q : &p->audio.q;
        for (unsigned i = q->head; i < q->len; i++) {
            const struct frame *f = q->v[i].f;
            if (f->wall_us - f->dts_us < least) least = f->wall_us - f->dts_us;
        }
    }
    return least;
}

void packager_join(struct packager *p, struct video *v, const struct item *i, int64_t start_us)
{
    v->s.lost = v->late = false;
    v->pulled = i->f->pts_us > start_us;
    v->pull_us = start_us;
    packager_lane_start(&v->l, &p->events, i->t, start_us, i->f->pts_us - i->f->dts_us,
                        p->wall_offset_us);
}

static void join_audio(struct packager *p, int64_t *frame_us)
{
    const struct item *i = queue_head(&p->audio.q);
    *frame_us = packager_audio_us(i->t, i->f);
    if (*frame_us == 0) *frame_us = 20 * US_PER_MS;
    p->audio.lost = false;
    packager_lane_start(&p->a, &p->events, i->t, p->start_us, 0, p->wall_offset_us);
}

/* The number that the next segment has in every rendition. */
static uint64_t next_msn(const struct packager *p)
{
    uint64_t msn = p->a.existed ? p->a.msn : 0;
    for (unsigned i = 0; i < p->n_v; i++)
        if (p->v[i].l.existed && p->v[i].l.msn > msn) msn = p->v[i].l.msn;
    return msn;
}

static void begin_period(struct packager *p, const struct item *first, bool audio)
{
    p->wall_offset_us = wall_offset(p);
    if (!p->first) {
        struct packager_event *e = packager_event_add(&p->events);
        e->kind = PACKAGER_DISCONTINUITY;
        e->msn = next_msn(p);
    }
    p->first = p->switched = p->pending_break = false;
    p->a.used = false;
    for (unsigned i = 0; i < p->n_v; i++) p->v[i].l.used = false;
    p->start_us = first ? first->f->pts_us : queue_head(&p->audio.q)->f->pts_us;
    for (unsigned i = 0; first && i < p->n_v; i++) {
        struct video *v = &p->v[i];
        const struct item *head = queue_head(&v->s.q);
        if (head && head->f->pts_us <= p->start_us + PACKAGER_KEY_SLACK_US)
            packager_join(p, v, head, p->start_us);
    }
    int64_t audio_frame_us = 0;
    if (audio) join_audio(p, &audio_frame_us);
    segmenter_start(&p->cut, first != NULL, audio_frame_us);
    if (!first) p->start_us = INT64_MIN;
    p->state = RUN;
}

/* --- waiting for it ------------------------------------------------------------------------ */

/* How long to wait for a track of which there is no frame. */
static int64_t patience(const struct packager *p, const struct source *s,
                        const struct packager_lane *l)
{
    if (p->switched) return l->used && !s->lost ? PACKAGER_AUDIO_HOLD_US : 0;
    return s->given || s->expected ? PACKAGER_WAIT_ANNOUNCED_US : PACKAGER_WAIT_US;
}

/* The same for one more rendition of the picture. */
static int64_t patience_layer(const struct packager *p, const struct video *v)
{
    if (!v->s.given || v->late) return 0;
    const int64_t most = patience(p, &v->s, &v->l);
    return most < PACKAGER_WAIT_US ? most : PACKAGER_WAIT_US;
}

/* Key frames at the heads; how many renditions of the picture have one. */
static unsigned drop_before_keys(struct packager *p)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->n_v; i++) {
        struct queue *q = &p->v[i].s.q;
        while (queue_head(q) && !queue_head(q)->f->key) queue_drop(p, q);
        n += queue_head(q) != NULL;
    }
    return n;
}

/* Until when to wait for what is not there. */
static int64_t wait_until(const struct packager *p, unsigned n_video, bool audio)
{
    int64_t most = 0;
    if (!audio) most = patience(p, &p->audio, &p->a);
    if (n_video == 0 && p->n_v == 0) most = p->switched ? 0 : PACKAGER_WAIT_US;
    for (unsigned i = 0; i < p->n_v; i++) {
        const struct video *v = &p->v[i];
        if (v->s.q.head < v->s.q.len) continue;
        const int64_t t = n_video ? patience_layer(p, v) : patience(p, &v->s, &v->l);
        if (t > most) most = t;
    }
    return p->since_us + most;
}

static bool fps_wanted(const struct packager *p)
{
    for (unsigned i = 0; i < p->n_v; i++) {
        const struct video *v = &p->v[i];
        if (v->s.q.head < v->s.q.len && source_fps_wanted(p, v)) return true;
    }
    return false;
}

static struct item *key_near(struct queue *q, int64_t t_us)
{
    for (unsigned i = q->head; i < q->len; i++) {
        const struct frame *f = q->v[i].f;
        if (f->key && f->pts_us >= t_us - PACKAGER_KEY_SLACK_US) return &q->v[i];
    }
    return NULL;
}

/* When the rendition that came last began. */
static int64_t latest_us(struct packager *p)
{
    int64_t t_us = INT64_MIN;
    for (unsigned i = 0; i < p->n_v; i++) {
        const struct item *head = queue_head(&p->v[i].s.q);
        if (head && head->f->pts_us > t_us) t_us = head->f->pts_us;
    }
    return t_us;
}

enum together { NEVER, PERHAPS, NOW };

/* Whether there is a key frame of all when the last one began. */
static enum together together_at(struct packager *p, int64_t t_us)
{
    enum together all = NOW;
    for (unsigned i = 0; i < p->n_v; i++) {
        struct queue *q = &p->v[i].s.q;
        if (!queue_head(q)) continue;
        const struct item *key = key_near(q, t_us);
        const bool known = q->v[q->len - 1].f->pts_us > t_us + PACKAGER_KEY_SLACK_US;
        if (key && key->f->pts_us <= t_us + PACKAGER_KEY_SLACK_US) continue;
        if (known || key) return NEVER;
        all = PERHAPS;
    }
    return all;
}

/* Renditions that came one after another begin together when there is a key frame of all of them:
 * the first segment then has all. False: it is not known yet. */
static bool begin_together(struct packager *p, int64_t now_us, bool full)
{
    const int64_t t_us = latest_us(p), until = p->since_us + PACKAGER_WAIT_US;
    const enum together k = together_at(p, t_us);
    if (k == PERHAPS && now_us < until && !p->forced && !full) {
        packager_wait_until(p, until);
        return false;
    }
    for (unsigned i = 0; i < p->n_v && k == NOW; i++) {
        struct queue *q = &p->v[i].s.q;
        const struct item *key = key_near(q, t_us);
        while (key && queue_head(q) != key) queue_drop(p, q);
    }
    return true;
}

static const struct item *earliest(struct packager *p)
{
    const struct item *first = NULL;
    for (unsigned i = 0; i < p->n_v; i++) {
        const struct item *head = queue_head(&p->v[i].s.q);
        if (head && (!first || head->f->pts_us < first->f->pts_us)) first = head;
    }
    return first;
}

bool packager_step_wait(struct packager *p, int64_t now_us)
{
    const unsigned n_video = drop_before_keys(p);
    const bool audio = queue_head(&p->audio.q), full = packager_held_bytes(p) > PACKAGER_HOLD_BYTES;
    if (n_video == 0 && !audio) return false;
    const int64_t until = wait_until(p, n_video, audio);
    if (now_us < until && !p->forced && !full) {
        packager_wait_until(p, until);
        return false;
    }
    if (n_video && fps_wanted(p) && !p->forced && !full) {
        const int64_t measured = p->since_us + PACKAGER_WAIT_US;
        if (now_us < measured) {
            packager_wait_until(p, measured);
            return false;
        }
    }
    if (!p->switched && n_video > 1 && !begin_together(p, now_us, full)) return false;
    for (unsigned i = 0; i < p->n_v; i++)
        if (queue_head(&p->v[i].s.q)) source_set_fps(p, &p->v[i]);
    begin_period(p, earliest(p), audio);
    return true;
}

/* --- the end ------------------------------------------------------------------------------- */

int64_t packager_video_end_us(const struct packager *p)
{
    const int64_t step_us = segmenter_step_us(&p->cut);
    int64_t newest_us = INT64_MIN;
    for (unsigned i = 0; i < p->n_v; i++) {
        const struct packager_lane *l = &p->v[i].l;
        if (!l->used) continue;
        const int64_t us = packager_lane_us(l, l->n ? l->ticks[l->n - 1] : l->end);
        if (us > newest_us) newest_us = us;
    }
    return newest_us + (step_us ? step_us : 33 * US_PER_MS);
}

/* A picture is not stretched over a gap. */
void packager_end_video(struct packager *p, int64_t t_us, int64_t now_us)
{
    const int64_t end_us = packager_video_end_us(p);
    const bool gap = t_us - end_us > p->cut.target_us;
    int64_t close_us = gap ? end_us : t_us;
    bool begun = false;
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        if (!v->l.used) continue;
        begun = begun || packager_lane_begun(&v->l);
        /* The next period's shift may be another: decoding times must not overlap either. */
        const struct item *next = queue_head(&v->s.q);
        if (next && next->f->key && next->f->dts_us + v->l.shift_us < close_us)
            close_us = next->f->dts_us + v->l.shift_us;
    }
    const int64_t longest_us = p->cut.video.segment_us + p->cut.config.longest_us;
    if (close_us > longest_us) close_us = longest_us;
    if (begun) packager_cut_video(p, close_us);
    p->drain_us = t_us;
    packager_enter(p, DRAIN, now_us);
}

void packager_end_audio_only(struct packager *p, int64_t now_us)
{
    p->drain_us = INT64_MIN;
    packager_enter(p, DRAIN, now_us);
}

/* Audio stops: cuts that it has not reached, then the rest. */
static void end_period(struct packager *p, int64_t now_us)
{
    int64_t t_us;
    while (p->a.used && segmenter_take_cut(&p->cut, &t_us)) {
        packager_close_audio(p, packager_ticks(t_us, p->a.timescale));
    }
    const struct video *lead = packager_lead(p);
    const bool begun = packager_lane_begun(&p->a);
    if (p->a.used && (begun || (lead && p->a.msn < lead->l.msn))) {
        const uint64_t video_end =
            lead ? packager_lane_tick(&p->a, packager_lane_us(&lead->l, lead->l.end)) : 0;
        packager_close_audio(p, begun ? p->a.end : video_end);
    }
    p->switched = true;
    p->pending_break = false;
    packager_enter(p, WAIT, now_us);
}

bool packager_step_drain(struct packager *p, int64_t now_us)
{
    if (p->a.used && packager_step_audio(p, now_us)) return true;
    const int64_t until = p->since_us + PACKAGER_AUDIO_HOLD_US;
    if (p->a.used && !p->audio.lost && !queue_head(&p->audio.q) && now_us < until && !p->forced) {
        packager_wait_until(p, until);
        return false;
    }
    end_period(p, now_us);
    return true;
}
