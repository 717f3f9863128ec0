/* SPDX-License-Identifier: MIT */
/* serve/http/router.h - from method and decoded path to a route; see struct http_route.
 *
 * Made once, read by every loop. The order of trial is decided when it is made: pattern by pattern
 * from the left, exact text before `{}` with text, before `{}`, before `*`; equals as they stand in
 * the table. A match is then a walk down that list. */
#pragma once
#include "serve/http/http.h"

struct router;

/* Captures of a match: views into the path. A final `*` captures the rest, which may be empty. */
struct router_match {
    const struct http_route *route; /* NULL: none */
    struct span params[HTTP_PARAMS_MAX];
    unsigned n_params;
    unsigned allowed; /* without a route: methods that the path has, as bits 1 << method */
};

struct router *router_new(const struct http_route *routes, size_t n);
void router_free(struct router *r);
void router_find(const struct router *r, enum http_method m, struct span path,
                 struct router_match *out);
