/* SPDX-License-Identifier: MIT */
/* A page's request with words of its own: loop -> pool (whose page is it?) -> loop. */
#include "api/page_head.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "product/channel.h"
#include "product/visibility.h"
#include <stdio.h>

enum page_kind { PAGE_STREAM, PAGE_EMBED, PAGE_CHANNEL, PAGE_HOME, PAGE_OWN };

struct page_job {
    struct api *api;
    struct http_request *r;
    const struct web_asset *page;
    bool embed;
    enum page_kind kind;
    char id[HANDLE_CAP > ID_CAP ? HANDLE_CAP : ID_CAP];
    char origin[CALL_ORIGIN_CAP];
    struct str out;
};

/* The first of it: a card has room for a sentence or two. */
#define CARD_TEXT_BYTES 300

static void shorten(const char *text, char out[CARD_TEXT_BYTES + 8])
{
    size_t n = strlen(text);
    const bool cut = n > CARD_TEXT_BYTES;
    if (cut) {
        n = CARD_TEXT_BYTES;
        while (n && ((unsigned char)text[n] & 0xc0) == 0x80) n--; /* not within a character */
    }
    snprintf(out, CARD_TEXT_BYTES + 8, "%.*s%s", (int)n, text, cut ? "…" : "");
}

/* What plays here by a public id: its recording once it has ended. "": nothing does. */
static const char *plays(const struct stream *s)
{
    if (s->remote_playback) return "";
    if (s->status == STREAM_ENDED)
        return s->recording_playable && s->recording_closed ? s->recording_playback_id : "";
    return s->live_playback_id;
}

static void write_stream(struct page_job *j, const struct stream *s)
{
    struct str url = {0}, image = {0}, video = {0}, oembed = {0};
    char text[CARD_TEXT_BYTES + 8], iso[CLOCK_ISO_LEN] = "";
    const char *id = plays(s);
    const bool pictures = *id && (s->status == STREAM_LIVE || s->status == STREAM_ENDED);
    str_addf(&url, "%s/stream/%s", j->origin, s->id);
    if (pictures) str_addf(&image, "%s/%s/thumbnail.jpg?width=1280", j->origin, id);
    if (*id) str_addf(&video, "%s/embed/%s", j->origin, id);
    str_addf(&oembed, "%s/oembed?format=json&url=", j->origin);
    page_encode(&oembed, str_c(&url));
    shorten(s->description, text);
    if (!text[0]) snprintf(text, sizeof text, "%s on bspnode", s->user_name);
    if (s->started_at) clock_iso(s->started_at, iso);
    page_head_write(span_of(j->page->data, j->page->len),
                    &(struct page_card){.title = s->title,
                                        .description = text,
                                        .url = str_c(&url),
                                        .image = image.len ? str_c(&image) : "",
                                        .video = video.len ? str_c(&video) : "",
                                        .oembed = str_c(&oembed),
                                        .kind = "video.other",
                                        .published = iso,
                                        .noindex = j->embed || !visibility_listed(s)},
                    &j->out);
    str_fini(&url);
    str_fini(&image);
    str_fini(&video);
    str_fini(&oembed);
}

/* Not a word of it: the address is all that its finder knows. */
static void write_plain(struct page_job *j, const char *title)
{
    page_head_write(span_of(j->page->data, j->page->len),
                    &(struct page_card){.title = title, .kind = "website", .noindex = true},
                    &j->out);
}

static void stream_page(struct page_job *j)
{
    struct stream s;
    struct problem p = {0};
    struct db *db = api_db(j->api);
    const enum err e = j->kind == PAGE_STREAM ? stream_get(db, j->id, &s, &p)
                                              : stream_get_played(db, j->id, &s, &p);
    if (e != E_OK) {
        write_plain(j, NULL);
        return;
    }
    if (s.visibility == VISIBILITY_PRIVATE)
        write_plain(j, "Private stream");
    else
        write_stream(j, &s);
    stream_fini(&s);
}

static void channel_page(struct page_job *j)
{
    struct channel *ch = NEW(struct channel);
    struct problem p = {0};
    struct str url = {0}, title = {0}, image = {0};
    char text[CARD_TEXT_BYTES + 8];
    if (channel_get(api_db(j->api), j->id, ch, &p) == E_OK) {
        str_addf(&url, "%s/@%s", j->origin, ch->handle);
        str_addf(&title, "%s (@%s)", ch->name, ch->handle);
        if (ch->image[0]) str_addf(&image, "%s%s", ch->image[0] == '/' ? j->origin : "", ch->image);
        shorten(ch->about, text);
        page_head_write(span_of(j->page->data, j->page->len),
                        &(struct page_card){.title = str_c(&title),
                                            .description = text[0] ? text : str_c(&title),
                                            .url = str_c(&url),
                                            .image = image.len ? str_c(&image) : "",
                                            .kind = "profile"},
                        &j->out);
    } else {
        write_plain(j, NULL);
    }
    str_fini(&url);
    str_fini(&title);
    str_fini(&image);
    free(ch);
}

static void home_page(struct page_job *j)
{
    struct str url = {0};
    str_addf(&url, "%s/", j->origin);
    page_head_write(span_of(j->page->data, j->page->len),
                    &(struct page_card){.url = str_c(&url), .kind = "website"}, &j->out);
    str_fini(&url);
}

static void work(void *arg) /* pool */
{
    struct page_job *j = arg;
    if (j->kind == PAGE_CHANNEL)
        channel_page(j);
    else if (j->kind == PAGE_HOME)
        home_page(j);
    else if (j->kind == PAGE_OWN)
        write_plain(j, NULL);
    else
        stream_page(j);
}

static void done(void *arg) /* loop */
{
    struct page_job *j = arg;
    struct buf *b = str_take_buf(&j->out);
    pages_reply(j->api, j->r, j->page, 200, j->embed, b);
    buf_unref(b);
    free(j);
}

static bool take(struct page_job *j, enum page_kind kind, struct span id)
{
    j->kind = kind;
    return span_cstr(id, j->id, sizeof j->id) && (kind == PAGE_CHANNEL || text_is_id(j->id));
}

/* Which page it is. */
static bool read_path(struct page_job *j, struct span path)
{
    static const char *const OWN[] = {"/login", "/register", "/dashboard"};
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        if (span_starts(path, OWN[i])) return take(j, PAGE_OWN, SPAN_LIT("-"));
    if (span_is(path, "/")) return take(j, PAGE_HOME, SPAN_LIT("-"));
    if (span_ends(path, "/broadcast")) return take(j, PAGE_OWN, SPAN_LIT("-"));
    if (span_starts(path, "/stream/")) return take(j, PAGE_STREAM, span_skip(path, 8));
    if (span_starts(path, "/embed/")) return take(j, PAGE_EMBED, span_skip(path, 7));
    return span_starts(path, "/@") && take(j, PAGE_CHANNEL, span_skip(path, 2));
}

bool page_head_begin(struct api *a, struct http_request *r, const struct web_asset *page,
                     bool embed)
{
    struct page_job *j = NEW(struct page_job);
    if (!read_path(j, http_path(r))) {
        free(j);
        return false;
    }
    j->api = a;
    j->r = r;
    j->page = page;
    j->embed = embed;
    call_origin(r, j->origin);
    if (j->kind == PAGE_HOME || j->kind == PAGE_OWN) { /* nobody is asked */
        work(j);
        done(j);
    } else {
        pool_run(a->cfg.pool, work, http_loop(r), done, j);
    }
    return true;
}
