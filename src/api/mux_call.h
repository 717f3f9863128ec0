/* SPDX-License-Identifier: MIT */
/* api/mux_call.h - the frame of the Mux-compatible API, /video/v1 and /system/v1.
 *
 * A call is a struct call (api/call.h) whose endpoint has the flag CALL_MUX: the frame has checked
 * the token before `work` runs on a pool thread (c->user is its owner, c->token_row the token), and
 * what goes wrong is said in Mux's words.
 *
 * To add endpoints, write api/mux_THING.c:
 *
 *     static void thing_get(struct call *c)
 *     {
 *         const char *id = mux_id(c, 0, "thing");              // 400 for what is no id
 *         if (!id) return;
 *         json_t *j = thing_json(c->db, c->user.id, id);       // a foreign one is like none
 *         if (j) mux_data(c, 200, j);
 *         else mux_missing(c, "thing");                        // 404
 *     }
 *     static const struct endpoint ENDPOINTS[] = {
 *         {HTTP_GET, "/video/v1/things", thing_list, CALL_MUX, {"page", "limit"}},
 *         {HTTP_GET, "/video/v1/things/{}", thing_get, CALL_MUX, {0}},
 *     };
 *     const struct endpoint_table mux_thing = ENDPOINT_TABLE(ENDPOINTS);
 *
 * and a line in mux_tables.def; the file's name goes into meson.build. Each call ends in exactly
 * one of mux_data, mux_list, mux_none, mux_error, mux_missing, mux_fail, or a field check that
 * failed.
 *
 * A client repeats what is answered 408, 409, 429 or 5xx: so nothing here is a 409, and nothing is
 * answered 5xx once it has been made. Commit, then reply. */
#pragma once
#include "api/call.h"

/* --- the reply. Each takes the reference of its JSON over. --- */
void mux_data(struct call *c, int status, json_t *json); /* {"data": json} */
/* {"data": [...]}, and with `next` "next_cursor": "" is null, NULL leaves it out. */
void mux_list(struct call *c, json_t *array, const char *next);
void mux_none(struct call *c); /* 204 */
/* {"error": {"type", "messages": [text]}}. Types: MUX_INVALID for 400, MUX_NOT_FOUND, ... */
void mux_error(struct call *c, int status, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define MUX_INVALID   "invalid_parameters"
#define MUX_FORBIDDEN "forbidden"
#define MUX_NOT_FOUND "not_found"
void mux_missing(struct call *c, const char *what);
/* What a domain function has returned; `c->problem` may say why. */
void mux_fail(struct call *c, enum err e);

/* --- the request --- */

/* The i-th capture as an id; NULL: the reply is made. */
const char *mux_id(struct call *c, unsigned i, const char *what);
/* A query parameter that the endpoint names; NULL: not given. */
const char *mux_query(const struct call *c, const char *name);
/* The body, a JSON object; an empty body is {}. NULL: the reply is made. Borrowed from the call. */
json_t *mux_body(struct call *c);

/* "page" (from 1) and "limit" (25, 1 to 100), which the endpoint must name in its query. A list
 * ends with an empty page: past the end there are no rows, and no error. False: the reply is made.
 */
struct mux_page {
    int64_t limit, offset;
};
bool mux_page(struct call *c, struct mux_page *out);

/* --- fields of a JSON object: absent and null are the same. False: the reply is made (400), and
 * names the field. `out` is left alone when the field is absent. --- */
bool mux_text(struct call *c, json_t *in, const char *name, size_t max_chars, const char **out);
bool mux_int(struct call *c, json_t *in, const char *name, int64_t min, int64_t max, int64_t *out);
bool mux_number(struct call *c, json_t *in, const char *name, double min, double max, double *out);
bool mux_bool(struct call *c, json_t *in, const char *name, bool *out);
/* The index of the word in `words`, which ends with NULL. */
bool mux_word(struct call *c, json_t *in, const char *name, const char *const *words, int *out);
bool mux_object(struct call *c, json_t *in, const char *name, json_t **out);
bool mux_array(struct call *c, json_t *in, const char *name, size_t max, json_t **out);
/* True when the object has the field, even as null. */
bool mux_given(const json_t *in, const char *name);
bool mux_invalid(struct call *c, const char *name, const char *text); /* false, always */

/* --- shared shapes (mux_json.c and others) --- */
json_t *mux_time(int64_t us); /* "1700000000": Mux writes times as texts, outside of webhooks */

/* --- the frame's own (call.c, routes.c) --- */
bool mux_admit(struct call *c);
/* c->problem as a reply. */
void mux_problem(struct call *c, enum err e);
