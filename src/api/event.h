/* SPDX-License-Identifier: MIT */
/* api/event.h - one server-sent event, serialised once for all its readers (the HTML standard,
 * "Server-sent events"). Reference-counted, immutable once made; any thread. */
#pragma once
#include "api/api.h"
#include "product/stream.h"
#include <stdatomic.h>

enum event_kind {
    EVENT_STREAM,
    EVENT_VIEWERS,
    EVENT_WARNING,
    EVENT_STATES, /* the latest of those above is what a newcomer needs to know */
    EVENT_CHAT = EVENT_STATES,
    EVENT_CHAT_DELETED,
    EVENT_CHAT_SETTINGS,
    EVENT_CHAT_PINNED,
    EVENT_CHAT_MEMBER, /* what an account may do has changed: its pages ask anew */
    EVENT_CHAT_RESET,  /* too much has happened: the page asks for the messages anew */
    EVENT_REACTION,    /* of the moment: nobody is told later */
    EVENT_KINDS,
};

struct event {
    _Atomic uint32_t refs;
    enum event_kind kind;
    int64_t id; /* grows in the order of sending, also over a restart: Last-Event-ID */
    bool live;  /* STREAM: of the state it tells */
    /* STREAM, of a private one: its access_epoch; else 0. Its bytes say nothing of it: pages ask.
     */
    int64_t access;
    char stream_id[ID_CAP];
    /* The same bytes for everybody, or for each origin its own; then [LIMIT_SSE_ORIGINS] is for
     * readers whose origin has none: it makes the page ask for the stream itself. */
    struct buf *text[LIMIT_SSE_ORIGINS + 1];
};

/* An id belongs to the moment of sending: from event_next_id() or event_new() until
 * api_events_send() the caller holds api_events_order(). */
int64_t event_next_id(void);
void event_begin_after(int64_t id); /* ids of an earlier run are lower than those to come */
struct event *event_new(enum event_kind kind, const char *stream_id);
struct event *event_with(int64_t id, enum event_kind kind, const char *stream_id);
struct event *event_ref(struct event *e);
void event_unref(struct event *e); /* NULL is fine */
/* The bytes of an event on the wire: id, name, one line of data. */
struct buf *event_text(int64_t id, enum event_kind kind, const char *json);
/* --- news.c ---------------------------------------------------------------------------------- */

/* The stream as it is now, for each origin that somebody reads it by. NULL and *e: why not. Event
 * lane. */
struct event *api_stream_event(struct api *a, const char *id, enum err *e);
/* Counting viewers and what else comes round, on loops[0]. */
void api_news_start(struct api *a);
void api_news_stop(struct api *a);

/* --- app_chat.c ------------------------------------------------------------------------------ */

/* What has changed in the room since the event `after`, oldest first: at most LIMIT_CHAT_RESUME, to
 * be unreferenced. False: there is more than that, or it cannot be read. With the order held. */
bool api_chat_missed(struct api *a, const char *stream_id, int64_t after,
                     struct event *out[LIMIT_CHAT_RESUME], size_t *n);
struct chat *api_chat_new(struct api *a);

/* --- app_reactions.c ------------------------------------------------------------------------- */

/* Writing them, and telling, on loops[0]. */
void api_reactions_start(struct api *a);
void api_reactions_stop(struct api *a);

/* --- app_events.c ---------------------------------------------------------------------------- */

/* Whoever holds it is the only one to send events. Pool threads, for as long as a transaction. */
void api_events_order(struct api *a, bool hold);
/* To all readers of the stream, on every loop; takes over the reference. With the order held. */
void api_events_send(struct api *a, struct event *e);

static inline struct buf *event_for(const struct event *e, unsigned origin)
{
    return e->text[origin] ? e->text[origin] : e->text[LIMIT_SSE_ORIGINS];
}
