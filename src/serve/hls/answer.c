/* SPDX-License-Identifier: MIT */
/* From what an entry has to an HTTP reply. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "record/gzip.h"
#include "serve/hls/hls_priv.h"
#include <stdio.h>

#define CORS                                                                                       \
    {                                                                                              \
        "access-control-allow-origin", "*"                                                         \
    }
#define TYPE_M3U8                                                                                  \
    {                                                                                              \
        "content-type", "application/vnd.apple.mpegurl"                                            \
    }

void answer_error(struct http_request *r, int status, const char *code, const char *message)
{
    static const struct http_header h[] = {
        CORS, {"cache-control", "no-store"}, {"retry-after", "1"}};
    http_reply_error(r, status, code, message, NULL, h, status == 503 ? 3 : 2);
}

static void not_found(struct http_request *r)
{
    answer_error(r, 404, "not_found", "There is nothing to play at this address.");
}

static void needs_token(struct http_request *r)
{
    answer_error(r, 403, "forbidden", "This playback id needs a token.");
}

void answer_nothing(struct http_request *r, const struct ask *ask, enum err e)
{
    if (e == E_AUTH && !ask->admitted && !ask->path[0])
        needs_token(r);
    else if (e == E_AUTH || e == E_CLOSED)
        answer_error(r, 412, "not_live", "This stream is not live now.");
    else
        answer_error(r, 404, "not_found", "There is no such playback id.");
}

void answer_timeout(struct http_request *r, const struct ask *ask, bool blocked)
{
    if (ask->kind == ASK_RESOURCE)
        not_found(r); /* 8216bis, 6.2.6: the part did not come */
    else if (blocked)
        answer_error(r, 503, "timeout", "The stream has not gone on for a while.");
    else
        answer_error(r, 412, "not_live", "This stream has not begun yet.");
}

/* --- playlists ---------------------------------------------------------------------------------
 */

/* Lifetimes as 8216bis B.1 advises for caches: a reply to a blocking request says the same for
 * ever, one to a plain request is old after a moment. */
static void reply_playlist(const struct entry *e, struct http_request *r, struct buf *text,
                           struct buf *gz, bool blocking, bool ended, int64_t target_s)
{
    char life[64];
    const int64_t age = ended ? 60 : blocking ? HLS_SKIP_TARGETS * target_s : 1;
    snprintf(life, sizeof life, "%s, max-age=%lld", entry_whose(e), (long long)age);
    const struct http_header h[] = {CORS, TYPE_M3U8, {"cache-control", life}};
    http_reply_gz(r, 200, h, 3, text, gz, 0);
}

void answer_made_clear(struct made *m)
{
    for (unsigned i = 0; i < 2; i++) {
        buf_unref(m->text[i]);
        buf_unref(m->gz[i]);
    }
    for (unsigned i = 0; i < 4; i++) buf_unref(m->viewed[i]);
    *m = (struct made){0};
}

static void made_set(struct made *m, unsigned i, struct str *text)
{
    m->text[i] = str_take_buf(text);
    m->gz[i] = gzip_new(buf_span(m->text[i]));
}

static void reply_event(struct entry *e, unsigned i, struct http_request *r, bool delta,
                        bool blocking)
{
    const struct log_snapshot *s = e->snap[i];
    struct made *m = &e->made[i];
    struct str text = {0};
    if (m->of != s) answer_made_clear(m);
    m->of = s;
    if (delta && !m->text[1] && playlist_event(e->snap, e->n_renditions, i, true, &text))
        made_set(m, 1, &text);
    const unsigned which = delta && m->text[1] ? 1 : 0;
    if (!m->text[which] && playlist_event(e->snap, e->n_renditions, i, false, &text))
        made_set(m, 0, &text);
    reply_playlist(e, r, m->text[which], m->gz[which], blocking, s->edge.ended, s->edge.target_s);
}

static void reply_live(struct entry *e, unsigned i, struct http_request *r,
                       const struct m3u8_directives *d)
{
    const struct log_snapshot *s = e->snap[i];
    const bool delta = d->skip && s->delta && !s->edge.ended;
    record_log_want_gzip(e->log);
    reply_playlist(e, r, delta ? s->delta : s->full, delta ? s->delta_gz : s->full_gz, d->has_msn,
                   s->edge.ended, s->edge.target_s);
}

/* --- views ---
 */

static struct buf *filtered(const struct buf *text, const struct hls_view *v)
{
    struct str out = {0};
    hls_view_filter(buf_span(text), v, &out);
    return str_take_buf(&out);
}

/* The whole playlist without what this view leaves out: made once for all viewers. */
static void reply_viewed(struct entry *e, unsigned i, struct http_request *r,
                         const struct hls_view *v)
{
    const struct log_snapshot *s = e->snap[i];
    struct made *m = &e->made[i];
    struct str text = {0};
    const unsigned which = (v->no_dates ? 1u : 0u) | (v->no_parts ? 2u : 0u);
    if (m->of != s) answer_made_clear(m);
    m->of = s;
    if (!m->viewed[which] && e->kind == GATE_MEDIA_LIVE) {
        m->viewed[which] = filtered(s->full, v);
    } else if (!m->viewed[which] && playlist_event(e->snap, e->n_renditions, i, false, &text)) {
        struct buf *whole = str_take_buf(&text);
        m->viewed[which] = filtered(whole, v);
        buf_unref(whole);
    }
    reply_playlist(e, r, m->viewed[which], NULL, false, s->edge.ended, s->edge.target_s);
}

/* Made for each request: a clip is short, or rare. Takes the text. */
static void reply_clip(const struct entry *e, struct http_request *r, bool made, struct str *text,
                       const struct hls_view *v)
{
    struct hls_view plain = *v;
    struct buf *whole = str_take_buf(text), *b = NULL;
    plain.no_parts = true;
    if (made) {
        b = filtered(whole, &plain);
        reply_playlist(e, r, b, NULL, false, false, 0);
    } else {
        not_found(r);
    }
    buf_unref(b);
    buf_unref(whole);
}

static enum answered media_live(struct entry *e, unsigned i, struct http_request *r,
                                const struct ask *ask)
{
    const struct log_snapshot *s = e->snap[i];
    if (!s) return ANSWER_WAIT;
    struct hls_edge edge = s->edge;
    if (e->kind == GATE_MEDIA_ASSET && s->archive_ended) edge.ended = true;
    if (e->kind == GATE_MEDIA_LIVE && playlist_stopped(e->snap, e->n_renditions, i)) {
        answer_error(r, 404, "stopped", "This rendition has stopped; the others go on.");
        return ANSWERED;
    }
    if (ask->view.clip) {
        struct str text = {0};
        const bool made = playlist_clip_live(s, &ask->view, &text);
        reply_clip(e, r, made, &text, &ask->view);
        return ANSWERED;
    }
    switch (hls_decide(&edge, &ask->d)) {
    case HLS_WAIT:
        return ANSWER_WAIT;
    case HLS_BAD:
        answer_error(r, 400, "bad_request", "The stream is not that far yet.");
        return ANSWERED;
    case HLS_REPLY:
        break;
    }
    if (!hls_view_plain(&ask->view))
        reply_viewed(e, i, r, &ask->view);
    else if (e->kind == GATE_MEDIA_ASSET)
        reply_event(e, i, r, ask->d.skip, ask->d.has_msn);
    else
        reply_live(e, i, r, &ask->d);
    return ANSWERED;
}

static enum answered media_archive(struct entry *e, unsigned i, struct http_request *r,
                                   const struct ask *ask)
{
    struct made *m = &e->vod_made[i];
    struct str text = {0};
    const unsigned which = ask->vod ? 0 : 1;
    if (ask->view.clip) {
        const bool made = playlist_clip_archive(e->vod, i, &ask->view, &text);
        reply_clip(e, r, made, &text, &ask->view);
        return ANSWERED;
    }
    if (!m->text[which] && playlist_archive(e->vod, i, ask->vod ? M3U8_VOD : M3U8_EVENT, &text))
        made_set(m, which, &text);
    if (m->text[which] && ask->view.no_dates) {
        struct buf *b = filtered(m->text[which], &ask->view);
        reply_playlist(e, r, b, NULL, false, true, 0);
        buf_unref(b);
    } else if (m->text[which]) {
        reply_playlist(e, r, m->text[which], m->gz[which], false, true, 0);
    } else
        not_found(r);
    return ANSWERED;
}

/* A signature lasts as long as the media, and a night more for pauses; by the hour, so that all
 * viewers of an hour have the same addresses. */
#define SIGNED_MARGIN_US (12 * INT64_C(3600) * US_PER_SEC)
#define FOR_EVER_US      (24 * INT64_C(3600) * US_PER_SEC) /* a stream without a limit */

/* What a signature is about: of a private stream also the number that ends what was let in. */
static const char *signed_name(const struct entry *e, char out[HLS_ID_CAP + 24])
{
    if (e->access_epoch)
        snprintf(out, HLS_ID_CAP + 24, "%s@%lld", e->id, (long long)e->access_epoch);
    else
        snprintf(out, HLS_ID_CAP + 24, "%s", e->id);
    return out;
}

/* E_OK: by a token, by the signature in the path, or because nobody asks for one. */
static enum err check_admission(const struct entry *e, struct ask *ask)
{
    char name[HLS_ID_CAP + 24];
    if (!e->is_signed || ask->admitted) return E_OK;
    if (!ask->path[0]) return E_AUTH;
    const enum err err =
        hls_path_valid(span_str(ask->path), e->loop->s->key, signed_name(e, name), clock_wall_us());
    ask->admitted = err == E_OK;
    return err;
}

/* What another loop knows already: nobody is refused before the gate has been asked just now. */
#define REFUSE_WITHIN_US (US_PER_SEC / 5)

static enum answered refuse(const struct entry *e, struct http_request *r, const struct ask *ask,
                            enum err err)
{
    if (loop_now_us(e->loop->loop) - e->answered_us > REFUSE_WITHIN_US) return ANSWER_ASK_GATE;
    if (err == E_TIMEOUT)
        answer_error(r, 403, "expired", "This address has expired.");
    else if (ask->path[0])
        answer_error(r, 403, "forbidden", "This address is not signed by this server.");
    else
        needs_token(r);
    return ANSWERED;
}

static void path_of(const struct entry *e, const struct ask *ask, const char *run,
                    char out[HLS_VIEW_PATH_CAP])
{
    struct hls_path p = {.view = ask->wish.view};
    const int64_t lasts = e->duration_us > 0 ? e->duration_us : FOR_EVER_US;
    snprintf(p.run, sizeof p.run, "%s", run);
    p.until_hour = (clock_wall_us() + lasts + SIGNED_MARGIN_US) / (3600 * US_PER_SEC) + 1;
    char name[HLS_ID_CAP + 24];
    hls_path_write(&p, e->is_signed ? e->loop->s->key : NULL, signed_name(e, name), out);
}

/* What is asked for of time is nowhere in it. */
static bool clip_is_empty(const struct entry *e, const struct hls_view *v, bool live)
{
    struct str text = {0};
    bool any = false;
    if (!v->clip) return false;
    const unsigned n = live ? e->n_renditions : e->vod->n_renditions;
    for (unsigned i = 0; i < n && !any; i++)
        any = live ? playlist_clip_live(e->snap[i], v, &text)
                   : playlist_clip_archive(e->vod, i, v, &text);
    str_fini(&text);
    return !any;
}

static enum answered multi(struct entry *e, struct http_request *r, const struct ask *ask)
{
    struct str text = {0};
    char path[HLS_VIEW_PATH_CAP];
    bool live = true;
    if (e->log && !e->ended_us) {
        for (unsigned i = 0; i < e->n_renditions; i++)
            if (!e->snap[i]) return ANSWER_WAIT;
        if (!e->n_renditions) return ANSWER_WAIT;
    } else if (e->vod) {
        live = false;
    } else if (!e->over_asked) {
        return ANSWER_ASK_GATE; /* there may be a new broadcast, or the recording */
    } else if (e->kind == GATE_MEDIA_LIVE || !e->snap[0]) {
        answer_error(r, 412, "not_live", "This stream has ended.");
        return ANSWERED;
    }
    if (clip_is_empty(e, &ask->wish.view, live)) {
        answer_error(r, 400, "bad_request", "There is nothing in this time.");
        return ANSWERED;
    }
    path_of(e, ask, live ? record_log_run(e->log) : e->vod->run, path);
    if (live)
        playlist_multi_live(e->snap, e->n_renditions, e->id, path, &ask->wish, &text);
    else
        playlist_multi_archive(e->vod, e->id, path, &ask->wish, e->texts, e->n_texts, &text);
    if (!live && trick_play_there(e, ask)) trick_play_stream(e->vod, e->id, path, &text);
    struct buf *b = str_take_buf(&text);
    reply_playlist(e, r, b, NULL, false, false, 0);
    buf_unref(b);
    return ANSWERED;
}

/* --- media -------------------------------------------------------------------------------------
 */

enum { MEDIA_HEADERS = 5 };

static void media_headers(const struct entry *e, struct http_header h[MEDIA_HEADERS],
                          enum media_kind kind)
{
    h[0] = (struct http_header)CORS;
    h[1] = (struct http_header){"content-type", kind == MEDIA_AUDIO ? "audio/mp4" : "video/mp4"};
    h[2] =
        (struct http_header){"cache-control", e->access_epoch ? "private, max-age=86400, immutable"
                                                              : "public, max-age=86400, immutable"};
    h[3] = (struct http_header){"access-control-expose-headers",
                                "content-length, content-range, date"};
    h[4] = (struct http_header){"x-content-type-options", "nosniff"}; /* a film may hold a page */
}

static void reply_bytes(const struct entry *e, struct http_request *r, enum media_kind kind,
                        struct buf *b)
{
    struct http_header h[MEDIA_HEADERS];
    media_headers(e, h, kind);
    http_reply(r, 200, h, MEDIA_HEADERS, b, HTTP_RANGES);
}

static void reply_file(const struct entry *e, struct http_request *r, enum media_kind kind,
                       struct file *f, uint64_t off, uint64_t len)
{
    struct http_header h[MEDIA_HEADERS];
    media_headers(e, h, kind);
    http_reply_file(r, 200, h, MEDIA_HEADERS, f, off, len, HTTP_RANGES);
}

static void reply_init(const struct entry *e, struct http_request *r,
                       const struct archive_rendition *ar, const struct archive_init *list,
                       uint32_t id)
{
    const struct archive_init *init = archive_init_find(list, id);
    if (init)
        reply_bytes(e, r, ar->kind, init->bytes);
    else
        not_found(r);
}

static void reply_archived(const struct entry *e, struct http_request *r,
                           const struct archive_rendition *ar, struct file *file, uint64_t n,
                           uint64_t msn)
{
    if (!file || !n || msn < ar->first_msn || msn - ar->first_msn >= n) {
        not_found(r);
        return;
    }
    const struct archive_segment *seg = archive_segment(ar, msn - ar->first_msn);
    if (seg->s.gap)
        not_found(r);
    else
        reply_file(e, r, ar->kind, file, seg->off, seg->len);
}

static void reply_segment(const struct entry *e, struct http_request *r,
                          const struct log_snapshot *s, const struct log_segment *seg)
{
    const enum media_kind kind = s->archive->r[s->rendition].kind;
    if (seg->s.gap) {
        not_found(r);
    } else if (log_on_disk(s, seg)) {
        reply_file(e, r, kind, s->file, seg->off, seg->len);
    } else {
        struct buf *b = log_segment_bytes(seg);
        if (b)
            reply_bytes(e, r, kind, b);
        else
            not_found(r);
        buf_unref(b);
    }
}

static void reply_part(const struct entry *e, struct http_request *r, const struct log_snapshot *s,
                       const struct log_segment *seg, uint32_t part)
{
    const enum media_kind kind = s->archive->r[s->rendition].kind;
    const struct log_part *p = part < seg->n_parts ? &seg->parts[part] : NULL;
    if (p && p->bytes)
        reply_bytes(e, r, kind, p->bytes);
    else if (p && log_on_disk(s, seg))
        reply_file(e, r, kind, s->file, p->off, p->len);
    else
        not_found(r);
}

/* Pictures count; sound does where there are none. */
static void count(struct entry *e, const struct archive *all, unsigned n, unsigned i,
                  const struct archive_init *inits, int64_t us)
{
    bool pictures = false;
    for (unsigned k = 0; k < n; k++) pictures |= all->r[k].kind == MEDIA_VIDEO;
    if (pictures && all->r[i].kind != MEDIA_VIDEO) return;
    const unsigned side = !inits ? 0 : inits->width < inits->height ? inits->width : inits->height;
    entry_delivered(e, i, side, us);
}

static int64_t archived_us(const struct archive_rendition *ar, uint64_t n, uint64_t msn)
{
    if (!n || msn < ar->first_msn || msn - ar->first_msn >= n) return 0;
    return archive_segment(ar, msn - ar->first_msn)->s.dur_us;
}

/* A token's clip is all there is for its bearer. */
static bool is_outside(const struct entry *e, unsigned i, const struct ask *ask, bool live)
{
    if (!e->is_signed || !ask->view.clip || ask->id.kind == HLS_INIT) return false;
    if (ask->id.kind == HLS_PART) return true;
    return live ? !playlist_clip_live_has(e->snap[i], &ask->view, ask->id.msn)
                : !playlist_clip_archive_has(e->vod, i, &ask->view, ask->id.msn);
}

#define INITS_AHEAD 8

/* A player that has read of a new configuration on another loop may ask for it here before this
 * loop has heard of it. */
static bool is_coming(const struct log_snapshot *s, uint32_t id)
{
    const uint32_t next = s->inits ? s->inits->id + 1 : 0;
    return !s->edge.ended && id >= next && id - next < INITS_AHEAD;
}

static enum answered resource_live(struct entry *e, unsigned i, struct http_request *r,
                                   const struct ask *ask)
{
    const struct log_snapshot *s = e->snap[i];
    const struct hls_resource_id *id = &ask->id;
    if (!s) return ANSWER_WAIT;
    if (is_outside(e, i, ask, true)) {
        not_found(r);
        return ANSWERED;
    }
    const struct archive_rendition *ar = &s->archive->r[i];
    if (id->kind == HLS_INIT) {
        if (is_coming(s, id->init_id)) return ANSWER_WAIT;
        reply_init(e, r, ar, s->inits, id->init_id);
        return ANSWERED;
    }
    const int64_t part = id->kind == HLS_PART ? (int64_t)id->part : -1;
    switch (hls_decide_part(&s->edge, id->msn, part)) {
    case HLS_WAIT:
        return ANSWER_WAIT;
    case HLS_BAD:
        not_found(r);
        return ANSWERED;
    case HLS_REPLY:
        break;
    }
    const struct log_segment *seg = log_find(s, id->msn);
    count(e, s->archive, e->n_renditions, i, s->inits,
          part >= 0 ? (seg && part < (int64_t)seg->n_parts ? seg->parts[part].p.dur_us : 0)
          : seg     ? seg->s.dur_us
                    : archived_us(ar, s->n_archived, id->msn));
    if (part >= 0 && seg)
        reply_part(e, r, s, seg, id->part);
    else if (part >= 0)
        not_found(r); /* too old to be listed as parts */
    else if (seg)
        reply_segment(e, r, s, seg);
    else
        reply_archived(e, r, ar, s->file, s->n_archived, id->msn);
    return ANSWERED;
}

static enum answered resource_archive(struct entry *e, unsigned i, struct http_request *r,
                                      const struct ask *ask)
{
    const struct archive_rendition *ar = &e->vod->r[i];
    const struct hls_resource_id *id = &ask->id;
    if (is_outside(e, i, ask, false))
        not_found(r);
    else if (id->kind == HLS_INIT)
        reply_init(e, r, ar, ar->inits, id->init_id);
    else if (id->kind == HLS_SEGMENT) {
        count(e, e->vod, e->vod->n_renditions, i, ar->inits, archived_us(ar, ar->n, id->msn));
        reply_archived(e, r, ar, ar->file, ar->n, id->msn);
    } else
        not_found(r);
    return ANSWERED;
}

/* -----------------------------------------------------------------------------------------------
 */

/* Only as many as the snapshots announce may be looked at: the archive is being written. */
static int find_live(const struct entry *e, const char *name)
{
    for (unsigned i = 0; i < e->n_renditions; i++)
        if (e->archive && !strcmp(e->archive->r[i].name, name)) return (int)i;
    return -1;
}

enum answered answer(struct entry *e, struct http_request *r, struct ask *ask)
{
    const enum err in = e->log || e->vod ? check_admission(e, ask) : E_OK;
    if (in != E_OK) return refuse(e, r, ask, in);
    if (ask->kind == ASK_MULTI) return multi(e, r, ask);
    if (ask->kind == ASK_TEXT) return text_answer(e, r, ask);
    if (ask->kind == ASK_IMAGES) return trick_play_answer(e, r, ask);
    const bool live = e->log && !strcmp(ask->run, record_log_run(e->log)) && !ask->vod;
    const bool vod = e->vod && !strcmp(ask->run, e->vod->run);
    if (live) {
        const int found = find_live(e, ask->rendition);
        if (found >= 0)
            return ask->kind == ASK_MEDIA ? media_live(e, (unsigned)found, r, ask)
                                          : resource_live(e, (unsigned)found, r, ask);
        if (!e->n_renditions) return ANSWER_WAIT;
        not_found(r);
        return ANSWERED;
    }
    if (vod) {
        const int found = archive_find(e->vod, span_str(ask->rendition));
        if (found >= 0)
            return ask->kind == ASK_MEDIA ? media_archive(e, (unsigned)found, r, ask)
                                          : resource_archive(e, (unsigned)found, r, ask);
        not_found(r);
        return ANSWERED;
    }
    return ANSWER_ASK_GATE;
}
