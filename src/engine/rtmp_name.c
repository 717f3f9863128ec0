/* SPDX-License-Identifier: MIT */
#include "engine/rtmp_name.h"

static bool is_around(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static struct span trim(struct span s, const char *set)
{
    while (s.len && is_around(s.p[0], set)) s = span_skip(s, 1);
    while (s.len && is_around(s.p[s.len - 1], set)) s.len--;
    return s;
}

/* The path of a URL, from after its host. */
static struct span url_path(struct span url)
{
    for (size_t i = 0; i + 2 < url.len; i++) {
        if (memcmp(url.p + i, "://", 3) != 0) continue;
        url = span_skip(url, i + 3);
        (void)span_cut(&url, '/');
        return url;
    }
    return SPAN_NULL;
}

/* Takes the query off; keeps it when there is none yet. */
static struct span path_of(struct span s, struct span *query)
{
    struct span rest = trim(s, "'\" \t");
    const struct span path = span_cut(&rest, '?');
    if (rest.len && query->len == 0) *query = rest;
    return trim(path, "/");
}

static struct span last_part(struct span path)
{
    size_t i = path.len;
    while (i > 0 && path.p[i - 1] != '/') i--;
    return span_skip(path, i);
}

void rtmp_name_split(struct span app, struct span tc_url, struct span stream, struct rtmp_name *out)
{
    struct rtmp_name n = {0};
    n.tc_url = trim(tc_url, "'\" \t");
    n.stream = path_of(stream, &n.query);
    n.app = path_of(app, &n.query);
    if (n.app.len == 0) n.app = path_of(url_path(n.tc_url), &n.query);
    n.key = last_part(n.stream.len ? n.stream : n.app);
    *out = n;
}
