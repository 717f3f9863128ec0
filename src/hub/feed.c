/* SPDX-License-Identifier: MIT */
/* Each loop has an outlet: the list of its readers and its own copy (by reference) of the cache.
 * The home loop's outlet is always on. Another loop's is switched on by its first reader and off
 * when the last one leaves; `turn` tells apart the messages of two such periods, because what the
 * home sent before it heard of the end may still be under way. */
#include "hub/feed.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "hub/feed_cache.h"

enum outlet_state { OUTLET_OFF, OUTLET_ASKED, OUTLET_ON };

struct outlet {
    enum outlet_state state;
    uint32_t turn;
    struct list readers;
    struct list *visiting; /* next reader of the delivery under way */
    uint64_t seq;          /* of the last message delivered here */
    struct feed_cache cache;
};

struct feed {
    _Atomic uint32_t refs;
    _Atomic unsigned n_readers;
    struct loop *home;
    struct loop *const *loops;
    unsigned n_loops;
    uint32_t *on_turn; /* home's: by loop, the turn being served, 0: none */
    struct outlet outlets[];
};

/* What travels between loops: a message (send), a set of them (welcome), or neither. */
struct parcel {
    struct feed *feed;
    unsigned loop;
    uint32_t turn;
    struct feed_msg *msg;
    struct feed_cache cache;
};

void feed_msg_init(struct feed_msg *m, uint32_t kind, size_t weight,
                   void (*free_fn)(struct feed_msg *))
{
    atomic_init(&m->refs, 1);
    m->kind = kind;
    m->weight = weight;
    m->free_fn = free_fn;
}

struct feed_msg *feed_msg_ref(struct feed_msg *m)
{
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void feed_msg_unref(struct feed_msg *m)
{
    if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1) m->free_fn(m);
}

struct feed *feed_new(struct loop *home, struct loop *const *loops, unsigned n_loops,
                      feed_keep_fn *keep, size_t cache_weight, size_t cache_len)
{
    struct feed *f = xcalloc(1, sizeof *f + n_loops * sizeof(struct outlet));
    atomic_init(&f->refs, 1);
    f->home = home;
    f->loops = loops;
    f->n_loops = n_loops;
    f->on_turn = xcalloc(n_loops, sizeof *f->on_turn);
    for (unsigned i = 0; i < n_loops; i++) {
        list_init(&f->outlets[i].readers);
        feed_cache_init(&f->outlets[i].cache, keep, cache_weight, cache_len);
        if (loops[i] == home) f->outlets[i].state = OUTLET_ON;
    }
    return f;
}

struct feed *feed_ref(struct feed *f)
{
    if (f) atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void feed_unref(struct feed *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1) return;
    for (unsigned i = 0; i < f->n_loops; i++) {
        CHECK(list_empty(&f->outlets[i].readers));
        feed_cache_clear(&f->outlets[i].cache);
    }
    free(f->on_turn);
    free(f);
}

struct loop *feed_home(const struct feed *f)
{
    return f->home;
}

struct loop *const *feed_loops(const struct feed *f, unsigned *n)
{
    *n = f->n_loops;
    return f->loops;
}

unsigned feed_readers(const struct feed *f)
{
    return atomic_load_explicit(&f->n_readers, memory_order_relaxed);
}

static struct outlet *outlet_of(struct feed *f, unsigned loop)
{
    CHECK(loop < f->n_loops);
    return &f->outlets[loop];
}

/* Visits the readers in such a way that any of them may detach, or attach others, meanwhile. */
static void deliver(struct feed *f, struct outlet *o, struct feed_msg *m)
{
    feed_ref(f);
    feed_msg_ref(m);
    const uint64_t seq = ++o->seq;
    feed_cache_add(&o->cache, m);
    for (struct list *it = o->readers.next; it != &o->readers; it = o->visiting) {
        struct feed_reader *r = CONTAINER_OF(it, struct feed_reader, node);
        o->visiting = it->next;
        if (r->seen >= seq) continue; /* came during this delivery: had it from the cache */
        r->seen = seq;
        r->fn(r, m);
    }
    o->visiting = NULL;
    feed_msg_unref(m);
    feed_unref(f);
}

/* Everything cached, to one reader. Stops when the reader detaches itself. */
static void welcome(struct feed *f, struct outlet *o, struct feed_reader *r)
{
    struct feed_cache copy;
    feed_cache_copy(&o->cache, &copy);
    feed_ref(f);
    bool gone = false; /* then r is not ours to look at */
    r->gone = &gone;
    for (size_t i = 0; i < copy.len && !gone; i++) r->fn(r, copy.at[i]);
    if (!gone) r->gone = NULL;
    feed_cache_clear(&copy);
    feed_unref(f);
}

static void parcel_free(struct parcel *p)
{
    feed_cache_clear(&p->cache);
    feed_msg_unref(p->msg);
    feed_unref(p->feed);
    free(p);
}

static struct parcel *parcel_new(struct feed *f, unsigned loop, uint32_t turn)
{
    struct parcel *p = NEW(struct parcel);
    p->feed = feed_ref(f);
    p->loop = loop;
    p->turn = turn;
    return p;
}

/* --- on a loop that is not the home --- */

static void on_message(void *arg)
{
    struct parcel *p = arg;
    struct outlet *o = outlet_of(p->feed, p->loop);
    if (o->state == OUTLET_ON && o->turn == p->turn) deliver(p->feed, o, p->msg);
    parcel_free(p);
}

static void on_welcome(void *arg)
{
    struct parcel *p = arg;
    struct outlet *o = outlet_of(p->feed, p->loop);
    if (o->state == OUTLET_ASKED && o->turn == p->turn) {
        o->state = OUTLET_ON;
        for (size_t i = 0; i < p->cache.len; i++) deliver(p->feed, o, p->cache.at[i]);
    }
    parcel_free(p);
}

/* --- on the home loop --- */

static void on_ask(void *arg)
{
    struct parcel *p = arg;
    p->feed->on_turn[p->loop] = p->turn;
    feed_cache_copy(&outlet_of(p->feed, loop_id(p->feed->home))->cache, &p->cache);
    loop_post(p->feed->loops[p->loop], on_welcome, p);
}

static void on_leave(void *arg)
{
    struct parcel *p = arg;
    if (p->feed->on_turn[p->loop] == p->turn) p->feed->on_turn[p->loop] = 0;
    parcel_free(p);
}

void feed_send(struct feed *f, struct feed_msg *m)
{
    CHECK(loop_current() == f->home);
    for (unsigned i = 0; i < f->n_loops; i++) {
        if (!f->on_turn[i]) continue;
        struct parcel *p = parcel_new(f, i, f->on_turn[i]);
        p->msg = feed_msg_ref(m);
        loop_post(f->loops[i], on_message, p);
    }
    deliver(f, outlet_of(f, loop_id(f->home)), m);
    feed_msg_unref(m);
}

/* --- readers -----------------------------------------------------------------------------------
 */

void feed_attach(struct feed *f, struct feed_reader *r, feed_read_fn *fn, void *ctx)
{
    struct loop *here = loop_current();
    CHECK(here);
    struct outlet *o = outlet_of(f, loop_id(here));
    *r = (struct feed_reader){.feed = feed_ref(f), .fn = fn, .ctx = ctx, .seen = o->seq};
    atomic_fetch_add_explicit(&f->n_readers, 1, memory_order_relaxed);
    list_push_back(&o->readers, &r->node);
    if (o->state == OUTLET_ON) {
        welcome(f, o, r);
    } else if (o->state == OUTLET_OFF) {
        o->state = OUTLET_ASKED;
        if (++o->turn == 0) o->turn = 1;
        loop_post(f->home, on_ask, parcel_new(f, loop_id(here), o->turn));
    }
}

void feed_detach(struct feed_reader *r)
{
    struct feed *f = r->feed;
    struct loop *here = loop_current();
    if (!f) return;
    CHECK(here);
    struct outlet *o = outlet_of(f, loop_id(here));
    if (o->visiting == &r->node) o->visiting = r->node.next;
    if (r->gone) *r->gone = true;
    list_remove(&r->node);
    *r = (struct feed_reader){0};
    atomic_fetch_sub_explicit(&f->n_readers, 1, memory_order_relaxed);
    if (here != f->home && list_empty(&o->readers)) {
        feed_cache_clear(&o->cache);
        o->state = OUTLET_OFF;
        loop_post(f->home, on_leave, parcel_new(f, loop_id(here), o->turn));
    }
    feed_unref(f);
}
