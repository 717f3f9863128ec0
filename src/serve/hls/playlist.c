/* SPDX-License-Identifier: MIT */
#include "serve/hls/playlist.h"
#include "base/clock.h"
#include "wire/lang_tag.h"
#include <stdio.h>
#include <stdlib.h>

/* --- from the start of a running stream --------------------------------------------------------
 */

/* The segments of an EVENT playlist: those of the archive, then those of the window that are not on
 * disk yet. */
struct event {
    const struct log_snapshot *s;
    const struct archive_rendition *r;
    uint64_t first_msn;
    uint64_t n;        /* in all */
    uint64_t archived; /* the first so many are the archive's */
};

static struct event event_of(const struct log_snapshot *s)
{
    struct event e = {.s = s, .r = &s->archive->r[s->rendition], .archived = s->n_archived};
    const uint64_t window = s->n_segs ? s->segs[0]->s.msn : s->edge.open_msn;
    e.first_msn = s->n_archived ? e.r->first_msn : window;
    e.n = s->n_archived;
    /* When recording has stopped on the way, what comes later is not part of the recording. */
    if (!s->archive_ended || s->edge.ended) e.n = s->edge.open_msn - e.first_msn;
    if (e.n < e.archived) e.n = e.archived;
    return e;
}

static const struct hls_segment *event_segment(const struct event *e, uint64_t i,
                                               const struct log_segment **live)
{
    *live = log_find(e->s, e->first_msn + i);
    if (i < e->archived) return &archive_segment(e->r, i)->s;
    return *live ? &(*live)->s : NULL;
}

struct event_plan {
    uint64_t skipped, with_parts;
    bool independent;
};

static void event_plan(const struct event *e, struct event_plan *p)
{
    const int64_t target_us = e->s->edge.target_s * US_PER_SEC;
    const struct log_segment *live;
    int64_t age = log_open_us(e->s->open);
    *p = (struct event_plan){.with_parts = e->n, .independent = true};
    for (uint64_t i = e->n; i-- > 0;) {
        const struct hls_segment *seg = event_segment(e, i, &live);
        if (!seg) continue;
        if (age < HLS_PART_TARGETS * target_us) p->with_parts = i;
        if (age >= HLS_SKIP_TARGETS * target_us && !p->skipped) p->skipped = i + 1;
        age += seg->dur_us;
        if (!seg->independent && !seg->gap) p->independent = false;
    }
    if (e->s->open && !e->s->open->s.independent) p->independent = false;
}

static void add_event_segment(struct hls_writer *w, const struct event *e, uint64_t i,
                              bool with_parts)
{
    struct hls_part parts[LIMIT_RECORD_SEGMENT_PARTS];
    const struct log_segment *live;
    const struct hls_segment *seg = event_segment(e, i, &live);
    unsigned n = 0;
    if (!seg) return;
    if (live && with_parts)
        for (; n < live->n_parts; n++) parts[n] = live->parts[n].p;
    hls_add_segment(w, seg, parts, n);
}

static void add_reports(struct hls_writer *w, struct log_snapshot *const *all, unsigned n,
                        unsigned self)
{
    for (unsigned i = 0; i < n; i++) {
        const struct hls_edge *e = all[i] ? &all[i]->edge : NULL;
        if (!e || i == self || (!e->open_parts && !e->open_msn)) continue;
        hls_add_report(w, all[i]->archive->r[i].name, e->open_parts ? e->open_msn : e->open_msn - 1,
                       e->open_parts   ? e->open_parts - 1
                       : e->last_parts ? e->last_parts - 1
                                       : 0);
    }
}

bool playlist_event(struct log_snapshot *const *all, unsigned n, unsigned self, bool delta,
                    struct str *out)
{
    const struct log_snapshot *s = all[self];
    const struct event e = event_of(s);
    const bool ended = s->edge.ended || s->archive_ended;
    const struct log_segment *live;
    struct event_plan plan;
    event_plan(&e, &plan);
    if (delta && (!plan.skipped || ended)) return false;
    const uint64_t skip = delta ? plan.skipped : 0;
    const struct hls_segment *first = e.n       ? event_segment(&e, 0, &live)
                                      : s->open ? &s->open->s
                                                : NULL;
    const struct hls_header h = {
        .name = e.r->name,
        .type = M3U8_EVENT,
        .target_s = s->edge.target_s,
        .part_target_us = s->edge.part_target_us,
        .first_msn = e.first_msn,
        .first_dsn = first ? hls_first_dsn(first) : 0,
        .independent_segments = plan.independent,
        .ended = ended,
        .skipped = skip,
    };
    struct hls_writer w = hls_begin(out, &h, skip ? event_segment(&e, skip - 1, &live) : NULL);
    for (uint64_t i = skip; i < e.n; i++)
        add_event_segment(&w, &e, i, i >= plan.with_parts && !ended);
    if (ended) {
        hls_add_end(&w);
        return true;
    }
    if (s->open) {
        struct hls_part parts[LIMIT_RECORD_SEGMENT_PARTS];
        for (unsigned i = 0; i < s->open->n_parts; i++) parts[i] = s->open->parts[i].p;
        hls_add_open(&w, &s->open->s, parts, s->open->n_parts);
    }
    hls_add_hint(&w, s->edge.open_msn, s->edge.open_parts);
    add_reports(&w, all, n, self);
    return true;
}

/* --- finished ----------------------------------------------------------------------------------
 */

bool playlist_archive(const struct archive *a, unsigned rendition, enum m3u8_type type,
                      struct str *out)
{
    const struct archive_rendition *r = &a->r[rendition];
    int64_t target_s = 1;
    if (!r->n) return false;
    for (uint64_t i = 0; i < r->n; i++) {
        const int64_t s = (archive_segment(r, i)->s.dur_us + 500000) / US_PER_SEC;
        if (s > target_s) target_s = s;
    }
    const struct hls_segment *first = &archive_segment(r, 0)->s;
    const struct hls_header h = {
        .name = r->name,
        .type = type,
        .target_s = type == M3U8_VOD ? target_s : a->target_s,
        .first_msn = r->first_msn,
        .first_dsn = hls_first_dsn(first),
        .independent_segments = r->all_independent,
        .ended = true,
    };
    struct hls_writer w = hls_begin(out, &h, NULL);
    for (uint64_t i = 0; i < r->n; i++) hls_add_segment(&w, &archive_segment(r, i)->s, NULL, 0);
    hls_add_end(&w);
    return true;
}

/* --- clips ------------------------------------------------------------------------------------
 */

/* The segments of a rendition, wherever they are. */
struct source {
    const struct event *event;               /* of a running stream, or */
    const struct archive_rendition *archive; /* of a finished one */
    const char *name;
    uint64_t n;
    int64_t target_s;
    bool ended;
    bool moves; /* nothing is recorded: the first one is lost some day */
};

static struct source source_archive(const struct archive *a, unsigned rendition)
{
    const struct archive_rendition *r = &a->r[rendition];
    return (struct source){
        .archive = r, .name = r->name, .n = r->n, .target_s = a->target_s, .ended = true};
}

static struct source source_live(const struct event *e)
{
    return (struct source){.event = e,
                           .name = e->r->name,
                           .n = e->n,
                           .target_s = e->s->edge.target_s,
                           .ended = e->s->edge.ended || e->s->archive_ended,
                           .moves = !e->s->file};
}

static const struct hls_segment *source_segment(const struct source *s, uint64_t i)
{
    const struct log_segment *live;
    return s->event ? event_segment(s->event, i, &live) : &archive_segment(s->archive, i)->s;
}

struct clip {
    uint64_t first, end; /* indices */
    int64_t longest_us;
    bool any, independent;
    bool over; /* there are segments behind it */
};

static struct clip find_clip(const struct source *s, const struct hls_view *v)
{
    struct clip c = {.independent = true};
    int64_t at = 0;
    for (uint64_t i = 0; i < s->n && !c.over; i++) {
        const struct hls_segment *seg = source_segment(s, i);
        if (!seg) continue;
        c.over = hls_view_over(v, at, seg->wall_us);
        if (hls_view_has(v, at, seg->wall_us, seg->dur_us)) {
            if (!c.any) c.first = i;
            c.any = true;
            c.end = i + 1;
            if (seg->dur_us > c.longest_us) c.longest_us = seg->dur_us;
            c.independent = c.independent && (seg->independent || seg->gap);
        }
        at += seg->dur_us;
    }
    return c;
}

static bool clip_write(const struct source *s, const struct hls_view *v, struct str *out)
{
    const struct clip c = find_clip(s, v);
    if (!c.any) return false;
    const bool done = s->ended || c.over;
    const struct hls_segment *first = source_segment(s, c.first);
    const int64_t exact_s = (c.longest_us + 500000) / US_PER_SEC;
    const struct hls_header h = {
        .name = s->name,
        .type = done ? M3U8_VOD : M3U8_EVENT,
        .target_s = !done     ? s->target_s
                    : exact_s ? exact_s
                              : 1,
        .first_msn =
            s->moves ? first->msn : 0, /* it is a whole, beginning with its first segment */
        .first_dsn = hls_first_dsn(first),
        .independent_segments = c.independent,
        .ended = done,
    };
    struct hls_writer w = hls_begin(out, &h, NULL);
    for (uint64_t i = c.first; i < c.end; i++) {
        const struct hls_segment *seg = source_segment(s, i);
        if (seg) hls_add_segment(&w, seg, NULL, 0);
    }
    if (done) hls_add_end(&w);
    return true;
}

bool playlist_clip_archive_range(const struct archive *a, unsigned rendition,
                                 const struct hls_view *v, uint64_t *first, uint64_t *end)
{
    const struct source s = source_archive(a, rendition);
    const struct clip c = find_clip(&s, v);
    *first = c.first;
    *end = c.end;
    return c.any;
}

static bool clip_has(const struct source *s, const struct hls_view *v, uint64_t msn)
{
    int64_t at = 0;
    for (uint64_t i = 0; i < s->n; i++) {
        const struct hls_segment *seg = source_segment(s, i);
        if (!seg) continue;
        if (seg->msn == msn) return hls_view_has(v, at, seg->wall_us, seg->dur_us);
        at += seg->dur_us;
    }
    return false;
}

bool playlist_clip_live(const struct log_snapshot *s, const struct hls_view *v, struct str *out)
{
    const struct event e = event_of(s);
    const struct source src = source_live(&e);
    return clip_write(&src, v, out);
}

bool playlist_clip_archive(const struct archive *a, unsigned rendition, const struct hls_view *v,
                           struct str *out)
{
    const struct source src = source_archive(a, rendition);
    return clip_write(&src, v, out);
}

bool playlist_clip_live_has(const struct log_snapshot *s, const struct hls_view *v, uint64_t msn)
{
    const struct event e = event_of(s);
    const struct source src = source_live(&e);
    return clip_has(&src, v, msn);
}

bool playlist_clip_archive_has(const struct archive *a, unsigned rendition,
                               const struct hls_view *v, uint64_t msn)
{
    const struct source src = source_archive(a, rendition);
    return clip_has(&src, v, msn);
}

/* --- multivariant ------------------------------------------------------------------------------
 */

#define STOPPED_PARTS 3 /* that others have of a segment of which one has none */

#define URI_CAP    320
#define CODECS_CAP 256

struct multi {
    struct hls_variant video[LIMIT_RECORD_RENDITIONS], audio;
    char uris[LIMIT_RECORD_RENDITIONS][URI_CAP];
    char codecs[LIMIT_RECORD_RENDITIONS][CODECS_CAP];
    unsigned n_uris, n_video;
    bool has_audio, independent;
    const struct hls_subtitles *texts;
    unsigned n_texts;
};

/* Every codec that the rendition has had, once each, newest first. */
static void join_codecs(const struct archive_init *list, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = 0;
    for (const struct archive_init *it = list; it; it = it->older) {
        bool there = false;
        for (const struct archive_init *b = list; b != it; b = b->older)
            there = there || !strcmp(b->codecs, it->codecs);
        if (there || len + strlen(it->codecs) + 2 > cap) continue;
        len += (size_t)snprintf(out + len, cap - len, "%s%s", len ? "," : "", it->codecs);
    }
}

static void multi_add(struct multi *m, const struct archive_rendition *r,
                      const struct archive_init *inits, uint64_t peak, uint64_t average,
                      const char *id, const char *path, const char *suffix)
{
    char *uri = m->uris[m->n_uris], *codecs = m->codecs[m->n_uris];
    if (!inits) return;
    m->n_uris++;
    snprintf(uri, URI_CAP, "%s/%s/%s%s.m3u8", id, path, r->name, suffix);
    join_codecs(inits, codecs, CODECS_CAP);
    struct hls_variant v = {.uri = uri, .codecs = codecs, .peak = peak, .average = average};
    if (r->kind == MEDIA_AUDIO) {
        v.channels = inits->channels;
        m->audio = v;
        m->has_audio = true;
        return;
    }
    v.width = inits->width;
    v.height = inits->height;
    v.fps_milli = inits->fps_milli;
    m->video[m->n_video++] = v;
}

/* The largest first: players begin with the first one. */
static int by_size(const void *a, const void *b)
{
    const struct hls_variant *x = a, *y = b;
    const unsigned long long p = (unsigned long long)x->width * x->height;
    const unsigned long long q = (unsigned long long)y->width * y->height;
    if (p != q) return p < q ? 1 : -1;
    return x->peak < y->peak ? 1 : x->peak > y->peak ? -1 : 0;
}

/* "720p" of a picture that stands upright too. */
static unsigned height_of(const struct hls_variant *v)
{
    return v->width && v->width < v->height ? v->width : v->height;
}

/* Largest first. At least one stays: the one that is nearest to what is wished for. */
static void keep_wished(struct multi *m, const struct hls_wish *w)
{
    unsigned n = 0;
    const struct hls_variant largest = m->video[0], smallest = m->video[m->n_video - 1];
    for (unsigned i = 0; i < m->n_video; i++) {
        const unsigned height = height_of(&m->video[i]);
        if (height && w->max_height && height > w->max_height) continue;
        if (height && w->min_height && height < w->min_height) continue;
        m->video[n++] = m->video[i];
    }
    if (!n) {
        const bool too_large = w->max_height && height_of(&smallest) > w->max_height;
        m->video[n++] = too_large ? smallest : largest;
    }
    m->n_video = n;
}

/* Players begin with the first one: unless the largest is wished for, one that most lines carry. */
static void middle_first(struct multi *m)
{
    if (m->n_video < 3) return;
    const unsigned middle = m->n_video / 2;
    const struct hls_variant v = m->video[middle];
    memmove(&m->video[1], &m->video[0], middle * sizeof *m->video);
    m->video[0] = v;
}

static void multi_write(struct multi *m, const struct hls_wish *wish, struct str *out)
{
    qsort(m->video, m->n_video, sizeof *m->video, by_size);
    if (m->n_video && (wish->min_height || wish->max_height)) keep_wished(m, wish);
    if (!wish->largest_first) middle_first(m);
    hls_multivariant_write(out, &(struct hls_multivariant){.video = m->video,
                                                           .n_video = m->n_video,
                                                           .audio = m->has_audio ? &m->audio : NULL,
                                                           .texts = m->texts,
                                                           .n_texts = m->n_texts,
                                                           .independent = m->independent});
}

int playlist_text_for(const struct gate_text *texts, unsigned n, const char *language)
{
    const struct span want = span_str(language), primary = lang_tag_primary(want);
    if (!*language) return -1;
    for (unsigned i = 0; i < n; i++)
        if (span_ieq(want, span_str(texts[i].language))) return (int)i;
    for (unsigned i = 0; i < n; i++)
        if (span_ieq(primary, lang_tag_primary(span_str(texts[i].language)))) return (int)i;
    return -1;
}

#define TEXT_URI_CAP (URI_CAP + 80)

/* uris: TEXT_URI_CAP for each. */
static void add_texts(struct multi *m, const struct gate_text *texts, unsigned n, const char *id,
                      const char *path, const char *language, struct hls_subtitles *to,
                      char (*uris)[TEXT_URI_CAP])
{
    const int on = playlist_text_for(texts, n, language);
    for (unsigned i = 0; i < n; i++) {
        snprintf(uris[i], TEXT_URI_CAP, "%s/%s/text-%s.m3u8", id, path, texts[i].id);
        to[i] = (struct hls_subtitles){.uri = uris[i],
                                       .name = texts[i].name,
                                       .language = texts[i].language,
                                       .captions = texts[i].closed_captions,
                                       .on = (int)i == on};
    }
    m->texts = to;
    m->n_texts = n;
}

static bool ends_in_gap(const struct log_snapshot *s)
{
    return s->n_segs && s->segs[s->n_segs - 1]->s.gap;
}

/* Nothing comes of it where another rendition of the picture, `o`, goes on. Between two segments
 * nobody has an open one: then the last ones tell. */
static bool is_behind(const struct log_snapshot *s, const struct log_snapshot *o)
{
    if (!o || o == s || o->archive->r[o->rendition].kind != MEDIA_VIDEO) return false;
    if (ends_in_gap(s) && (o->open || !ends_in_gap(o))) return true;
    return o->open &&
           (o->edge.open_msn > s->edge.open_msn ||
            (o->edge.open_msn == s->edge.open_msn && o->edge.open_parts >= STOPPED_PARTS));
}

bool playlist_stopped(struct log_snapshot *const *all, unsigned n, unsigned self)
{
    const struct log_snapshot *s = all[self];
    if (s->archive->r[self].kind != MEDIA_VIDEO || s->open || s->edge.ended) return false;
    for (unsigned i = 0; i < n; i++)
        if (is_behind(s, all[i])) return true;
    return false;
}

void playlist_multi_live(struct log_snapshot *const *snapshots, unsigned n, const char *id,
                         const char *path, const struct hls_wish *wish, struct str *out)
{
    struct multi m = {.independent = true};
    for (unsigned i = 0; i < n; i++) {
        const struct log_snapshot *s = snapshots[i];
        if (playlist_stopped(snapshots, n, i)) continue; /* nobody is sent there now */
        multi_add(&m, &s->archive->r[i], s->inits, s->peak_bps, s->avg_bps, id, path, "");
        m.independent = m.independent && s->independent;
    }
    multi_write(&m, wish, out);
}

void playlist_multi_archive(const struct archive *a, const char *id, const char *path,
                            const struct hls_wish *wish, const struct gate_text *texts,
                            unsigned n_texts, struct str *out)
{
    struct multi m = {.independent = true};
    struct hls_subtitles subtitles[LIMIT_TEXT_TRACKS];
    char uris[LIMIT_TEXT_TRACKS][TEXT_URI_CAP];
    if (n_texts) add_texts(&m, texts, n_texts, id, path, wish->subtitles, subtitles, uris);
    for (unsigned i = 0; i < a->n_renditions; i++) {
        const struct archive_rendition *r = &a->r[i];
        if (!r->n) continue;
        multi_add(&m, r, r->inits, r->peak_bps, archive_avg_bps(r), id, path, "-vod");
        m.independent = m.independent && r->all_independent;
    }
    multi_write(&m, wish, out);
}
