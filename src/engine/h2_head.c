/* SPDX-License-Identifier: MIT */
/* HTTP/2 request fields as the head that HTTP/1.1 would have brought (RFC 9113 section 8.3).
 * nghttp2 has checked their order, names, the forbidden connection fields and the lengths. */
#include "engine/h2_priv.h"

static struct http_slice append(struct h2_stream *s, struct span v)
{
    const struct http_slice at = {(uint16_t)s->bytes.len, (uint16_t)v.len};
    str_add(&s->bytes, v);
    return at;
}

static void refuse(struct h2_stream *s, uint16_t status, const char *why)
{
    if (s->problem.status == 0) s->problem = (struct http_problem){status, why};
}

static void add_pseudo(struct h2_stream *s, struct span name, struct span value)
{
    if (span_is(name, ":method"))
        s->method = append(s, value);
    else if (span_is(name, ":path"))
        s->target = append(s, value);
    else if (span_is(name, ":authority"))
        s->authority = append(s, value);
}

void h2_head_add(struct h2_stream *s, struct span name, struct span value)
{
    if (s->problem.status) return;
    if (s->bytes.len + name.len + value.len > LIMIT_HTTP_HEAD_BYTES) {
        refuse(s, 431, "request head too long");
        return;
    }
    value = span_trim(value);
    if (name.len && name.p[0] == ':') {
        add_pseudo(s, name, value);
        return;
    }
    if (!http_is_token(name) || !http_is_value(value)) {
        refuse(s, 400, "field");
        return;
    }
    if (s->head.n_fields == LIMIT_HTTP_HEADERS) {
        refuse(s, 431, "too many fields");
        return;
    }
    struct http_field *f = &s->head.fields[s->head.n_fields++];
    f->name = append(s, name);
    f->value = append(s, value);
}

static void finish_target(struct h2_stream *s)
{
    struct http_head *h = &s->head;
    const struct span t = http_slice_of(h, s->target);
    if (t.len > LIMIT_HTTP_TARGET_BYTES) {
        refuse(s, 414, "request target too long");
        return;
    }
    for (size_t i = 0; i < t.len; i++)
        if (t.p[i] <= 0x20 || t.p[i] >= 0x7f || t.p[i] == '#') {
            refuse(s, 400, "request target");
            return;
        }
    if (span_is(t, "*") && h->method == HTTP_OPTIONS) {
        h->path = s->target;
        h->query = (struct http_slice){s->target.off, 0};
    } else if (!http_target_split(h, s->target)) {
        refuse(s, 400, "request target");
    }
}

/* One authority: of the pseudo-field, or of Host; both must say the same (RFC 9113 8.3.1). */
static void finish_host(struct h2_stream *s)
{
    struct http_head *h = &s->head;
    unsigned hosts = 0;
    h->host = s->authority;
    for (size_t i = 0; i < h->n_fields; i++) {
        if (!span_is(http_slice_of(h, h->fields[i].name), "host")) continue;
        if (s->authority.len &&
            !span_ieq(http_slice_of(h, h->fields[i].value), http_slice_of(h, s->authority)))
            refuse(s, 400, "Host differs from the authority");
        h->host = h->fields[i].value;
        hosts++;
    }
    if (hosts > 1) refuse(s, 400, "several Host");
    if (hosts == 0 && s->authority.len == 0) refuse(s, 400, "no authority");
    if (!http_is_host(http_head_host(h))) refuse(s, 400, "authority");
}

void h2_head_finish(struct h2_stream *s, bool ended)
{
    struct http_head *h = &s->head;
    if (s->problem.status) return;
    h->base = s->bytes.p;
    h->minor = 2;
    h->keep_alive = true;
    h->size = (uint16_t)s->bytes.len;
    if (!http_method_from(http_slice_of(h, s->method), &h->method)) refuse(s, 501, "method");
    finish_target(s);
    finish_host(s);
    const struct span length = http_head_get(h, "content-length");
    h->framing = ended ? HTTP_NO_BODY : HTTP_CHUNKED;
    if (length.p && !span_u64(length, INT64_MAX, &h->content_length))
        refuse(s, 400, "Content-Length");
    else if (length.p)
        h->framing = HTTP_LENGTH;
}
