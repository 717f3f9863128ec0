/* SPDX-License-Identifier: MIT */
/* Server-sent events of a stream: the readers (what is sent to them is made in news.c).
 *
 * Each loop keeps a map from stream to its readers, with the latest event of each kind: those are a
 * newcomer's first events, so that a thousand pages opened at once read the database once a loop.
 * Ids grow, and a reader that comes back with Last-Event-ID gets only what is newer: the latest
 * state, and every change of the room. Ids are given and events sent by one at a time
 * (api_events_order), so that whoever has seen an id has seen all below it. */
#include "api/api_priv.h"
#include "api/event.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "product/visibility.h"
#include <stdio.h>

#define HEARTBEAT_US (15 * US_PER_SEC)

struct ev_loop {
    struct api *api;
    struct loop *loop;
    struct map topics; /* stream id -> topic */
    struct timer heartbeat;
    struct buf *comment;
};

struct topic {
    char id[ID_CAP];
    struct list readers;
    struct event *latest[EVENT_STATES];
    int64_t newest; /* the highest id sent to the readers */
    int64_t access; /* of the latest STREAM: whoever reads was let in by this */
};

struct reader {
    struct list node;
    struct ev_loop *home;
    struct topic *topic;
    struct http_request *r;
    unsigned origin;
    bool waiting;            /* for the first events: the reply has not begun */
    bool gone;               /* while waiting */
    bool page;               /* counted as a viewer */
    char viewer[VIEWER_CAP]; /* what its browser is known by; "" */
    uint64_t player;         /* what its player is known by */
    bool owner;              /* asked not to be */
    int64_t last_id;
    char id[ID_CAP];
    char origin_text[CALL_ORIGIN_CAP];
    struct span token, entry;
    char entry_text[GRANT_CAP];
    int64_t chat_id; /* the highest of the room's changes that were sent, or were before */
    /* While waiting: what the room is told meanwhile. */
    struct event *held[LIMIT_CHAT_HELD];
    unsigned n_held;
    bool held_over; /* there was more */
    /* From the event lane. */
    bool knows; /* the stream's state is in the topic */
    enum err found;
    struct event *first;
    struct event *missed[LIMIT_CHAT_RESUME]; /* since last_id */
    size_t n_missed;
    bool missed_over;
};

/* --- topics ---------------------------------------------------------------------------------- */

static struct ev_loop *home_of(struct api *a, struct loop *l)
{
    for (unsigned i = 0; i < a->n_loops; i++)
        if (a->ev_loops[i].loop == l) return &a->ev_loops[i];
    check_failed("a loop of ours", __FILE__, __LINE__);
}

static struct topic *topic_of(struct ev_loop *h, const char *id)
{
    struct topic *t = map_get(&h->topics, span_str(id));
    if (t) return t;
    t = NEW(struct topic);
    snprintf(t->id, sizeof t->id, "%s", id);
    list_init(&t->readers);
    map_put(&h->topics, span_str(id), t);
    return t;
}

static void topic_free(struct topic *t)
{
    for (unsigned k = 0; k < EVENT_STATES; k++) event_unref(t->latest[k]);
    free(t);
}

static void topic_note(struct topic *t, struct event *e)
{
    if (e->id > t->newest) t->newest = e->id;
    if (e->kind >= EVENT_STATES) return;
    struct event **slot = &t->latest[e->kind];
    if (*slot && (*slot)->id >= e->id) return;
    event_unref(*slot);
    *slot = event_ref(e);
    if (e->kind == EVENT_STREAM) t->access = e->access;
    /* A warning is about the broadcast that runs. */
    if (e->kind == EVENT_STREAM && !e->live) {
        event_unref(t->latest[EVENT_WARNING]);
        t->latest[EVENT_WARNING] = NULL;
    }
}

/* --- readers --------------------------------------------------------------------------------- */

static void page_left(struct api *a, const struct reader *r)
{
    audience_pages(a->audience, r->id, r->viewer, -1);
    if (a->cfg.viewer_left) a->cfg.viewer_left(a->cfg.viewers_ctx, r->id, r->player);
}

/* Takes the reader out; what is sent stays sent. The request must be answered or ended. */
static void reader_free(struct reader *r)
{
    struct ev_loop *h = r->home;
    struct topic *t = r->topic;
    if (r->page) page_left(h->api, r);
    audience_leave(h->api->audience, r->id);
    metric_add(M_EVENT_READERS, -1);
    list_remove(&r->node);
    if (list_empty(&t->readers)) {
        map_del(&h->topics, span_str(t->id));
        topic_free(t);
    }
    event_unref(r->first);
    for (size_t i = 0; i < r->n_missed; i++) event_unref(r->missed[i]);
    for (unsigned i = 0; i < r->n_held; i++) event_unref(r->held[i]);
    free(r);
}

static void reader_close(struct reader *r)
{
    struct http_request *req = r->r;
    http_on_gone(req, NULL, NULL);
    reader_free(r);
    http_stream_end(req);
}

static void reader_gone(struct http_request *req, void *ctx)
{
    (void)req;
    struct reader *r = ctx;
    if (r->waiting)
        r->gone = true; /* the lane still has it */
    else
        reader_close(r);
}

/* False: the reader was too slow and is no more; it comes back with its Last-Event-ID. */
static bool reader_send(struct reader *r, struct buf *b)
{
    if (http_stream_queued(r->r) > LIMIT_SSE_QUEUE_BYTES) {
        log_peer("events_slow", "stream=%s peer=%s", r->id, http_peer(r->r));
        reader_close(r);
        return false;
    }
    http_stream_send(r->r, b);
    return true;
}

static void send_text(struct reader *r, const char *text)
{
    struct buf *b = buf_copy(span_str(text));
    http_stream_send(r->r, b);
    buf_unref(b);
}

static void send_once(struct reader *r, struct event **all, size_t *n)
{
    for (size_t i = 0; i < *n; i++) {
        if (all[i]->id > r->chat_id) {
            r->chat_id = all[i]->id;
            http_stream_send(r->r, event_for(all[i], r->origin));
        }
        event_unref(all[i]);
    }
    *n = 0;
}

/* What has happened in the room since the reader was here, or since it has come. */
static void send_room(struct reader *r)
{
    size_t n_held = r->n_held;
    if (r->missed_over || r->held_over) send_text(r, "event: chat-reset\ndata: {}\n\n");
    r->chat_id = r->last_id;
    send_once(r, r->missed, &r->n_missed);
    send_once(r, r->held, &n_held);
    r->n_held = 0;
}

static void reader_begin(struct reader *r)
{
    static const struct http_header H[] = {{"content-type", "text/event-stream"},
                                           {"cache-control", "no-store"},
                                           {"x-content-type-options", "nosniff"},
                                           {"x-accel-buffering", "no"}};
    struct audience *audience = r->home->api->audience;
    char text[112];
    r->waiting = false;
    if (!r->owner) {
        r->page = true;
        audience_pages(audience, r->id, r->viewer, 1);
    }
    http_stream_begin(r->r, 200, H, 4);
    send_text(r, "retry: 3000\n\n");
    static const enum event_kind FIRST[] = {EVENT_STREAM, EVENT_WARNING};
    for (unsigned i = 0; i < 2; i++) {
        const struct event *e = r->topic->latest[FIRST[i]];
        if (e && e->id > r->last_id) http_stream_send(r->r, event_for(e, r->origin));
    }
    send_room(r);
    /* A number of this moment; its id is where to resume. */
    if (r->topic->newest > r->last_id) r->last_id = r->topic->newest;
    snprintf(text, sizeof text, "id: %lld\nevent: viewers\ndata: {\"count\":%u,\"pages\":%u}\n\n",
             (long long)r->last_id, audience_count(audience, r->id),
             audience_open(audience, r->id));
    send_text(r, text);
}

/* --- delivery -------------------------------------------------------------------------------- */

struct delivery {
    struct ev_loop *home;
    struct event *event;
};

/* A change of the room is told once, and one that comes while the reader waits is kept for it; a
 * state is told anew when it begins. False: the reader is no more. */
static bool reader_tell(struct reader *r, struct event *e)
{
    const bool room = e->kind >= EVENT_STATES;
    if (r->waiting && e->kind == EVENT_REACTION) return true;
    if (r->waiting && room) {
        if (r->n_held < LIMIT_CHAT_HELD)
            r->held[r->n_held++] = event_ref(e);
        else
            r->held_over = true;
    }
    if (r->waiting || (room && e->id <= r->chat_id)) return true;
    if (room) r->chat_id = e->id;
    return reader_send(r, event_for(e, r->origin));
}

static void deliver(void *arg) /* each loop */
{
    struct delivery *d = arg;
    struct event *e = d->event;
    struct topic *t = map_get(&d->home->topics, span_str(e->stream_id));
    if (t) {
        const bool again = e->kind == EVENT_STREAM && e->access && e->access != t->access;
        topic_note(t, e);
        /* The last reader takes the topic with it. */
        struct list *it = t->readers.next, *end = &t->readers;
        while (it != end) {
            struct reader *r = CONTAINER_OF(it, struct reader, node);
            const bool last = it->next == end;
            it = it->next;
            if (reader_tell(r, e) && again && !r->waiting) reader_close(r);
            if (last) break;
        }
    }
    event_unref(e);
    free(d);
}

void api_events_order(struct api *a, bool hold)
{
    if (hold)
        pthread_mutex_lock(&a->order_lock);
    else
        pthread_mutex_unlock(&a->order_lock);
}

void api_events_send(struct api *a, struct event *e)
{
    for (unsigned i = 0; i < a->n_loops; i++) {
        struct delivery *d = NEW(struct delivery);
        *d = (struct delivery){&a->ev_loops[i], event_ref(e)};
        loop_post(a->ev_loops[i].loop, deliver, d);
    }
    event_unref(e);
}

/* --- a reader comes --------------------------------------------------------------------------- */

/* E_AUTH: a private stream, and not for this reader. `r->owner` is looked at too. */
static enum err may_read(struct api *a, struct reader *r)
{
    struct user u;
    struct stream s;
    struct problem p = {0};
    bool renewed;
    const bool known = r->token.p && session_find(api_db(a), r->token, &u, &renewed) == E_OK;
    const enum err e = stream_get(api_db(a), r->id, &s, &p);
    if (e != E_OK) return e;
    const bool may = visibility_may_watch(api_db(a), &s, known ? &u : NULL, r->entry);
    r->owner = r->owner && known && strcmp(s.user_id, u.id) == 0;
    stream_fini(&s);
    return may ? E_OK : E_AUTH;
}

static void look_back(struct reader *r)
{
    struct api *a = r->home->api;
    /* What is found has been told to the loop already: the reader's place is behind all of it. */
    api_events_order(a, true);
    r->missed_over = !api_chat_missed(a, r->id, r->last_id, r->missed, &r->n_missed);
    api_events_order(a, false);
}

static void look_up(void *arg) /* event lane */
{
    struct reader *r = arg;
    struct api *a = r->home->api;
    r->found = may_read(a, r);
    if (r->found == E_OK && !r->knows) {
        api_events_order(a, true);
        r->first = api_stream_event(a, r->id, &r->found);
        api_events_order(a, false);
    }
    if (r->found == E_OK && r->last_id) look_back(r);
}

static void looked_up(void *arg) /* the reader's loop */
{
    struct reader *r = arg;
    struct http_request *req = r->r;
    http_on_gone(req, NULL, NULL);
    if (r->found != E_OK || r->gone) {
        const enum err e = r->found;
        reader_free(r);
        if (e == E_NOTFOUND)
            http_reply_error(req, 404, "not_found", "There is no such stream.", NULL, NULL, 0);
        else if (e == E_AUTH)
            http_reply_error(req, 403, "not_invited", "This stream is private.", NULL, NULL, 0);
        else
            http_reply_error(req, 500, "internal", "Something went wrong here.", NULL, NULL, 0);
        return;
    }
    if (r->first) topic_note(r->topic, r->first);
    event_unref(r->first);
    r->first = NULL;
    http_on_gone(req, reader_gone, r);
    reader_begin(r);
}

/* A page that connects anew by itself cannot set the header: it says so in the query. */
static int64_t last_event_id(const struct http_request *req)
{
    uint64_t v;
    char text[24];
    struct span h = http_header_in(req, "last-event-id");
    if (!h.p && http_query_get(req, "lastEventId", text, sizeof text) == E_OK) h = span_str(text);
    return h.p && span_u64(h, INT64_MAX, &v) ? (int64_t)v : 0;
}

/* Letters and digits of its browser's own making, or nothing. */
static void read_viewer(struct reader *r)
{
    const struct api_config *cfg = &r->home->api->cfg;
    if (http_query_get(r->r, "viewer", r->viewer, sizeof r->viewer) != E_OK ||
        !text_is_id(r->viewer))
        r->viewer[0] = 0;
    if (cfg->viewer_who)
        r->player = cfg->viewer_who(cfg->viewers_ctx, r->id, span_str(http_peer(r->r)),
                                    http_header_in(r->r, "user-agent"));
}

void api_events_handler(struct http_request *req, void *ctx)
{
    struct api *a = ctx;
    char role[16];
    const char *id = http_param(req, 0);
    if (!text_is_id(id)) {
        http_reply_error(req, 404, "not_found", "There is no such stream.", NULL, NULL, 0);
        return;
    }
    if (atomic_load(&a->drained)) { /* a reader that came now would hold up the end */
        http_reply_error(req, 503, "stopping", "The server is stopping.", NULL, NULL, 0);
        return;
    }
    struct reader *r = NEW(struct reader);
    r->home = home_of(a, http_loop(req));
    r->r = req;
    r->waiting = true;
    snprintf(r->id, sizeof r->id, "%s", id);
    call_origin(req, r->origin_text);
    r->owner = http_query_get(req, "role", role, sizeof role) == E_OK && strcmp(role, "owner") == 0;
    r->token = http_cookie(req, "bsp_session");
    r->entry = http_cookie(req, "bsp_entry");
    if (http_query_get(req, "entry", r->entry_text, sizeof r->entry_text) == E_OK)
        r->entry = span_str(r->entry_text);
    r->last_id = last_event_id(req);
    read_viewer(r);
    metric_add(M_EVENT_READERS, 1);
    r->origin = audience_join(a->audience, r->id, r->origin_text);
    r->topic = topic_of(r->home, r->id);
    list_push_back(&r->topic->readers, &r->node);
    http_on_gone(req, reader_gone, r);
    const struct event *known = r->topic->latest[EVENT_STREAM];
    r->knows = known && known->text[r->origin];
    if (!r->owner && r->knows && !r->last_id)
        reader_begin(r);
    else if (!api_lane_run(a, &a->event_lane, look_up, r->home->loop, looked_up, r))
        r->found = E_CLOSED, looked_up(r);
}

/* --- timers ---------------------------------------------------------------------------------- */

static void heartbeat(struct timer *t, void *ctx)
{
    struct ev_loop *h = ctx;
    size_t pos = 0;
    void *v;
    /* A reader that is sent away may take its topic out of the map: so in two steps. */
    struct reader **slow = NULL;
    size_t n = 0, cap = 0;
    while (map_next(&h->topics, &pos, NULL, &v)) {
        LIST_EACH(it, &((struct topic *)v)->readers)
        {
            struct reader *r = CONTAINER_OF(it, struct reader, node);
            if (r->waiting) continue;
            if (http_stream_queued(r->r) <= LIMIT_SSE_QUEUE_BYTES) {
                http_stream_send(r->r, h->comment);
                continue;
            }
            if (n == cap) slow = xrealloc(slow, (cap = cap ? 2 * cap : 16) * sizeof *slow);
            slow[n++] = r;
        }
    }
    for (size_t i = 0; i < n; i++) reader_close(slow[i]);
    free(slow);
    timer_at(t, loop_now_us(h->loop) + HEARTBEAT_US);
}

static void start_heartbeat(void *arg) /* each loop */
{
    struct ev_loop *h = arg;
    timer_init(&h->heartbeat, h->loop, heartbeat, h);
    timer_at(&h->heartbeat, loop_now_us(h->loop) + HEARTBEAT_US);
}

void api_events_init(struct api *a)
{
    a->ev_loops = xcalloc(a->n_loops, sizeof *a->ev_loops);
    for (unsigned i = 0; i < a->n_loops; i++) {
        struct ev_loop *h = &a->ev_loops[i];
        h->api = a;
        h->loop = a->loops[i];
        h->comment = buf_copy(SPAN_LIT(": still here\n\n"));
        loop_post(h->loop, start_heartbeat, h);
    }
    api_news_start(a);
}

/* Readers that wait for their first events are answered by looked_up(), which comes for sure. */
void api_drain_loop(struct api *a)
{
    struct ev_loop *h = home_of(a, loop_current());
    struct reader **open = NULL;
    size_t n = 0, pos = 0;
    void *v;
    timer_stop(&h->heartbeat);
    api_lobby_drain(a);
    if (h->loop == a->loops[0]) api_news_stop(a);
    while (map_next(&h->topics, &pos, NULL, &v)) {
        LIST_EACH(it, &((struct topic *)v)->readers)
        {
            struct reader *r = CONTAINER_OF(it, struct reader, node);
            r->gone = true;
            if (r->waiting) continue;
            open = xrealloc(open, (n + 1) * sizeof *open);
            open[n++] = r;
        }
    }
    for (size_t i = 0; i < n; i++) reader_close(open[i]);
    free(open);
    if (atomic_fetch_add(&a->drained, 1) + 1 == a->n_loops) api_stop(a);
}

void api_events_fini(struct api *a)
{
    for (unsigned i = 0; i < a->n_loops; i++) {
        struct ev_loop *h = &a->ev_loops[i];
        size_t pos = 0;
        void *t;
        while (map_next(&h->topics, &pos, NULL, &t)) topic_free(t);
        map_fini(&h->topics);
        buf_unref(h->comment);
    }
    free(a->ev_loops);
}
