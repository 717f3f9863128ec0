/* SPDX-License-Identifier: MIT */
/* nghttp2 calls back while it is fed; the callbacks only note things on the stream, and h2_next()
 * hands them out in order, so that nothing of ours runs inside nghttp2. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/h2_priv.h"
#include <nghttp2/nghttp2.h>
#include <stdio.h>

/* Events of a kind that a peer may cause only so often: `level` drains with time. */
struct bucket {
    int64_t level, last_us; /* level in thousandths of an event */
};

struct h2 {
    nghttp2_session *ng;
    struct list all, ready;
    unsigned n_streams;
    int64_t now_us, quiet_us;
    struct bucket resets, controls;
    bool flooded, going, heading;
    int64_t heading_us;
    struct h2_stream *told; /* H2_CLOSED was handed out: freed by the next call */
};

static bool overflows(struct bucket *b, int64_t now_us, int64_t burst)
{
    const int64_t drained = (now_us - b->last_us) / US_PER_MS * burst / 10; /* a tenth a second */
    if (drained > 0) {
        b->level = drained < b->level ? b->level - drained : 0;
        b->last_us = now_us;
    }
    b->level += 1000;
    return b->level > burst * 1000;
}

static void set_ready(struct h2 *h, struct h2_stream *s)
{
    if (list_empty(&s->ready)) list_push_back(&h->ready, &s->ready);
}

static void free_stream(struct h2 *h, struct h2_stream *s)
{
    list_remove(&s->all);
    list_remove(&s->ready);
    str_fini(&s->bytes);
    str_fini(&s->body);
    free(s);
    h->n_streams--;
}

static void free_told(struct h2 *h)
{
    if (h->told) free_stream(h, h->told);
    h->told = NULL;
}

/* --- what nghttp2 tells ------------------------------------------------------------------- */

static struct h2_stream *stream_of(nghttp2_session *ng, int32_t id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
    struct h2 *h = user;
    h->heading = true;
    h->heading_us = h->now_us;
    if (f->headers.cat != NGHTTP2_HCAT_REQUEST) return 0; /* trailers */
    struct h2_stream *s = NEW(struct h2_stream);
    s->id = f->hd.stream_id;
    s->since_us = s->last_us = h->now_us;
    list_push_back(&h->all, &s->all);
    list_init(&s->ready);
    h->n_streams++;
    return nghttp2_session_set_stream_user_data(ng, s->id, s);
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name, size_t nl,
                     const uint8_t *value, size_t vl, uint8_t flags, void *user)
{
    (void)user, (void)flags;
    struct h2_stream *s = stream_of(ng, f->hd.stream_id);
    if (s && !s->head_done) h2_head_add(s, span_of(name, nl), span_of(value, vl));
    return 0;
}

/* Frames that cost the peer nothing and us something. */
static bool is_flood(struct h2 *h, const nghttp2_frame *f, bool ends)
{
    switch (f->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_WINDOW_UPDATE: /* as many as DATA frames of ours */
        return false;
    case NGHTTP2_RST_STREAM:
        return overflows(&h->resets, h->now_us, LIMIT_HTTP2_RESETS);
    case NGHTTP2_DATA:
        if (f->hd.length || ends) return false;
        /* fallthrough */
    default:
        return overflows(&h->controls, h->now_us, LIMIT_HTTP2_CONTROL_FRAMES);
    }
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
    struct h2 *h = user;
    struct h2_stream *s = stream_of(ng, f->hd.stream_id);
    const bool ends = (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    h->heading = false;
    h->flooded |= is_flood(h, f, ends);
    if (h->flooded) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (!s || (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA)) return 0;
    if (!s->head_done) h2_head_finish(s, ends);
    s->head_done = true;
    s->ended |= ends;
    set_ready(h, s);
    return 0;
}

static int on_frame_sent(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
    (void)user;
    if (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA) return 0;
    if (!(f->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    struct h2_stream *s = stream_of(ng, f->hd.stream_id);
    if (s) s->answered = true;
    return 0;
}

/* A reply that is complete before its request: RFC 9113 section 8.1 lets us reset the stream at
 * once, but some clients then lose the reply. Up to a limit the rest is read away instead. */
static int stop_upload(nghttp2_session *ng, struct h2_stream *s)
{
    if (!s->answered || s->got < LIMIT_HTTP_DISCARD_BYTES) return 0;
    return nghttp2_submit_rst_stream(ng, 0, s->id, NGHTTP2_NO_ERROR);
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *user)
{
    (void)flags;
    struct h2 *h = user;
    struct h2_stream *s = stream_of(ng, id);
    if (!s) return nghttp2_session_consume_connection(ng, n);
    str_add(&s->body, span_of(p, n));
    s->got += n;
    s->last_us = h->now_us;
    set_ready(h, s);
    return stop_upload(ng, s);
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *user)
{
    struct h2 *h = user;
    struct h2_stream *s = stream_of(ng, id);
    if (!s) return 0;
    /* What was received and not handed out will not be: its share of the window goes back. */
    if (s->body.len) (void)nghttp2_session_consume_connection(ng, s->body.len);
    str_fini(&s->body);
    s->closed = true;
    s->whole &= code == NGHTTP2_NO_ERROR;
    if (s->announced || s->head_done)
        set_ready(h, s);
    else
        free_stream(h, s);
    return 0;
}

static ssize_t on_source(nghttp2_session *ng, int32_t id, uint8_t *dst, size_t cap, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    (void)ng, (void)id;
    const struct h2 *h = user;
    struct h2_stream *s = source->ptr;
    size_t n = 0;
    bool end = false;
    if (s->dead || s->source.read(s->source.ctx, dst, cap, &n, &end) != E_OK)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    s->sent_us = h->now_us;
    s->sending = n > 0 && !end; /* from now on it is the peer's window that decides */
    if (n == 0 && !end) return NGHTTP2_ERR_DEFERRED;
    if (end) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        s->whole = true;
    }
    return (ssize_t)n;
}

/* --- the connection ----------------------------------------------------------------------- */

struct h2 *h2_new(int64_t now_us)
{
    struct h2 *h = NEW(struct h2);
    nghttp2_session_callbacks *cb;
    nghttp2_option *opt;
    list_init(&h->all);
    list_init(&h->ready);
    h->now_us = h->quiet_us = h->resets.last_us = h->controls.last_us = now_us;
    CHECK(nghttp2_session_callbacks_new(&cb) == 0 && nghttp2_option_new(&opt) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_sent);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_option_set_no_auto_window_update(opt, 1);
    nghttp2_option_set_no_closed_streams(opt, 1);
    nghttp2_option_set_max_settings(opt, 16);
    CHECK(nghttp2_session_server_new2(&h->ng, cb, h, opt) == 0);
    nghttp2_option_del(opt);
    nghttp2_session_callbacks_del(cb);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, LIMIT_HTTP2_STREAMS},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_HTTP_HEAD_BYTES},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, LIMIT_HTTP2_STREAM_WINDOW},
    };
    CHECK(nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, settings, 3) == 0);
    CHECK(nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0,
                                                LIMIT_HTTP2_CONN_WINDOW) == 0);
    return h;
}

void h2_free(struct h2 *h)
{
    if (!h) return;
    nghttp2_session_del(h->ng);
    h->told = NULL;
    LIST_EACH(it, &h->all) free_stream(h, CONTAINER_OF(it, struct h2_stream, all));
    free(h);
}

enum err h2_feed(struct h2 *h, struct span bytes, int64_t now_us)
{
    free_told(h);
    h->now_us = h->quiet_us = now_us;
    if (h->flooded) return E_LIMIT;
    const ssize_t n = nghttp2_session_mem_recv(h->ng, bytes.p, bytes.len);
    if (n >= 0) return E_OK;
    h->flooded |= n == NGHTTP2_ERR_FLOODED;
    if (!h->flooded) {
        nghttp2_session_terminate_session(h->ng, NGHTTP2_PROTOCOL_ERROR);
        return E_PROTO;
    }
    nghttp2_session_terminate_session(h->ng, NGHTTP2_ENHANCE_YOUR_CALM);
    return E_LIMIT;
}

/* What there is to tell about a stream; false: nothing more for now. */
static bool tell(struct h2 *h, struct h2_stream *s, struct h2_event *ev)
{
    *ev = (struct h2_event){.stream = s};
    if (!s->announced) {
        s->announced = true;
        ev->kind = H2_REQUEST;
        ev->head = &s->head;
        ev->problem = s->problem;
        return true;
    }
    str_fini(&s->bytes); /* the head has been read: 128 long ones would be much */
    if (s->closed) {
        list_remove(&s->ready);
        ev->kind = H2_CLOSED;
        ev->whole = s->replied && s->whole;
        h->told = s;
        return true;
    }
    if (s->held) {
        list_remove(&s->ready);
        return false;
    }
    if (s->body.len) {
        ev->kind = H2_BODY;
        ev->body = str_span(&s->body);
        (void)nghttp2_session_consume(h->ng, s->id, s->body.len);
        s->body.len = 0;
        return true;
    }
    list_remove(&s->ready);
    if (!s->ended || s->end_told) return false;
    s->end_told = true;
    ev->kind = H2_END;
    return true;
}

bool h2_next(struct h2 *h, struct h2_event *ev)
{
    free_told(h);
    while (!list_empty(&h->ready))
        if (tell(h, CONTAINER_OF(h->ready.next, struct h2_stream, ready), ev)) return true;
    return false;
}

bool h2_has_events(const struct h2 *h)
{
    return !list_empty(&h->ready);
}

bool h2_output(struct h2 *h, struct span *out)
{
    const uint8_t *p;
    free_told(h);
    const ssize_t n = nghttp2_session_mem_send(h->ng, &p);
    if (n <= 0) return false;
    *out = span_of(p, (size_t)n);
    return true;
}

static nghttp2_nv field(struct span name, struct span value)
{
    CHECK(http_is_value(value));
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name.p, (uint8_t *)(uintptr_t)value.p, name.len,
                        value.len, NGHTTP2_NV_FLAG_NONE};
}

#define REPLY_FIELDS_MAX 32

void h2_tick(struct h2 *h, int64_t now_us)
{
    h->now_us = now_us;
}

void h2_reply(struct h2 *h, struct h2_stream *s, const struct http_reply *r,
              const struct h2_source *source)
{
    nghttp2_nv nv[REPLY_FIELDS_MAX + 3];
    char status[12], length[24];
    size_t n = 0;
    CHECK(!s->replied && r->n_headers <= REPLY_FIELDS_MAX);
    s->replied = true;
    if (s->closed) return;
    snprintf(status, sizeof status, "%d", r->status);
    nv[n++] = field(SPAN_LIT(":status"), span_str(status));
    if (r->date.len) nv[n++] = field(SPAN_LIT("date"), r->date);
    for (size_t i = 0; i < r->n_headers; i++)
        nv[n++] = field(span_str(r->headers[i].name), span_str(r->headers[i].value));
    if (r->length != HTTP_LENGTH_UNKNOWN && http_status_has_body(r->status)) {
        snprintf(length, sizeof length, "%llu", (unsigned long long)r->length);
        nv[n++] = field(SPAN_LIT("content-length"), span_str(length));
    }
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = on_source};
    s->whole = !source;
    s->sending = source != NULL;
    s->sent_us = h->now_us;
    if (source) s->source = *source;
    const int rc = nghttp2_submit_response(h->ng, s->id, nv, n, source ? &provider : NULL);
    CHECK(rc != NGHTTP2_ERR_INVALID_ARGUMENT && rc != NGHTTP2_ERR_NOMEM);
}

void h2_resume(struct h2 *h, struct h2_stream *s)
{
    if (s->closed) return;
    if (!s->sending) s->sent_us = h->now_us;
    s->sending = true;
    (void)nghttp2_session_resume_data(h->ng, s->id);
}

void h2_reset(struct h2 *h, struct h2_stream *s)
{
    s->dead = true;
    if (!s->closed) (void)nghttp2_submit_rst_stream(h->ng, 0, s->id, NGHTTP2_INTERNAL_ERROR);
}

void h2_goaway(struct h2 *h)
{
    if (h->going) return;
    h->going = true;
    (void)nghttp2_submit_goaway(h->ng, 0, nghttp2_session_get_last_proc_stream_id(h->ng),
                                NGHTTP2_NO_ERROR, NULL, 0);
}

bool h2_is_done(const struct h2 *h)
{
    if (h->n_streams || nghttp2_session_want_write(h->ng)) return false;
    return h->going || !nghttp2_session_want_read(h->ng);
}

void h2_stream_hold(struct h2 *h, struct h2_stream *s, bool on)
{
    if (s->held == on || s->closed) return;
    s->held = on;
    if (on) {
        s->held_us = h->now_us;
        return;
    }
    s->since_us += h->now_us - s->held_us;
    s->last_us = h->now_us;
    set_ready(h, s);
}

void h2_stream_set_ctx(struct h2_stream *s, void *ctx)
{
    s->ctx = ctx;
}

void *h2_stream_ctx(const struct h2_stream *s)
{
    return s->ctx;
}

/* --- time --------------------------------------------------------------------------------- */

static int64_t stream_deadline(const struct h2_stream *s)
{
    if (s->closed || !s->head_done) return INT64_MAX;
    if (s->sending && !s->dead) return s->sent_us + LIMIT_HTTP_WRITE_STALL_MS * US_PER_MS;
    if (s->ended || s->held) return INT64_MAX;
    const int64_t silence = s->last_us + LIMIT_HTTP_BODY_MS * US_PER_MS;
    const int64_t pace = s->since_us + LIMIT_HTTP_BODY_MS * US_PER_MS +
                         (int64_t)(s->got / LIMIT_HTTP_BODY_RATE) * US_PER_SEC;
    return silence < pace ? silence : pace;
}

int64_t h2_deadline_us(const struct h2 *h)
{
    int64_t at = h->n_streams ? INT64_MAX : h->quiet_us + LIMIT_HTTP_IDLE_MS * US_PER_MS;
    if (h->heading) at = h->heading_us + LIMIT_HTTP_HEAD_MS * US_PER_MS;
    LIST_EACH(it, &h->all)
    {
        const int64_t t = stream_deadline(CONTAINER_OF(it, struct h2_stream, all));
        if (t < at) at = t;
    }
    return at;
}

bool h2_on_deadline(struct h2 *h, int64_t now_us)
{
    bool any = false;
    if (h->heading && now_us >= h->heading_us + LIMIT_HTTP_HEAD_MS * US_PER_MS) return false;
    LIST_EACH(it, &h->all)
    {
        struct h2_stream *s = CONTAINER_OF(it, struct h2_stream, all);
        if (stream_deadline(s) > now_us) continue;
        s->ended = s->end_told = s->dead = true; /* not twice */
        (void)nghttp2_submit_rst_stream(h->ng, 0, s->id, NGHTTP2_CANCEL);
        any = true;
    }
    return any || h->n_streams > 0;
}
