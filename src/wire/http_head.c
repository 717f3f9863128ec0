/* SPDX-License-Identifier: MIT */
/* The head on the wire:
 *
 *   method SP target SP "HTTP/1." DIGIT CRLF
 *   *( name ":" OWS value OWS CRLF )
 *   CRLF
 */
#include "wire/http_head.h"

enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

/* What each byte may be part of. Value: VCHAR, obs-text, space, tab. Target: VCHAR but '#'. */
static uint8_t class_of(uint8_t c)
{
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    uint8_t k = 0;
    if (alnum || (c && strchr("!#$%&'*+-.^_`|~", c))) k |= TOKEN;
    if ((c >= 0x20 && c != 0x7f) || c == '\t') k |= VALUE;
    if (c > 0x20 && c < 0x7f && c != '#') k |= TARGET;
    if (alnum || (c && strchr("-._~!$&'()*+,;=%:[]", c))) k |= HOST;
    return k;
}

static uint8_t classes[256];

__attribute__((constructor)) static void classes_fill(void)
{
    for (int c = 0; c < 256; c++) classes[c] = class_of((uint8_t)c);
}

static bool all_of(struct span s, uint8_t k)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(classes[s.p[i]] & k)) return false;
    return true;
}

bool http_is_token(struct span s)
{
    return s.len > 0 && all_of(s, TOKEN);
}

bool http_is_value(struct span s)
{
    return all_of(s, VALUE);
}

bool http_is_host(struct span s)
{
    return all_of(s, HOST);
}

struct span http_head_get(const struct http_head *h, const char *name)
{
    const struct span want = span_str(name);
    for (size_t i = 0; i < h->n_fields; i++)
        if (h->fields[i].name.len == want.len &&
            span_ieq(http_slice_of(h, h->fields[i].name), want))
            return http_slice_of(h, h->fields[i].value);
    return SPAN_NULL;
}

/* The parse in progress. `in` is at most LIMIT_HTTP_HEAD_BYTES + 1, so offsets fit 16 bits. */
struct parse {
    struct span in;
    size_t at;
    struct http_head h;
    struct http_problem *why;
    unsigned hosts, lengths, codings;
    bool close, keep;
};

static enum err refuse(struct parse *p, enum err e, uint16_t status, const char *why)
{
    *p->why = (struct http_problem){status, why};
    return e;
}

static enum err bad(struct parse *p, const char *why)
{
    return refuse(p, E_PROTO, 400, why);
}

static struct http_slice slice(const struct parse *p, struct span s)
{
    return (struct http_slice){(uint16_t)(s.p - p->in.p), (uint16_t)s.len};
}

/* Takes bytes of class k. At the end of the input the caller answers E_MORE. */
static struct span take(struct parse *p, uint8_t k)
{
    const size_t from = p->at;
    while (p->at < p->in.len && classes[p->in.p[p->at]] & k) p->at++;
    return span_of(p->in.p + from, p->at - from);
}

static bool at_end(const struct parse *p)
{
    return p->at == p->in.len;
}

static enum err expect_crlf(struct parse *p, const char *why)
{
    for (const char *c = "\r\n"; *c; c++) {
        if (at_end(p)) return E_MORE;
        if (p->in.p[p->at++] != (uint8_t)*c) return bad(p, why);
    }
    return E_OK;
}

static enum err take_char(struct parse *p, char c, const char *why)
{
    if (at_end(p)) return E_MORE;
    return p->in.p[p->at++] == (uint8_t)c ? E_OK : bad(p, why);
}

bool http_target_split(struct http_head *h, struct http_slice target)
{
    struct span rest = http_slice_of(h, target);
    if (rest.len == 0 || rest.p[0] != '/') return false;
    const struct span path = span_cut(&rest, '?');
    h->path = (struct http_slice){target.off, (uint16_t)path.len};
    h->has_query = rest.p != NULL;
    h->query = h->has_query
                   ? (struct http_slice){(uint16_t)(target.off + path.len + 1), (uint16_t)rest.len}
                   : (struct http_slice){target.off, 0};
    return true;
}

/* RFC 9112 3.2.2: a server must take absolute-form, and use its authority instead of Host. */
static enum err absolute_target(struct parse *p, struct span t)
{
    size_t skip = 0;
    if (span_ieq(span_head(t, 7), SPAN_LIT("http://"))) skip = 7;
    if (span_ieq(span_head(t, 8), SPAN_LIT("https://"))) skip = 8;
    if (skip == 0) return bad(p, "request target");
    struct span rest = span_skip(t, skip), host = rest;
    host.len = 0;
    while (host.len < rest.len && rest.p[host.len] != '/' && rest.p[host.len] != '?') host.len++;
    rest = span_skip(rest, host.len);
    if (host.len == 0 || !http_is_host(host)) return bad(p, "request target authority");
    p->h.host = slice(p, host);
    if (!http_target_split(&p->h, slice(p, rest))) return bad(p, "request target path");
    return E_OK;
}

static enum err read_target(struct parse *p)
{
    const struct span t = take(p, TARGET);
    if (t.len > LIMIT_HTTP_TARGET_BYTES) return refuse(p, E_LIMIT, 414, "request target too long");
    if (at_end(p)) return E_MORE;
    if (span_is(t, "*")) {
        if (p->h.method != HTTP_OPTIONS) return bad(p, "* without OPTIONS");
        p->h.path = p->h.query = slice(p, t);
        p->h.query.len = 0;
        return E_OK;
    }
    p->h.base = p->in.p;
    if (http_target_split(&p->h, slice(p, t))) return E_OK;
    return absolute_target(p, t);
}

static enum err read_version(struct parse *p)
{
    const char *want = "HTTP/";
    for (const char *c = want; *c; c++) {
        const enum err e = take_char(p, *c, "request line");
        if (e != E_OK) return e;
    }
    if (p->in.len - p->at < 3) {
        if (p->at < p->in.len && p->in.p[p->at] != '1')
            return refuse(p, E_UNSUPPORTED, 505, "HTTP version");
        return E_MORE;
    }
    const uint8_t *v = p->in.p + p->at;
    if (v[0] != '1') return refuse(p, E_UNSUPPORTED, 505, "HTTP version");
    if (v[1] != '.' || v[2] < '0' || v[2] > '9') return bad(p, "HTTP version");
    p->h.minor = v[2] == '0' ? 0 : 1;
    p->at += 3;
    return expect_crlf(p, "request line end");
}

static enum err request_line(struct parse *p)
{
    const struct span method = take(p, TOKEN);
    if (method.len > 32) return refuse(p, E_UNSUPPORTED, 501, "method");
    if (at_end(p)) return E_MORE;
    if (method.len == 0 || p->in.p[p->at++] != ' ') return bad(p, "request line");
    if (!http_method_from(method, &p->h.method)) return refuse(p, E_UNSUPPORTED, 501, "method");
    enum err e = read_target(p);
    if (e != E_OK) return e;
    e = take_char(p, ' ', "request target");
    return e == E_OK ? read_version(p) : e;
}

static bool list_has(struct span list, const char *token)
{
    while (list.p) {
        const struct span item = span_trim(span_cut(&list, ','));
        if (span_ieq(item, span_str(token))) return true;
    }
    return false;
}

static enum err field_length(struct parse *p, struct span value)
{
    if (p->lengths++) return bad(p, "several Content-Length");
    p->h.framing = HTTP_LENGTH;
    if (!span_u64(value, INT64_MAX, &p->h.content_length)) return bad(p, "Content-Length");
    return E_OK;
}

static enum err field_coding(struct parse *p, struct span value)
{
    if (p->codings++) return bad(p, "several Transfer-Encoding");
    if (p->h.minor == 0) return bad(p, "Transfer-Encoding in HTTP/1.0");
    if (!span_ieq(value, SPAN_LIT("chunked")))
        return refuse(p, E_UNSUPPORTED, 501, "Transfer-Encoding");
    return E_OK;
}

static enum err field_host(struct parse *p, struct span value)
{
    if (p->hosts++) return bad(p, "several Host");
    if (!http_is_host(value)) return bad(p, "Host");
    if (p->h.host.len == 0) p->h.host = slice(p, value); /* absolute-form wins */
    return E_OK;
}

static enum err field_known(struct parse *p, struct span name, struct span value)
{
    switch (name.len) {
    case 4:
        return span_ieq(name, SPAN_LIT("host")) ? field_host(p, value) : E_OK;
    case 6:
        if (!span_ieq(name, SPAN_LIT("expect"))) return E_OK;
        if (!span_ieq(value, SPAN_LIT("100-continue")))
            return refuse(p, E_UNSUPPORTED, 417, "Expect");
        p->h.expect_continue = p->h.minor >= 1;
        return E_OK;
    case 10:
        if (!span_ieq(name, SPAN_LIT("connection"))) return E_OK;
        p->close |= list_has(value, "close");
        p->keep |= list_has(value, "keep-alive");
        return E_OK;
    case 14:
        return span_ieq(name, SPAN_LIT("content-length")) ? field_length(p, value) : E_OK;
    case 17:
        return span_ieq(name, SPAN_LIT("transfer-encoding")) ? field_coding(p, value) : E_OK;
    default:
        return E_OK;
    }
}

static enum err field_line(struct parse *p)
{
    const struct span name = take(p, TOKEN);
    if (at_end(p)) return E_MORE;
    const uint8_t after = p->in.p[p->at++];
    if (name.len == 0) return bad(p, "field name, or a folded line");
    if (after != ':') return bad(p, "field name");
    const struct span value = span_trim(take(p, VALUE));
    const enum err e = expect_crlf(p, "field value");
    if (e != E_OK) return e;
    if (p->h.n_fields == LIMIT_HTTP_HEADERS) return refuse(p, E_LIMIT, 431, "too many fields");
    p->h.fields[p->h.n_fields++] = (struct http_field){slice(p, name), slice(p, value)};
    return field_known(p, name, value);
}

static enum err finish(struct parse *p)
{
    if (p->hosts == 0 && p->h.minor >= 1) return bad(p, "no Host");
    if (p->codings && p->lengths) return bad(p, "Transfer-Encoding and Content-Length");
    if (p->codings) p->h.framing = HTTP_CHUNKED;
    p->h.keep_alive = !p->close && (p->h.minor >= 1 || p->keep);
    p->h.base = p->in.p;
    p->h.size = (uint16_t)p->at;
    return E_OK;
}

static enum err parse_all(struct parse *p)
{
    if (p->in.len && p->in.p[0] == '\r') { /* RFC 9112 2.2: one empty line before is ignored */
        const enum err e = expect_crlf(p, "request line");
        if (e != E_OK) return e;
    }
    enum err e = request_line(p);
    while (e == E_OK) {
        if (at_end(p)) return E_MORE;
        if (p->in.p[p->at] == '\r') {
            e = expect_crlf(p, "end of the head");
            return e == E_OK ? finish(p) : e;
        }
        e = field_line(p);
    }
    return e;
}

enum err http_head_parse(struct span in, struct http_head *out, struct http_problem *why)
{
    struct parse p;
    memset(&p, 0, offsetof(struct parse, h) + offsetof(struct http_head, fields));
    p.in = span_head(in, LIMIT_HTTP_HEAD_BYTES);
    p.why = why;
    p.hosts = p.lengths = p.codings = 0;
    p.close = p.keep = false;
    enum err e = parse_all(&p);
    if (e == E_MORE && in.len >= LIMIT_HTTP_HEAD_BYTES)
        e = refuse(&p, E_LIMIT, 431, "request head too long");
    if (e != E_OK) return e;
    memcpy(out, &p.h, offsetof(struct http_head, fields));
    memcpy(out->fields, p.h.fields, p.h.n_fields * sizeof p.h.fields[0]);
    return E_OK;
}
