/* SPDX-License-Identifier: MIT */
#include "serve/images/image_source.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "wire/fmp4_read.h"
#include <errno.h>
#include <unistd.h>

#define BACK_MAX    16          /* segments back to a key frame */
#define KEY_BYTES   (2u << 20)  /* read for a key picture: its part's beginning is enough */
#define EXACT_BYTES (32u << 20) /* a storyboard of exact times reads no more than this */
#define LATE_US     US_PER_SEC  /* durations are rounded up by those who show them */
#define TILES_FEW   50
#define TILES_LONG  (900 * US_PER_SEC)
#define TILE_SIDE   LIMIT_IMAGE_TILE

/* One rendition of pictures, as far as it may be read. */
struct view {
    const struct archive_rendition *r;
    uint64_t n;
    const struct file *file;
    const struct archive_init *inits;
    const struct log_snapshot *snap; /* NULL: finished */
    int64_t total_us;
};

/* --- which rendition --- */

static bool view_of(const struct image_source *s, unsigned i, struct view *v)
{
    const struct log_snapshot *snap = s->archive ? NULL : s->snap[i];
    if (!s->archive && !snap) return false;
    const struct archive_rendition *r = &(s->archive ? s->archive : snap->archive)->r[i];
    *v = (struct view){r,
                       snap ? snap->n_archived : r->n,
                       snap ? snap->file : r->file,
                       snap ? snap->inits : r->inits,
                       snap,
                       0};
    if (r->kind != MEDIA_VIDEO || !v->inits) return false;
    for (uint64_t k = 0; k < v->n; k++) v->total_us += archive_segment(r, k)->s.dur_us;
    return v->n > 0 || snap;
}

/* The smallest that is large enough, else the largest. */
static bool choose(const struct image_source *s, unsigned width, unsigned height, struct view *out)
{
    bool any = false, enough = false;
    unsigned best = 0;
    for (unsigned i = 0; i < s->n; i++) {
        struct view v;
        if (!view_of(s, i, &v)) continue;
        const unsigned w = v.inits->width, h = v.inits->height;
        const bool large = (width || height) && w >= width && h >= height;
        const bool better = !any || (enough ? large && h < best : large || h > best);
        if (!better) continue;
        *out = v;
        any = true;
        enough = large;
        best = h;
    }
    return any;
}

/* --- bytes --- */

static bool read_at(const struct file *f, uint64_t off, uint8_t *p, size_t n)
{
    while (n && f) {
        const ssize_t got = pread(f->fd, p, n, (off_t)off);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        p += got;
        n -= (size_t)got;
        off += (uint64_t)got;
    }
    return n == 0;
}

static void add(struct image_plan *plan, struct buf *b)
{
    plan->msgs = xrealloc(plan->msgs, (plan->n + 1) * sizeof *plan->msgs);
    plan->msgs[plan->n++] = b;
    plan->bytes += b->len;
}

static void add_str(struct image_plan *plan, struct str *s)
{
    add(plan, str_take_buf(s));
}

static enum err too_much(const char **problem)
{
    *problem = "That is too much video for one image.";
    return E_LIMIT;
}

static enum err broken(const char **problem)
{
    *problem = "The recording could not be read.";
    return E_IO;
}

/* --- pieces --- */

/* The beginning of a segment, far enough for its first picture. */
static size_t key_length(const struct view *v, const struct archive_segment *seg)
{
    uint8_t head[16];
    const size_t most = seg->len < KEY_BYTES ? seg->len : KEY_BYTES;
    uint64_t at = 0;
    for (int box = 0; box < 8 && at + 8 <= most; box++) { /* styp, sidx, moof, mdat */
        if (!read_at(v->file, seg->off + at, head, 8)) return most;
        const uint64_t size =
            (uint64_t)head[0] << 24 | (uint64_t)head[1] << 16 | (uint64_t)head[2] << 8 | head[3];
        if (size < 8) return most;
        at += size;
        if (!memcmp(head + 4, "mdat", 4)) return at < most ? (size_t)at : most;
    }
    return most;
}

static enum err add_key(const struct view *v, uint64_t i, unsigned repeat, struct image_plan *plan,
                        const char **problem)
{
    for (unsigned k = 0; k < BACK_MAX && i > 0 && !archive_segment(v->r, i)->s.independent; k++)
        i--;
    const struct archive_segment *seg = archive_segment(v->r, i);
    const struct archive_init *init = archive_init_find(v->inits, seg->s.init_id);
    const size_t len = key_length(v, seg);
    struct str head = {0};
    if (!init || !init->bytes) return broken(problem);
    if (plan->bytes + len > LIMIT_IMAGE_MEDIA_BYTES) return too_much(problem);
    image_msg_piece(NULL, repeat, buf_span(init->bytes), len, &head);
    add_str(plan, &head);
    struct buf *b = buf_new(len);
    const bool good = read_at(v->file, seg->off, b->data, len);
    add(plan, b);
    return good ? E_OK : broken(problem);
}

/* Whole segments, from the last one before `i` that begins with a key frame; `times` count from the
 * beginning of segment i, and are changed. */
static enum err add_exact(const struct view *v, uint64_t i, uint32_t *times, unsigned n,
                          struct image_plan *plan, const char **problem)
{
    uint64_t first = i;
    uint32_t before = 0;
    while (first > 0 && i - first < BACK_MAX && !archive_segment(v->r, first)->s.independent) {
        const struct archive_segment *prev = archive_segment(v->r, --first);
        before += (uint32_t)prev->s.dur_us;
    }
    const struct archive_init *init =
        archive_init_find(v->inits, archive_segment(v->r, first)->s.init_id);
    size_t len = 0, at = 0;
    if (!init || !init->bytes) return broken(problem);
    for (uint64_t k = first; k <= i; k++) len += archive_segment(v->r, k)->len;
    if (plan->bytes + len > LIMIT_IMAGE_MEDIA_BYTES) return too_much(problem);
    for (unsigned k = 0; k < n; k++) times[k] += before;
    struct str head = {0};
    image_msg_piece(times, n, buf_span(init->bytes), len, &head);
    add_str(plan, &head);
    struct buf *b = buf_new(len);
    bool good = true;
    for (uint64_t k = first; k <= i && good; k++) {
        const struct archive_segment *seg = archive_segment(v->r, k);
        good = read_at(v->file, seg->off, b->data + at, seg->len);
        at += seg->len;
    }
    add(plan, b);
    return good ? E_OK : broken(problem);
}

/* --- times --- */

/* The segment that is shown at `time`; *start is where it begins. A gap shows what was before. */
static uint64_t find(const struct view *v, int64_t time, int64_t *start)
{
    int64_t at = 0, shown_at = 0;
    uint64_t shown = 0;
    bool any = false;
    for (uint64_t i = 0; i < v->n; i++) {
        const struct archive_segment *seg = archive_segment(v->r, i);
        if (any && at > time) break;
        if (seg->len) shown = i, shown_at = at, any = true;
        at += seg->s.dur_us;
    }
    *start = shown_at;
    return shown;
}

static uint32_t within(int64_t time, int64_t start)
{
    return time <= start                   ? 0
           : time - start > UINT32_MAX / 2 ? UINT32_MAX / 2
                                           : (uint32_t)(time - start);
}

/* n pictures from `start` on, one each `step_us` (a quotient): those of a segment in one piece. */
static enum err add_times(const struct view *v, int64_t start, int64_t span_us, unsigned n,
                          bool exact, struct image_plan *plan, const char **problem)
{
    uint32_t times[LIMIT_IMAGE_FRAMES];
    unsigned have = 0;
    uint64_t current = 0;
    enum err e = n ? E_OK : E_INVALID;
    for (unsigned k = 0; k <= n && e == E_OK; k++) {
        const int64_t t = start + span_us / n * k + span_us % n * k / n;
        int64_t at = 0;
        const uint64_t i = k < n ? find(v, t, &at) : UINT64_MAX;
        if (have && i != current) {
            e = exact ? add_exact(v, current, times, have, plan, problem)
                      : add_key(v, current, have, plan, problem);
            have = 0;
        }
        current = i;
        if (k < n) times[have++] = within(t, at);
    }
    return e;
}

/* --- thumbnails --- */

static enum err no_such_time(const char **problem)
{
    *problem = "There is no picture of that time.";
    return E_INVALID;
}

static enum err not_yet(const char **problem)
{
    *problem = "There is no picture yet.";
    return E_CLOSED;
}

static enum err program_time(const struct view *v, int64_t wall_us, int64_t *out,
                             const char **problem)
{
    int64_t at = 0;
    for (uint64_t i = 0; i < v->n; i++) {
        const struct hls_segment *s = &archive_segment(v->r, i)->s;
        *out = at + wall_us - s->wall_us;
        if (wall_us >= s->wall_us && wall_us < s->wall_us + s->dur_us) return E_OK;
        at += s->dur_us;
    }
    return no_such_time(problem);
}

/* The newest key picture, from memory when it is there. */
static enum err add_latest(const struct view *v, struct image_plan *plan, const char **problem)
{
    const struct log_snapshot *s = v->snap;
    const unsigned n = s->n_segs + (s->open ? 1 : 0);
    for (unsigned k = 0; k < n; k++) {
        const struct log_segment *seg = s->open && k == 0 ? s->open : s->segs[n - 1 - k];
        const struct archive_init *init = archive_init_find(v->inits, seg->s.init_id);
        if (!seg->n_parts || !seg->s.independent || !init || !init->bytes) continue;
        const struct log_part *part = &seg->parts[0];
        struct buf *b = buf_ref(part->bytes ? part->bytes : seg->whole);
        if (!b && part->len && log_on_disk(s, seg)) {
            b = buf_new(part->len);
            if (!read_at(s->file, part->off, b->data, b->len)) buf_unref(b), b = NULL;
        }
        if (!b) continue;
        struct str head = {0};
        image_msg_piece(NULL, 1, buf_span(init->bytes), b->len, &head);
        add_str(plan, &head);
        add(plan, b);
        plan->msn = seg->s.msn;
        return E_OK;
    }
    return not_yet(problem);
}

static enum err add_thumbnail(const struct view *v, const struct image_params *p, int64_t usual_us,
                              struct image_plan *plan, const char **problem)
{
    int64_t time = p->time_us, at = 0;
    const bool said = time != IMAGE_NO_TIME || p->program_us != IMAGE_NO_TIME;
    enum err e = E_OK;
    *problem = "latest is for live streams.";
    if (p->latest && !v->snap) return E_INVALID;
    if (v->snap && (p->latest || !said)) return add_latest(v, plan, problem);
    if (!v->n) return not_yet(problem);
    if (!said)
        time = usual_us != IMAGE_NO_TIME && usual_us < v->total_us ? usual_us : v->total_us / 2;
    if (p->program_us != IMAGE_NO_TIME) e = program_time(v, p->program_us, &time, problem);
    if (e != E_OK) return e;
    if (time >= v->total_us + LATE_US) return no_such_time(problem);
    const uint64_t i = find(v, time, &at);
    uint32_t offset = within(time, at);
    return add_exact(v, i, &offset, 1, plan, problem);
}

/* --- the others --- */

static enum err add_animation(const struct view *v, const struct image_params *p,
                              struct image_want *want, struct image_plan *plan,
                              const char **problem)
{
    const int64_t usual = 5 * US_PER_SEC;
    int64_t start = p->start_us, end = p->end_us;
    if (!v->n) return not_yet(problem);
    if (start == IMAGE_NO_TIME)
        start = v->snap && end == IMAGE_NO_TIME && v->total_us > usual ? v->total_us - usual : 0;
    if (end == IMAGE_NO_TIME) end = start + usual;
    if (end > v->total_us) end = v->total_us;
    if (start >= end) return no_such_time(problem);
    const int64_t frames = (end - start) * p->fps / US_PER_SEC;
    want->frames = (uint16_t)(frames < 1                    ? 1
                              : frames > LIMIT_IMAGE_FRAMES ? LIMIT_IMAGE_FRAMES
                                                            : frames);
    if (!want->width && !want->height) want->width = 320;
    return add_times(v, start, end - start, want->frames, true, plan, problem);
}

/* 256 pixels on the long side, in the shape of the picture. */
static void shape_tiles(const struct view *v, struct image_tiles *t)
{
    const unsigned w = v->inits->width ? v->inits->width : 16;
    const unsigned h = v->inits->height ? v->inits->height : 9;
    const unsigned side = w > h ? TILE_SIDE * h / w : TILE_SIDE * w / h;
    const uint16_t other = (uint16_t)(side < 2 ? 2 : side & ~1u);
    t->width = w >= h ? TILE_SIDE : other;
    t->height = w >= h ? other : TILE_SIDE;
    t->duration_us = v->total_us;
    t->n = v->total_us < TILES_LONG ? TILES_FEW : IMAGE_TILES_MAX;
}

static enum err add_storyboard(const struct view *v, struct image_want *want,
                               struct image_plan *plan, const char **problem)
{
    const struct image_tiles *t = &plan->tiles;
    want->columns = IMAGE_COLUMNS;
    want->frames = (uint16_t)t->n;
    want->width = t->width;
    want->height = t->height;
    want->fit = IMAGE_PAD;
    return add_times(v, 0, t->duration_us, t->n, v->r->bytes <= EXACT_BYTES, plan, problem);
}

/* --- all --- */

static enum err make(const struct image_source *s, const struct image_params *p,
                     struct image_plan *plan, const char **problem)
{
    struct image_want want = {p->format, p->fit,    p->width, p->height,       p->rotate,
                              p->flip_h, p->flip_v, 0,        (uint8_t)p->fps, 1};
    const bool board = p->kind == IMAGE_STORYBOARD || p->kind == IMAGE_TILES;
    const bool turned = p->rotate % 180 != 0;
    const unsigned w = board ? TILE_SIDE : turned ? p->height : p->width;
    const unsigned h = board ? TILE_SIDE / 2 : turned ? p->width : p->height;
    struct view v;
    *problem = "There are no pictures in this stream.";
    if (!choose(s, w, h, &v)) return E_NOTFOUND;
    if (board && (v.snap || !v.total_us)) {
        *problem = "The storyboard is made when the recording has ended.";
        return E_CLOSED;
    }
    if (board) shape_tiles(&v, &plan->tiles);
    if (p->kind == IMAGE_TILES) return E_OK;
    struct str first = {0}, end = {0};
    add(plan, buf_new(0)); /* WANT, when it is known */
    const enum err e = p->kind == IMAGE_THUMBNAIL ? add_thumbnail(&v, p, s->usual_us, plan, problem)
                       : p->kind == IMAGE_ANIMATED ? add_animation(&v, p, &want, plan, problem)
                                                   : add_storyboard(&v, &want, plan, problem);
    if (e != E_OK) return e;
    image_msg_want(&want, &first);
    buf_unref(plan->msgs[0]);
    plan->msgs[0] = str_take_buf(&first);
    image_msg_head(IMAGE_MSG_END, 0, &end);
    add_str(plan, &end);
    return E_OK;
}

enum err image_plan_make(const struct image_source *s, const struct image_params *p,
                         struct image_plan *out, const char **problem)
{
    struct image_plan plan = {0};
    const enum err e = make(s, p, &plan, problem);
    if (e == E_OK)
        *out = plan;
    else
        image_plan_fini(&plan);
    return e;
}

void image_plan_fini(struct image_plan *p)
{
    for (unsigned i = 0; i < p->n; i++) buf_unref(p->msgs[i]);
    free(p->msgs);
    *p = (struct image_plan){0};
}
