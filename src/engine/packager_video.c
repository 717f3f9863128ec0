/* SPDX-License-Identifier: MIT */
/* Pictures. The renditions show the same thing at the same time, so their frames are placed
 * together, in the order of time, and their segments end together: at a picture of which every
 * rendition has a key frame. A rendition that sends nothing is waited for shortly, and then left
 * behind: its segments become gaps, until it has a key frame where the others are cut. */
#include "base/clock.h"
#include "engine/packager_priv.h"

/* Frames of one picture: their clocks were aligned to about a millisecond. */
#define PICTURE_SLACK_US (10 * US_PER_MS)
/* Renditions whose key frames never meet are cut at those of the first one after so many times the
 * usual length of a segment. */
#define OVERDUE 2
/* How far pictures may be decoded before they are shown, to bridge holes. */
#define AHEAD_US (2 * US_PER_SEC)
/* A rendition that stopped for longer has a gap. */
#define HOLE_US (2 * PACKAGER_KEY_SLACK_US)

struct picture {
    int64_t t_us;
    unsigned set; /* a bit for each rendition whose frame it is */
    bool late;    /* behind those that were placed */
    bool key;     /* segments may begin with it */
};

static bool in(const struct picture *pic, unsigned i)
{
    return pic->set >> i & 1;
}

/* When a frame is shown. */
static int64_t shown_us(const struct video *v, const struct item *i)
{
    return v->l.used ? i->f->dts_us + v->l.shift_us : i->f->pts_us;
}

static int64_t head_us(struct video *v)
{
    const struct item *i = queue_head(&v->s.q);
    return i ? shown_us(v, i) : INT64_MAX;
}

/* --- what belongs together ---------------------------------------------------------------- */

/* Frames that nothing can be done with: not decodable, or of a segment that has ended. */
static bool drop_useless(struct packager *p)
{
    bool any = false;
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        const struct item *head;
        while ((head = queue_head(&v->s.q))) {
            const bool decodable = head->f->key || (v->l.used && head->t == v->l.track);
            const bool past = v->l.used && p->n_v > 1 && p->cut.video.open &&
                              shown_us(v, head) < p->cut.video.segment_us - PACKAGER_KEY_SLACK_US;
            if (decodable && !past) break;
            queue_drop(p, &v->s.q);
            any = true;
        }
    }
    return any;
}

/* The frame that is shown next; INT64_MAX: none. */
static int64_t earliest_us(struct packager *p, int64_t *pushed_us)
{
    int64_t t_us = INT64_MAX;
    for (unsigned i = 0; i < p->n_v; i++) {
        const int64_t us = head_us(&p->v[i]);
        if (us >= t_us) continue;
        t_us = us;
        *pushed_us = queue_head(&p->v[i].s.q)->pushed_us;
    }
    return t_us;
}

/* Whether a frame of every rendition is there, as far as there is one. */
static bool all_there(struct packager *p, int64_t pushed_us, int64_t now_us)
{
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        if (!v->l.used || v->late || queue_head(&v->s.q)) continue;
        const int64_t until = pushed_us + PACKAGER_PICTURE_HOLD_US;
        const bool full = packager_held_bytes(p) > PACKAGER_HOLD_BYTES;
        if (now_us < until && !p->forced && !full && v->s.given) {
            packager_wait_until(p, until);
            return false;
        }
        v->late = true;
    }
    return true;
}

bool packager_video_waits(struct packager *p)
{
    for (unsigned i = 0; i < p->n_v; i++)
        if (queue_head(&p->v[i].s.q)) return true;
    return false;
}

static int64_t slack_us(const struct packager *p)
{
    const int64_t most = segmenter_step_us(&p->cut) * 2 / 5;
    return most > 0 && most < PICTURE_SLACK_US ? most : PICTURE_SLACK_US;
}

/* Every rendition that is in time has a key frame here, or right after. */
static bool all_keys(struct packager *p, const struct picture *pic)
{
    bool any = false;
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        if (!v->l.used || (v->late && !in(pic, i))) continue;
        const bool near = in(pic, i) || head_us(v) <= pic->t_us + PACKAGER_KEY_SLACK_US;
        if (!near || !queue_head(&v->s.q)->f->key) return false;
        any = any || in(pic, i);
    }
    return any;
}

static bool overdue(struct packager *p, const struct picture *pic)
{
    const int64_t since_us = pic->t_us - p->cut.video.segment_us;
    if (!p->cut.video.open || since_us < OVERDUE * p->cut.config.segment_us) return false;
    for (unsigned i = 0; i < p->n_v; i++)
        if (p->v[i].l.used && !p->v[i].late) return in(pic, i) && queue_head(&p->v[i].s.q)->f->key;
    return false;
}

static bool next_picture(struct packager *p, int64_t now_us, struct picture *pic)
{
    int64_t pushed_us = 0;
    const int64_t t_us = earliest_us(p, &pushed_us);
    if (t_us == INT64_MAX || !all_there(p, pushed_us, now_us)) return false;
    *pic = (struct picture){.t_us = t_us};
    pic->late = p->n_v > 1 && p->cut.video.open && t_us < p->cut.video.last_us;
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        const int64_t us = head_us(v);
        if (us == INT64_MAX || us - t_us > slack_us(p)) continue;
        pic->set |= 1u << i;
        if (!pic->late) v->late = false;
    }
    if (!pic->late) pic->key = all_keys(p, pic) || overdue(p, pic);
    return true;
}

/* --- parts and segments ------------------------------------------------------------------- */

int64_t packager_end_part(struct packager *p, struct packager_lane *l, uint64_t tick,
                          int64_t step_us)
{
    const int64_t t_us = packager_lane_us(l, tick);
    if (packager_lane_fit_part(l, &p->events, tick, p->cut.target_us)) {
        const int64_t began_us = packager_lane_us(l, l->ticks[0]);
        if (t_us + step_us - began_us <= p->cut.target_us) return began_us;
    }
    packager_lane_close_part(l, &p->events, tick, false);
    return t_us;
}

bool packager_part_full(const struct packager_lane *l, const struct frame *f)
{
    return l->n >= PACKAGER_PART_FRAMES_MAX ||
           (l->n > 0 && l->bytes + f->len > PACKAGER_PART_BYTES_MAX);
}

void packager_keep_step(struct packager *p, struct packager_lane *other,
                        const struct packager_lane *lead)
{
    if (!other->existed) {
        other->msn = lead->msn;
        return;
    }
    if (other->msn >= lead->msn) return;
    const int64_t start_us = packager_lane_us(lead, lead->segment_tfdt);
    const int64_t end_us = packager_lane_us(lead, lead->end);
    const uint64_t start = packager_lane_tick(other, start_us);
    const int64_t stopped_us = packager_lane_us(other, other->end);
    const bool goes_on = /* it stopped within this period: there is no hole before its gap */
        p->start_us != INT64_MIN && stopped_us > p->start_us &&
        end_us - stopped_us <= p->cut.config.longest_us;
    if (start > other->end && !goes_on) other->end = start;
    while (other->msn < lead->msn) {
        packager_lane_close_segment(other, &p->events, packager_lane_tick(other, end_us));
    }
}

/* The last picture of who has stopped is not stretched: the gap begins behind it. */
static int64_t own_end_us(const struct packager *p, const struct video *v, int64_t t_us)
{
    const int64_t last_us = packager_lane_us(&v->l, v->l.ticks[v->l.n - 1]);
    const int64_t end_us = last_us + segmenter_step_us(&p->cut);
    return end_us < t_us ? end_us : t_us;
}

static void close_segment(struct packager *p, struct video *v, int64_t t_us)
{
    if (v->late && v->l.n > 0) t_us = own_end_us(p, v, t_us);
    const uint64_t tick = packager_lane_tick(&v->l, t_us);
    (void)packager_lane_fit_part(&v->l, &p->events, tick, p->cut.target_us);
    packager_lane_close_segment(&v->l, &p->events, tick);
}

void packager_cut_video(struct packager *p, int64_t t_us)
{
    const struct packager_lane *lead = NULL;
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        if (!v->l.used) continue;
        if (!lead || packager_lane_begun(&v->l)) lead = &v->l;
        close_segment(p, v, t_us);
    }
    for (unsigned i = 0; i < p->n_v; i++) packager_keep_step(p, &p->v[i].l, lead);
    if (!p->a.used) packager_keep_step(p, &p->a, lead);
}

/* Who has nothing to begin the new segment with is out, until it has a key frame for one. Who is
 * some pictures behind shows its first one a little early: a player that changes to it finds no
 * hole. */
static void leave_behind(struct packager *p, const struct picture *pic)
{
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        if (!v->l.used || in(pic, i)) continue;
        v->l.used = head_us(v) <= pic->t_us + PACKAGER_KEY_SLACK_US;
        v->pulled = v->l.used;
        v->pull_us = pic->t_us;
    }
}

/* --- placing ------------------------------------------------------------------------------- */

/* False: it cannot join now; the frame is of no use. */
static bool may_join(struct packager *p, struct video *v, const struct item *i)
{
    const int64_t off_us = shown_us(v, i) - p->cut.video.segment_us;
    if (v->l.existed && !packager_same_init(v->l.track, i->t)) {
        p->pending_break = true; /* what decodes it is new: so is the period */
        return false;
    }
    /* Between its end and here there is no gap to be told of: that will be this segment. */
    if (v->l.existed && packager_lane_us(&v->l, v->l.end) < shown_us(v, i) - HOLE_US) return false;
    return p->cut.video.open && off_us >= -PACKAGER_KEY_SLACK_US && off_us <= PACKAGER_KEY_SLACK_US;
}

/* Where pictures are missing for longer than a part may last, the next one is decoded where the
 * part has to end, and shown when it should be; those behind it catch up. */
static int64_t decoded_us(const struct packager *p, const struct video *v, int64_t t_us)
{
    const int64_t limit_us = v->part_us + p->cut.target_us;
    if (v->l.n == 0 || t_us <= limit_us) return t_us;
    return limit_us > t_us - AHEAD_US ? limit_us : t_us - AHEAD_US;
}

/* A part is as full as it may get, and not less than it must be. */
static bool part_ends(const struct packager *p, const struct video *v, int64_t t_us)
{
    const int64_t lasts_us = t_us - v->part_us, step_us = segmenter_step_us(&p->cut);
    return lasts_us * 100 >= p->cut.target_us * SEGMENTER_PART_MIN_PERCENT &&
           lasts_us + step_us > p->cut.target_us;
}

/* A segment that ended here would end with a part that is too long. */
static bool after_hole(struct packager *p, const struct picture *pic)
{
    if (!p->cut.video.open || !p->cut.video.independent ||
        pic->t_us - p->cut.video.segment_us > (OVERDUE + 1) * p->cut.config.segment_us)
        return false;
    for (unsigned i = 0; i < p->n_v; i++) {
        const struct video *v = &p->v[i];
        if (v->l.used && !v->late && v->l.n > 0 && pic->t_us > v->part_us + p->cut.target_us)
            return true;
    }
    return false;
}

/* Who comes back begins where its rendition ended, though its picture be shown later. */
static int64_t without_hole(const struct packager_lane *l, int64_t t_us)
{
    const int64_t end_us = packager_lane_us(l, l->end);
    return t_us > end_us && t_us - end_us <= HOLE_US ? end_us : t_us;
}

static void place(struct packager *p, struct video *v, int64_t t_us)
{
    bool returns = false;
    if (!v->l.used) {
        if (!may_join(p, v, queue_head(&v->s.q))) {
            queue_drop(p, &v->s.q);
            return;
        }
        returns = v->l.existed;
        source_set_fps(p, v);
        packager_join(p, v, queue_head(&v->s.q), p->cut.video.segment_us);
    }
    if (v->pulled) t_us = v->pull_us;
    v->pulled = false;
    if (returns) t_us = without_hole(&v->l, t_us);
    const int64_t snap_us = t_us - shown_us(v, queue_head(&v->s.q));
    struct packager_lane *l = &v->l;
    struct frame *f = queue_take(&v->s.q);
    t_us = decoded_us(p, v, t_us);
    const uint64_t tick = packager_lane_tick(l, t_us);
    if (l->n > 0 && (part_ends(p, v, t_us) || packager_part_full(l, f)))
        packager_lane_close_part(l, &p->events, tick, false);
    if (l->n == 0) v->part_us = t_us;
    const int64_t pts = (int64_t)packager_ticks(f->pts_us + snap_us, l->timescale);
    packager_lane_add(l, f, tick, pts - (int64_t)tick);
}

/* The picture belongs to the next period, and can begin it: at *t_us. */
static bool breaks(struct packager *p, const struct picture *pic, int64_t *t_us)
{
    for (unsigned i = 0; i < p->n_v; i++) {
        struct video *v = &p->v[i];
        const struct item *head = queue_head(&v->s.q);
        if (!in(pic, i) || !head->f->key) continue;
        *t_us = head->f->pts_us;
        if (!packager_has_video(p) || (v->l.used && head->t != v->l.track)) return true;
        if (pic->key && p->cut.video.open && (head->f->discontinuity || p->pending_break))
            return true;
    }
    return false;
}

/* Time has jumped in a rendition: the next key frame begins a period. */
static void note_jumps(struct packager *p, const struct picture *pic)
{
    for (unsigned i = 0; i < p->n_v; i++)
        if (in(pic, i) && p->cut.video.open && queue_head(&p->v[i].s.q)->f->discontinuity)
            p->pending_break = true;
}

bool packager_step_video(struct packager *p, int64_t now_us)
{
    struct picture pic;
    const bool has_video = packager_has_video(p);
    if (drop_useless(p)) return true;
    if (!next_picture(p, now_us, &pic)) return false;
    int64_t break_us = 0;
    if (breaks(p, &pic, &break_us)) {
        /* Alone, audio ends where the picture begins. */
        p->drain_us = break_us;
        if (has_video)
            packager_end_video(p, break_us, now_us);
        else
            packager_enter(p, DRAIN, now_us);
        return true;
    }
    note_jumps(p, &pic);
    pic.key = pic.key && !after_hole(p, &pic);
    const enum seg_cut cut = pic.late ? SEG_NONE : segmenter_video(&p->cut, pic.t_us, pic.key);
    if (cut == SEG_BREAK) {
        packager_end_video(p, p->cut.video.segment_us + p->cut.config.longest_us, now_us);
        return true;
    }
    if (cut == SEG_SEGMENT && pic.key && packager_audio_lost(p, pic.t_us)) {
        p->audio.lost = true;
        packager_end_video(p, pic.t_us, now_us);
        return true;
    }
    if (cut == SEG_SEGMENT) {
        packager_cut_video(p, pic.t_us);
        leave_behind(p, &pic);
    }
    for (unsigned i = 0; i < p->n_v; i++)
        if (in(&pic, i)) place(p, &p->v[i], pic.t_us);
    return true;
}
