/* SPDX-License-Identifier: MIT */
#include "serve/http/router.h"
#include "base/xalloc.h"

#define PARAM_BYTES_MAX 255
#define RANK_SEGMENTS   16

struct entry {
    const struct http_route *route;
    size_t order;
    size_t prefix; /* bytes of the pattern before its first hole: most routes differ there */
    char rank[RANK_SEGMENTS + 1]; /* a letter a segment: a exact, b {} with text, c {}, d star */
};

struct router {
    size_t n;
    struct entry entries[];
};

static void rank(struct entry *e)
{
    struct span rest = span_str(e->route->pattern + 1);
    size_t n = 0;
    for (; rest.p && n < RANK_SEGMENTS; n++) {
        const struct span seg = span_cut(&rest, '/');
        const bool star = span_is(seg, "*");
        const bool hole = memmem(seg.p, seg.len, "{}", 2) != NULL;
        e->rank[n] = star ? 'd' : !hole ? 'a' : seg.len > 2 ? 'b' : 'c';
    }
    e->rank[n] = 0;
}

static int by_rank(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const int c = strcmp(x->rank, y->rank);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

struct router *router_new(const struct http_route *routes, size_t n)
{
    struct router *r = xcalloc(1, sizeof *r + n * sizeof r->entries[0]);
    r->n = n;
    for (size_t i = 0; i < n; i++) {
        CHECK(routes[i].pattern[0] == '/' && routes[i].handler);
        r->entries[i] = (struct entry){
            .route = &routes[i], .order = i, .prefix = strcspn(routes[i].pattern, "{*")};
        rank(&r->entries[i]);
    }
    qsort(r->entries, n, sizeof r->entries[0], by_rank);
    return r;
}

void router_free(struct router *r)
{
    free(r);
}

/* The capture at the beginning of `path` for a hole that `lit` follows; len 0: no match. */
static size_t capture_len(struct span path, const char *lit, size_t lit_len)
{
    const uint8_t *slash = path.len ? memchr(path.p, '/', path.len) : NULL;
    const size_t seg = slash ? (size_t)(slash - path.p) : path.len;
    size_t n;
    if (lit[lit_len] == '{') { /* another hole in this segment: up to the first such text */
        const uint8_t *hit = seg > 1 ? memmem(path.p + 1, seg - 1, lit, lit_len) : NULL;
        n = hit ? (size_t)(hit - path.p) : 0;
    } else {
        n = seg > lit_len ? seg - lit_len : 0;
    }
    return n <= PARAM_BYTES_MAX ? n : 0;
}

static bool matches(const char *pattern, struct span path, struct router_match *m)
{
    m->n_params = 0;
    for (const char *p = pattern; *p;) {
        if (p[0] == '*' && p[1] == 0) {
            if (m->n_params < HTTP_PARAMS_MAX) m->params[m->n_params++] = path;
            return path.len <= PARAM_BYTES_MAX;
        }
        if (p[0] == '{' && p[1] == '}') {
            p += 2;
            const size_t n = capture_len(path, p, strcspn(p, "/{"));
            if (n == 0) return false;
            if (m->n_params < HTTP_PARAMS_MAX) m->params[m->n_params++] = span_head(path, n);
            path = span_skip(path, n);
            continue;
        }
        const size_t lit = strcspn(p, "{*");
        const size_t n = lit ? lit : 1;
        if (path.len < n || memcmp(path.p, p, n) != 0) return false;
        path = span_skip(path, n);
        p += n;
    }
    return path.len == 0;
}

void router_find(const struct router *r, enum http_method m, struct span path,
                 struct router_match *out)
{
    *out = (struct router_match){0};
    for (size_t i = 0; i < r->n; i++) {
        const struct http_route *route = r->entries[i].route;
        const size_t prefix = r->entries[i].prefix;
        if (path.len < prefix || memcmp(path.p, route->pattern, prefix) != 0) continue;
        const bool fits = route->method == m || (m == HTTP_HEAD && route->method == HTTP_GET);
        if (!matches(route->pattern, path, out)) continue;
        if (fits) {
            out->route = route;
            return;
        }
        out->allowed |= 1u << route->method;
        if (route->method == HTTP_GET) out->allowed |= 1u << HTTP_HEAD;
    }
    out->n_params = 0;
}
