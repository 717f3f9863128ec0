/* SPDX-License-Identifier: MIT */
/* Text tracks of a finished recording: their playlists, pieces of them in the segments' time, and
 * the whole as a file (ADR 29). */
#include "base/clock.h"
#include "base/xalloc.h"
#include "serve/hls/hls_priv.h"
#include "wire/fmp4_read.h"
#include "wire/subtitles.h"
#include <stdio.h>
#include <unistd.h>

#define PIECE_US   (30 * US_PER_SEC) /* of text in one piece, about */
#define HEAD_BYTES 65536             /* of a segment, with its first moof */
#define MPEG_HZ    90000
#define MPEG_MASK  ((UINT64_C(1) << 33) - 1)

bool text_read_path(const char *rendition, const char *piece, struct text_ask *out)
{
    struct span name = span_str(rendition), last = span_str(piece);
    if (!span_starts(name, "text-") || !span_cstr(span_skip(name, 5), out->id, sizeof out->id))
        return false;
    out->what = piece ? TEXT_PIECE : TEXT_LIST;
    if (!piece) return true;
    const struct span first = span_cut(&last, '-');
    return span_u64(first, INT64_MAX, &out->first) && span_u64(last, INT64_MAX, &out->last) &&
           out->first <= out->last;
}

/* --- the rendition whose segments the pieces follow --- */

static uint64_t count_media(const struct archive_rendition *r)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < r->n; i++) n += !archive_segment(r, i)->s.gap;
    return n;
}

/* The picture with the most segments, or the sound. -1: there is nothing. */
static int leader(const struct archive *a)
{
    int best = -1;
    uint64_t most = 0;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        const bool picture = a->r[i].kind == MEDIA_VIDEO;
        const uint64_t n = count_media(&a->r[i]);
        if (!n || (best >= 0 && !picture && a->r[best].kind == MEDIA_VIDEO)) continue;
        const bool first_picture = picture && best >= 0 && a->r[best].kind != MEDIA_VIDEO;
        if (best >= 0 && !first_picture && n <= most) continue;
        best = (int)i;
        most = n;
    }
    return best;
}

/* From the start of the recording to a segment. */
static int64_t time_of(const struct archive_rendition *r, uint64_t index)
{
    int64_t at = 0;
    for (uint64_t i = 0; i < index; i++) at += archive_segment(r, i)->s.dur_us;
    return at;
}

/* --- the playlist --- */

/* Segments [first, end) as pieces, none of which crosses a discontinuity. */
static size_t cut_pieces(const struct archive_rendition *r, uint64_t first, uint64_t end,
                         struct hls_text_piece *out)
{
    size_t n = 0;
    for (uint64_t i = first; i < end; i++) {
        const struct hls_segment *s = &archive_segment(r, i)->s;
        struct hls_text_piece *p = n ? &out[n - 1] : NULL;
        if (!p || s->discontinuity || p->dur_us + s->dur_us > PIECE_US) {
            p = &out[n++];
            *p = (struct hls_text_piece){
                .first_msn = s->msn, .wall_us = s->wall_us, .discontinuity = s->discontinuity};
        }
        p->last_msn = s->msn;
        p->dur_us += s->dur_us;
    }
    return n;
}

static bool write_list(const struct archive *a, const struct hls_view *v, const char *id,
                       struct str *out)
{
    const int lead = leader(a);
    uint64_t first, end;
    char name[HLS_ID_CAP + 8];
    struct str text = {0};
    if (lead < 0 || !playlist_clip_archive_range(a, (unsigned)lead, v, &first, &end)) return false;
    const struct archive_rendition *r = &a->r[lead];
    struct hls_text_piece *pieces = xcalloc((size_t)(end - first), sizeof *pieces);
    const size_t n = cut_pieces(r, first, end, pieces);
    snprintf(name, sizeof name, "text-%s", id);
    hls_text_playlist_write(&text, name, pieces, n, hls_first_dsn(&archive_segment(r, first)->s));
    free(pieces);
    hls_view_filter(str_span(&text), &(struct hls_view){.no_dates = v->no_dates}, out);
    str_fini(&text);
    return true;
}

/* --- the segments' clock --- */

/* When a segment is shown first, on the clock of its samples, in 1/90000 s. */
static bool shown_at(const struct archive_rendition *r, const struct archive_segment *seg,
                     uint64_t *out)
{
    struct fmp4_init init;
    uint64_t ticks;
    uint8_t *head = xcalloc(1, HEAD_BYTES);
    const struct archive_init *of = archive_init_find(r->inits, seg->s.init_id);
    const size_t want = seg->len < HEAD_BYTES ? seg->len : HEAD_BYTES;
    const ssize_t n = r->file ? pread(r->file->fd, head, want, (off_t)seg->off) : -1;
    const bool fine = of && n > 0 && fmp4_init_parse(buf_span(of->bytes), &init) == E_OK &&
                      init.n_tracks == 1 &&
                      fmp4_first_time(span_of(head, (size_t)n), &ticks) == E_OK;
    if (fine)
        *out = ticks / init.tracks[0].timescale * MPEG_HZ +
               ticks % init.tracks[0].timescale * MPEG_HZ / init.tracks[0].timescale;
    free(head);
    return fine;
}

/* Which time of the recording is which time of the segments, for the period that segment `index`
 * is in: within one they run alike (engine/packager.h). */
static void add_map(const struct archive_rendition *r, uint64_t index, struct str *out)
{
    uint64_t at = index, shown;
    while (at > 0 && !archive_segment(r, at)->s.discontinuity) at--;
    while (at < r->n && archive_segment(r, at)->s.gap) at++;
    if (at == r->n || !shown_at(r, archive_segment(r, at), &shown)) return;
    str_addf(out, "X-TIMESTAMP-MAP=MPEGTS:%llu,LOCAL:", (unsigned long long)(shown & MPEG_MASK));
    subtitle_time_write(time_of(r, at) / 1000, out);
    str_addc(out, '\n');
}

/* --- texts, made on the pool --- */

struct text_job {
    struct hls_service *service;
    struct http_request *r;
    struct archive *archive; /* NULL: the whole file */
    struct ask ask;
    char id[HLS_ID_CAP]; /* playback id */
    struct buf *vtt;     /* or */
    struct text_doc *doc;
    struct str out;
    enum err err;
    struct loop *loop;
};

static enum err make_piece(struct text_job *j, const struct subtitles *s)
{
    const int lead = leader(j->archive);
    const struct archive_rendition *r = lead >= 0 ? &j->archive->r[lead] : NULL;
    uint64_t first, end;
    if (!r || !playlist_clip_archive_range(j->archive, (unsigned)lead, &j->ask.view, &first, &end))
        return E_NOTFOUND;
    if (j->ask.text.first < r->first_msn + first || j->ask.text.last >= r->first_msn + end)
        return E_NOTFOUND;
    first = j->ask.text.first - r->first_msn;
    end = j->ask.text.last - r->first_msn + 1;
    if (end - first > (uint64_t)(PIECE_US / US_PER_MS)) return E_NOTFOUND;
    str_adds(&j->out, "WEBVTT\n");
    add_map(r, first, &j->out);
    str_addc(&j->out, '\n');
    subtitles_write(s,
                    &(struct subtitle_cut){.from_ms = time_of(r, first) / 1000,
                                           .to_ms = (time_of(r, end) + 999) / 1000},
                    &j->out);
    return E_OK;
}

/* The part that a clip shows, from its own beginning on. */
static enum err clip_times(const struct text_job *j, struct subtitle_cut *cut)
{
    const int lead = j->archive ? leader(j->archive) : -1;
    uint64_t first, end;
    if (lead < 0 ||
        !playlist_clip_archive_range(j->archive, (unsigned)lead, &j->ask.view, &first, &end))
        return E_NOTFOUND;
    const struct archive_rendition *r = &j->archive->r[lead];
    *cut = (struct subtitle_cut){.from_ms = time_of(r, first) / 1000,
                                 .to_ms = time_of(r, end) / 1000,
                                 .trim = true,
                                 .shift_ms = -time_of(r, first) / 1000};
    return E_OK;
}

static enum err make_file(struct text_job *j, const struct subtitles *s)
{
    struct subtitle_cut cut = SUBTITLE_ALL;
    const enum err e = j->ask.view.clip ? clip_times(j, &cut) : E_OK;
    if (e != E_OK) return e;
    if (j->ask.text.what == TEXT_PLAIN) {
        subtitles_write_plain(s, &cut, &j->out);
    } else {
        str_adds(&j->out, SUBTITLE_HEAD);
        subtitles_write(s, &cut, &j->out);
    }
    return E_OK;
}

static void make_work(void *arg)
{
    struct text_job *j = arg;
    struct subtitle_problem problem;
    struct subtitles s;
    if (!j->doc) {
        j->err = subtitles_parse(buf_span(j->vtt), &s, &problem);
        if (j->err != E_OK) return; /* it was written by us */
        j->doc = text_doc_new(&s);
        text_cache_put(j->service->texts, j->id, j->ask.text.id, j->doc);
    }
    j->err = j->ask.text.what == TEXT_PIECE ? make_piece(j, &j->doc->s) : make_file(j, &j->doc->s);
}

static void reply_error(struct http_request *r, enum err e)
{
    if (e == E_NOTFOUND)
        answer_error(r, 404, "not_found", "There is no such text track of this playback id.");
    else if (e == E_CLOSED)
        answer_error(r, 412, "preparing", "This text track is still being made.");
    else
        answer_error(r, 503, "busy", "The text track cannot be read now.");
}

static void job_free(struct text_job *j)
{
    archive_unref(j->archive);
    buf_unref(j->vtt);
    text_doc_unref(j->doc);
    str_fini(&j->out);
    free(j);
}

static void make_done(void *arg)
{
    struct text_job *j = arg;
    const bool plain = j->ask.text.what == TEXT_PLAIN;
    const struct http_header h[] = {
        {"access-control-allow-origin", "*"},
        {"content-type", plain ? "text/plain; charset=utf-8" : "text/vtt; charset=utf-8"},
        {"cache-control",
         j->ask.text.what == TEXT_PIECE ? "public, max-age=3600" : "public, max-age=60"},
        {"x-content-type-options", "nosniff"},
    };
    if (j->err == E_OK) {
        struct buf *b = str_take_buf(&j->out);
        http_reply(j->r, 200, h, 4, b, HTTP_RANGES);
        buf_unref(b);
    } else {
        reply_error(j->r, j->err);
    }
    job_free(j);
}

static void on_body(void *ctx, enum err e, struct buf *vtt)
{
    struct text_job *j = ctx;
    if (e != E_OK) {
        reply_error(j->r, e);
        job_free(j);
        return;
    }
    j->vtt = buf_ref(vtt);
    pool_run(j->service->cfg.pool, make_work, j->loop, make_done, j);
}

static void start_job(struct entry *e, struct http_request *r, const struct ask *ask)
{
    const struct gate *g = e->loop->s->cfg.gate;
    struct text_job *j = NEW(struct text_job);
    j->service = e->loop->s;
    j->loop = e->loop->loop;
    j->r = r;
    j->ask = *ask;
    j->archive = e->vod ? archive_ref(e->vod) : NULL;
    snprintf(j->id, sizeof j->id, "%s", e->id);
    j->doc = text_cache_get(j->service->texts, e->id, ask->text.id);
    if (j->doc)
        pool_run(j->service->cfg.pool, make_work, j->loop, make_done, j);
    else
        g->text(g->self, e->id, ask->text.id, on_body, j);
}

/* --- answers --- */

/* Of any id: what this loop knows of the tracks may be some seconds old, and the pieces tell. */
static void reply_list(struct entry *e, struct http_request *r, const struct ask *ask)
{
    struct str text = {0};
    const struct http_header h[] = {
        {"access-control-allow-origin", "*"},
        {"content-type", "application/vnd.apple.mpegurl"},
        {"cache-control", e->access_epoch ? "private, max-age=60" : "public, max-age=60"}};
    if (!write_list(e->vod, &ask->view, ask->text.id, &text)) {
        reply_error(r, E_NOTFOUND);
        return;
    }
    struct buf *b = str_take_buf(&text);
    http_reply(r, 200, h, 3, b, 0);
    buf_unref(b);
}

/* Text tracks are of recordings that have ended; while one runs, its file can be had as a whole. */
enum answered text_answer(struct entry *e, struct http_request *r, const struct ask *ask)
{
    const bool file = ask->text.what == TEXT_FILE || ask->text.what == TEXT_PLAIN;
    const bool ended = !file && !e->vod && e->ended_us && !e->over_asked;
    if ((!e->vod && !e->log) || ended) return ANSWER_ASK_GATE;
    if (file && e->kind == GATE_MEDIA_ASSET && (e->vod || !ask->view.clip))
        start_job(e, r, ask);
    else if (file || !e->vod || strcmp(ask->run, e->vod->run) != 0)
        reply_error(r, E_NOTFOUND);
    else if (ask->text.what == TEXT_LIST)
        reply_list(e, r, ask);
    else
        start_job(e, r, ask);
    return ANSWERED;
}
