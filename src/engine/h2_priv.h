/* SPDX-License-Identifier: MIT */
/* engine/h2_priv.h - between h2.c (the connection) and h2_head.c (requests out of fields). */
#pragma once
#include "base/list.h"
#include "engine/h2.h"

struct h2_stream {
    struct list all, ready;
    int32_t id;
    void *ctx;
    struct str bytes; /* the fields, one after the other; head->base points here */
    struct str body;  /* received and not handed out */
    struct http_head head;
    struct http_problem problem;
    struct http_slice method, target, authority;
    uint64_t got;
    int64_t since_us, last_us, sent_us, held_us;
    bool held, head_done, announced, ended, end_told, replied, answered, whole, closed, dead,
        sending;
    bool has_scheme;
    struct h2_source source;
};

/* One field of the request; sets s->problem when the request is to be refused. */
void h2_head_add(struct h2_stream *s, struct span name, struct span value);
/* After the last field: checks the whole and fills s->head. */
void h2_head_finish(struct h2_stream *s, bool ended);
