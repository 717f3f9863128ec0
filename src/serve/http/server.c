/* SPDX-License-Identifier: MIT */
/* One listener, one shard a loop. The shards are made before the first connection and go after all
 * loops have stopped, so that no thread needs to ask whether they are there. */
#include "base/xalloc.h"
#include "serve/http/http_priv.h"

enum err http_server_open(const struct http_config *cfg, struct http_server **out, char *problem,
                          size_t cap)
{
    struct http_server *s = NEW(struct http_server);
    s->tls = cfg->tls;
    s->public_url = cfg->public_url ? cfg->public_url : "";
    s->trust_proxy = cfg->trust_proxy;
    s->n_shards = cfg->n_loops;
    s->shards = xcalloc(cfg->n_loops, sizeof s->shards[0]);
    s->loops = xcalloc(cfg->n_loops, sizeof s->loops[0]);
    for (unsigned i = 0; i < cfg->n_loops; i++) {
        s->loops[i] = cfg->loops[i];
        s->shards[i].server = s;
        s->shards[i].loop = cfg->loops[i];
        list_init(&s->shards[i].conns);
        list_init(&s->shards[i].requests);
    }
    s->router = router_new(cfg->routes, cfg->n_routes);
    const enum err e = tcp_listen(s->loops, s->n_shards, cfg->host, cfg->port, http_conn_accept, s,
                                  &s->listener, problem, cap);
    if (e != E_OK) {
        http_server_free(s);
        return e;
    }
    s->port = tcp_listener_port(s->listener);
    *out = s;
    return E_OK;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

unsigned http_server_connections(const struct http_server *s)
{
    return atomic_load(&((struct http_server *)(uintptr_t)s)->connections);
}

/* Handlers that are told may end other connections' streams: begin anew until none is left that
 * has not been told. */
static void drain_shard(void *arg)
{
    struct http_shard *s = arg;
    s->draining = true;
    struct list told;
    list_init(&told);
    while (!list_empty(&s->conns)) {
        struct http_conn *c = CONTAINER_OF(s->conns.next, struct http_conn, node);
        list_remove(&c->node);
        list_push_back(&told, &c->node);
        http_conn_drain(c);
    }
    while (!list_empty(&told)) {
        struct list *n = told.next;
        list_remove(n);
        list_push_back(&s->conns, n);
    }
}

void http_server_drain(struct http_server *s)
{
    if (s->listener) tcp_listener_close(s->listener);
    s->listener = NULL;
    for (unsigned i = 0; i < s->n_shards; i++) loop_post(s->loops[i], drain_shard, &s->shards[i]);
}

static void free_shard(struct http_shard *s)
{
    void *value;
    size_t pos = 0;
    while (!list_empty(&s->conns))
        http_conn_close(CONTAINER_OF(s->conns.next, struct http_conn, node));
    while (!list_empty(&s->requests)) /* whose handlers will not answer any more */
        http_request_free(CONTAINER_OF(s->requests.next, struct http_request, in_shard));
    while (s->spare) {
        struct http_request *r = s->spare;
        s->spare = (struct http_request *)r->node.next;
        str_fini(&r->head_bytes);
        str_fini(&r->path);
        str_fini(&r->params);
        str_fini(&r->body);
        free(r);
    }
    while (map_next(&s->const_bufs, &pos, NULL, &value)) buf_unref(value);
    map_fini(&s->const_bufs);
    str_fini(&s->scratch);
}

void http_server_free(struct http_server *s)
{
    if (!s) return;
    if (s->listener) tcp_listener_close(s->listener);
    for (unsigned i = 0; i < s->n_shards; i++) free_shard(&s->shards[i]);
    router_free(s->router);
    free(s->shards);
    free(s->loops);
    free(s);
}
