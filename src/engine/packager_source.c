/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/packager_priv.h"

void queue_push(struct queue *q, struct frame *f, struct track *t, int64_t now_us)
{
    if (q->head == q->len) q->head = q->len = 0;
    if (q->len == q->cap && q->head > q->cap / 2) {
        memmove(q->v, q->v + q->head, (q->len - q->head) * sizeof *q->v);
        q->len -= q->head;
        q->head = 0;
    }
    if (q->len == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 64;
        q->v = xrealloc(q->v, q->cap * sizeof *q->v);
    }
    q->v[q->len++] = (struct item){frame_ref(f), track_ref(t), now_us};
    q->bytes += f->len;
}

struct item *queue_head(struct queue *q)
{
    return q->head < q->len ? &q->v[q->head] : NULL;
}

struct frame *queue_take(struct queue *q)
{
    struct item *i = &q->v[q->head++];
    q->bytes -= i->f->len;
    track_unref(i->t);
    return i->f;
}

void queue_drop(struct packager *p, struct queue *q)
{
    frame_unref(queue_take(q));
    p->dropped++;
}

void source_fini(struct packager *p, struct source *s)
{
    while (queue_head(&s->q)) queue_drop(p, &s->q);
    free(s->q.v);
    track_unref(s->given);
    track_unref(s->track);
    *s = (struct source){0};
}

size_t packager_held_bytes(const struct packager *p)
{
    size_t n = p->audio.q.bytes;
    for (unsigned i = 0; i < p->n_v; i++) n += p->v[i].s.q.bytes;
    return n;
}

/* --- frame rate ------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Browsers begin unsteadily, and timestamps are in milliseconds: what is near a rate that cameras
 * have is that rate, and what is near a whole number that number. */
static uint32_t usual_rate(uint32_t milli)
{
    static const uint32_t USUAL[] = {24000, 25000, 30000, 50000, 60000};
    for (size_t i = 0; i < sizeof USUAL / sizeof *USUAL; i++) {
        const uint32_t off = milli > USUAL[i] ? milli - USUAL[i] : USUAL[i] - milli;
        if (off * 50 <= USUAL[i]) return USUAL[i];
    }
    for (size_t i = 2; i < sizeof USUAL / sizeof *USUAL; i++) {
        const uint32_t off = milli > USUAL[i] ? milli - USUAL[i] : USUAL[i] - milli;
        if (off * 20 <= USUAL[i]) return USUAL[i];
    }
    const uint32_t whole = (milli + 500) / 1000 * 1000;
    const uint32_t off = milli > whole ? milli - whole : whole - milli;
    return off * 50 <= whole ? whole : milli;
}

/* Frames a second of those at the head that have the same track, 0: too few. Steps that are far
 * from the middle one tell of frames that are missing, or of a clock that stumbles. */
static uint32_t measure_fps(const struct queue *q)
{
    const struct track *t = q->v[q->head].t;
    int64_t steps[64], sum_us = 0;
    unsigned n = 0, counted = 0;
    for (unsigned i = q->head + 1; i < q->len && q->v[i].t == t && n < 64; i++) {
        const int64_t step_us = q->v[i].f->dts_us - q->v[i - 1].f->dts_us;
        if (step_us > 0) steps[n++] = step_us;
    }
    if (n == 0) return 0;
    qsort(steps, n, sizeof *steps, by_value);
    const int64_t middle_us = steps[(n - 1) / 2];
    for (unsigned i = 0; i < n; i++) {
        if (steps[i] * 4 < middle_us * 3 || steps[i] * 4 > middle_us * 5 + 8 * US_PER_MS) continue;
        sum_us += steps[i];
        counted++;
    }
    if (sum_us == 0) return 0;
    return usual_rate((uint32_t)(counted * INT64_C(1000) * US_PER_SEC / sum_us));
}

/* A source that changes its size in the middle keeps its rate; waiting to measure it again would
 * only be a pause for those who watch. */
static uint32_t rate_before(const struct packager *p, const struct video *v, const struct track *t)
{
    const struct track *old = v->l.track;
    if (!old || old->codec != t->codec) return 0;
    return p->switched || packager_same_init(old, t) ? old->fps_milli : 0;
}

/* Renditions of one picture have one rate. An encoder that is short of bits leaves pictures out of
 * some, so the highest is right. */
static uint32_t measure_all(const struct packager *p)
{
    uint32_t most = 0;
    for (unsigned i = 0; i < p->n_v; i++) {
        const struct video *v = &p->v[i];
        uint32_t fps = v->l.used ? v->l.track->fps_milli : 0;
        if (!fps && v->s.q.head < v->s.q.len) {
            const struct track *t = v->s.q.v[v->s.q.head].t;
            fps = t->fps_milli ? t->fps_milli : measure_fps(&v->s.q);
        }
        if (fps > most) most = fps;
    }
    return most;
}

/* Whether a part's worth of pictures should be held to measure: it costs no time, because nothing
 * comes out before the first part is full. */
bool source_fps_wanted(const struct packager *p, const struct video *v)
{
    const struct queue *q = &v->s.q;
    const struct item *i = &q->v[q->head];
    const int64_t span_us = q->v[q->len - 1].f->dts_us - i->f->dts_us;
    const bool known = i->t->fps_milli || rate_before(p, v, i->t) ||
                       (v->l.track && packager_same_init(v->l.track, i->t));
    return !known && span_us < p->cut.config.part_us;
}

void source_set_fps(const struct packager *p, struct video *v)
{
    struct queue *q = &v->s.q;
    struct track *old = q->v[q->head].t;
    uint32_t fps = old->fps_milli ? 0 : rate_before(p, v, old);
    if (fps == 0 && !old->fps_milli) fps = measure_all(p);
    if (fps == 0) return;
    struct track *t = track_copy(old);
    t->fps_milli = fps;
    track_ref(old);
    for (unsigned i = q->head; i < q->len && q->v[i].t == old; i++) {
        track_unref(q->v[i].t);
        q->v[i].t = track_ref(t);
    }
    if (v->s.track == old) {
        track_unref(old);
        v->s.track = track_ref(t);
    }
    track_unref(old);
    track_unref(t);
}
