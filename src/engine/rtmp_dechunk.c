/* SPDX-License-Identifier: MIT */
/* Where senders differ, and what is done about it:
 *
 * - A type 3 chunk repeats the extended timestamp of its header or leaves it out: four bytes are
 *   looked at, and taken only when they are that timestamp.
 * - A type 3 chunk may begin a new message: it has the delta of the one before. After a type 0
 *   that delta is 0 (the text of the standard would add the absolute time to itself).
 * - Deltas may be "negative": times are added modulo 2^32.
 * - A chunk stream may begin with type 1.
 * - A new header in the middle of a message gives the unfinished one up. */
#include "engine/rtmp_dechunk.h"
#include "base/limits.h"
#include "base/rd.h"
#include "base/xalloc.h"

#define FIRST_ALLOC 4096

struct rtmp_chunk_stream {
    uint32_t csid;
    uint32_t ts_ms; /* of the message being read, or the last one */
    uint32_t delta; /* for a type 3 that begins a message */
    uint32_t field; /* the extended timestamp as it was written */
    uint32_t msg_len, msg_stream;
    uint8_t msg_type;
    bool ext;  /* the last header had an extended timestamp */
    bool open; /* a message has begun: got < msg_len, or its first chunk is still to come */
    uint8_t *buf;
    size_t got, cap;
};

void rtmp_dechunk_init(struct rtmp_dechunk *d, uint32_t max_message)
{
    *d = (struct rtmp_dechunk){.chunk_size = 128, .max_message = max_message};
}

void rtmp_dechunk_fini(struct rtmp_dechunk *d)
{
    for (size_t i = 0; i < d->n_streams; i++) free(d->streams[i].buf);
    free(d->streams);
    free(d->done);
    free(d->spare);
    rtmp_dechunk_init(d, d->max_message);
}

void rtmp_dechunk_trim(struct rtmp_dechunk *d)
{
    free(d->spare);
    d->spare = NULL;
    d->spare_cap = 0;
}

static enum err fail(struct rtmp_dechunk *d, enum err e, const char *why)
{
    d->why = why;
    return e;
}

static struct rtmp_chunk_stream *stream_find(struct rtmp_dechunk *d, uint32_t csid)
{
    for (size_t i = 0; i < d->n_streams; i++) {
        if (d->streams[i].csid == csid) return &d->streams[i];
    }
    return NULL;
}

/* d->at points into the array: call between chunks only. */
static struct rtmp_chunk_stream *stream_add(struct rtmp_dechunk *d, uint32_t csid)
{
    if (d->n_streams == LIMIT_RTMP_CHUNK_STREAMS) return NULL;
    if (d->n_streams == d->cap_streams) {
        d->cap_streams = (uint16_t)(d->cap_streams ? d->cap_streams * 2 : 4);
        d->streams = xrealloc(d->streams, d->cap_streams * sizeof *d->streams);
    }
    struct rtmp_chunk_stream *s = &d->streams[d->n_streams++];
    *s = (struct rtmp_chunk_stream){.csid = csid};
    return s;
}

/* Gives the buffer of a message back: kept for the next one when it is the larger. */
static void buf_give(struct rtmp_dechunk *d, uint8_t **buf, size_t *cap)
{
    if (*cap > d->spare_cap) {
        uint8_t *const p = d->spare;
        d->spare = *buf;
        d->spare_cap = *cap;
        *buf = p;
    }
    free(*buf);
    *buf = NULL;
    *cap = 0;
}

static void message_drop(struct rtmp_dechunk *d, struct rtmp_chunk_stream *s)
{
    d->partial_bytes -= s->cap;
    buf_give(d, &s->buf, &s->cap);
    s->got = 0;
    s->open = false;
}

/* Room for n bytes in all. Doubles, up to the message's length. */
static enum err message_reserve(struct rtmp_dechunk *d, struct rtmp_chunk_stream *s, size_t n)
{
    if (n <= s->cap) return E_OK;
    if (!s->buf && d->spare) {
        s->buf = d->spare;
        s->cap = d->spare_cap;
        d->spare = NULL;
        d->spare_cap = 0;
        d->partial_bytes += s->cap;
        if (n <= s->cap) return E_OK;
    }
    size_t cap = s->cap ? s->cap * 2 : FIRST_ALLOC;
    if (cap < n) cap = n;
    if (cap > s->msg_len) cap = s->msg_len;
    if (d->partial_bytes - s->cap + cap > LIMIT_RTMP_PARTIAL_BYTES) {
        return fail(d, E_LIMIT, "too many bytes in unfinished messages");
    }
    d->partial_bytes += cap - s->cap;
    s->buf = xrealloc(s->buf, cap);
    s->cap = cap;
    return E_OK;
}

/* The fields of a type 0, 1 or 2 header: a message begins. */
static enum err message_begin(struct rtmp_dechunk *d, struct rtmp_chunk_stream *s,
                              const struct rtmp_chunk_hdr *h)
{
    if (s->open) message_drop(d, s);
    s->ext = h->ext;
    s->field = h->ts_ms;
    s->delta = h->fmt == 0 ? 0 : h->ts_ms;
    s->ts_ms = h->fmt == 0 ? h->ts_ms : s->ts_ms + h->ts_ms;
    if (h->fmt == 0) s->msg_stream = h->msg_stream;
    if (h->fmt <= 1) {
        s->msg_len = h->msg_len;
        s->msg_type = h->msg_type;
    }
    s->open = true;
    const bool media = s->msg_type == RTMP_AUDIO || s->msg_type == RTMP_VIDEO ||
                       s->msg_type == RTMP_DATA_AMF0 || s->msg_type == RTMP_DATA_AMF3 ||
                       s->msg_type == RTMP_AGGREGATE;
    if (s->msg_len > d->max_message || (!media && s->msg_len > LIMIT_RTMP_COMMAND_BYTES)) {
        return fail(d, E_LIMIT, "message too long");
    }
    return E_OK;
}

/* How many of the four bytes after a type 3 header are an extended timestamp: 4 or 0. A new
 * message may have the delta or the time it leads to. */
static size_t ext_repeated(const struct rtmp_chunk_stream *s, struct span after)
{
    struct rd r = rd_from(after);
    const uint32_t v = rd_u32be(&r);
    return v == s->field || v == s->ts_ms || (!s->open && v == s->ts_ms + s->delta) ? 4 : 0;
}

/* Reads a chunk header at the front of `in`; *size is what it took of it. */
static enum err header_read(struct rtmp_dechunk *d, struct span in, size_t *size)
{
    struct rtmp_chunk_hdr h;
    enum err e = rtmp_chunk_hdr_parse(in, &h);
    if (e != E_OK) return e;
    struct rtmp_chunk_stream *s = stream_find(d, h.csid);
    if (!s && h.fmt >= 2) return fail(d, E_PROTO, "chunk stream begins without a length");
    if (s && h.fmt == 3 && s->ext) {
        if (in.len < h.size + 4u) return E_MORE;
        h.size = (uint8_t)(h.size + ext_repeated(s, span_skip(in, h.size)));
    }
    if (!s) s = stream_add(d, h.csid);
    if (!s) return fail(d, E_LIMIT, "too many chunk streams");
    if (h.fmt == 3 && !s->open) {
        s->ts_ms += s->delta;
        s->open = true;
    } else if (h.fmt != 3) {
        e = message_begin(d, s, &h);
        if (e != E_OK) return e;
    }
    const size_t left = s->msg_len - s->got;
    d->at = s;
    d->chunk_left = left < d->chunk_size ? left : d->chunk_size;
    *size = h.size;
    return E_OK;
}

/* A header is at most RTMP_CHUNK_HDR_MAX + 4 bytes: one that was cut waits in `carry`. When the
 * four bytes looked at were payload after all, they stay there and are read first. */
static enum err header_next(struct rtmp_dechunk *d, struct span *in)
{
    size_t size;
    const size_t had = d->carry_len;
    if (had == 0) {
        const enum err e = header_read(d, *in, &size);
        if (e == E_OK) *in = span_skip(*in, size);
        if (e != E_MORE) return e;
        if (in->len) memcpy(d->carry, in->p, in->len);
        d->carry_len = (uint8_t)in->len;
        *in = SPAN_NULL;
        return E_MORE;
    }
    const size_t room = sizeof d->carry - had;
    const size_t add = in->len < room ? in->len : room;
    if (add) memcpy(d->carry + had, in->p, add);
    const enum err e = header_read(d, span_of(d->carry, had + add), &size);
    if (e == E_MORE) {
        d->carry_len = (uint8_t)(had + add);
        *in = span_skip(*in, add);
    }
    if (e != E_OK) return e;
    if (size >= had) {
        d->carry_len = 0;
        *in = span_skip(*in, size - had);
    } else {
        d->carry_len = (uint8_t)(had - size);
        memmove(d->carry, d->carry + size, d->carry_len);
    }
    return E_OK;
}

/* Takes payload of the chunk being read from `part`. E_OK: its message is whole, in *body. */
static enum err payload_add(struct rtmp_dechunk *d, struct span part, struct span *body)
{
    struct rtmp_chunk_stream *const s = d->at;
    const bool whole = s->got == 0 && part.len == s->msg_len;
    if (!whole) {
        const enum err e = message_reserve(d, s, s->got + part.len);
        if (e != E_OK) return e;
        if (part.len) memcpy(s->buf + s->got, part.p, part.len);
        s->got += part.len;
    }
    d->chunk_left -= part.len;
    if (d->chunk_left > 0) return E_MORE;
    d->at = NULL;
    if (!whole && s->got < s->msg_len) return E_MORE;
    *body = whole ? part : span_of(s->buf, s->got);
    if (!whole) {
        d->partial_bytes -= s->cap;
        d->done = s->buf;
        d->done_cap = s->cap;
    }
    s->buf = NULL;
    s->got = s->cap = 0;
    s->open = false;
    return E_OK;
}

/* From what was carried over first, then from the input. */
static enum err payload_next(struct rtmp_dechunk *d, struct span *in, struct span *body)
{
    if (d->carry_len == 0) {
        const struct span part = span_head(*in, d->chunk_left);
        *in = span_skip(*in, part.len);
        return payload_add(d, part, body);
    }
    const size_t n = d->carry_len < d->chunk_left ? d->carry_len : d->chunk_left;
    memcpy(d->small, d->carry, n);
    d->carry_len = (uint8_t)(d->carry_len - n);
    memmove(d->carry, d->carry + n, d->carry_len);
    return payload_add(d, span_of(d->small, n), body);
}

static enum err on_chunk_size(struct rtmp_dechunk *d, struct span body)
{
    struct rd r = rd_from(body);
    const uint32_t size = rd_u32be(&r);
    if (r.underflow) return fail(d, E_PROTO, "Set Chunk Size is cut short");
    if (size == 0 || size > INT32_MAX) return fail(d, E_PROTO, "chunk size out of range");
    d->chunk_size = size; /* as large as they like: nothing is allocated by it */
    return E_OK;
}

static enum err on_abort(struct rtmp_dechunk *d, struct span body)
{
    struct rd r = rd_from(body);
    const uint32_t csid = rd_u32be(&r);
    if (r.underflow) return fail(d, E_PROTO, "Abort is cut short");
    struct rtmp_chunk_stream *s = stream_find(d, csid);
    if (s && s->open) message_drop(d, s);
    return E_OK;
}

enum err rtmp_dechunk_next(struct rtmp_dechunk *d, struct span *in, struct rtmp_msg *out)
{
    for (;;) {
        if (d->done) buf_give(d, &d->done, &d->done_cap);
        enum err e = d->at ? E_OK : header_next(d, in);
        if (e != E_OK) return e;
        if (d->chunk_left > 0 && d->carry_len == 0 && in->len == 0) return E_MORE;
        const struct rtmp_chunk_stream *s = d->at;
        struct rtmp_msg m = {(enum rtmp_type)s->msg_type, s->ts_ms, s->msg_stream, {0}};
        e = payload_next(d, in, &m.body);
        if (e == E_MORE) continue;
        if (e == E_OK && m.type == RTMP_SET_CHUNK_SIZE) {
            e = on_chunk_size(d, m.body);
        } else if (e == E_OK && m.type == RTMP_ABORT) {
            e = on_abort(d, m.body);
        } else if (e == E_OK) {
            *out = m;
            return E_OK;
        }
        if (e != E_OK) return e;
    }
}
