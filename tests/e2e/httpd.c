/* SPDX-License-Identifier: MIT */
/* The HTTP server alone, for tests/e2e/http_server.test.mjs and bench/: what it can do, at
 * addresses that make it do it.
 *
 *   bsp-httpd [--port N] [--loops N] [--cert FILE --key FILE] [--trust-proxy] FOLDER
 *
 * Prints "ready URL" and serves until SIGTERM, which drains. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "engine/tls.h"
#include "io/pool.h"
#include "serve/http/http.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOPS_MAX 8
#define FILES_MAX 64

static struct app {
    struct loop *loops[LOOPS_MAX];
    unsigned n_loops;
    pthread_t threads[LOOPS_MAX];
    struct http_server *server;
    const char *folder;
    struct buf *playlist;
    _Atomic int gone;
    _Atomic int64_t taken;
    _Atomic bool stop, released;
} app = {.n_loops = 1};

static const struct http_header TEXT[] = {{"content-type", "text/plain"}};

static struct buf *text(const char *s)
{
    return buf_copy(span_str(s));
}

static void reply_text(struct http_request *r, struct buf *b)
{
    http_reply(r, 200, TEXT, 1, b, 0);
    buf_unref(b);
}

static void hello(struct http_request *r, void *ctx)
{
    (void)ctx;
    static const struct http_header h[] = {{"content-type", "text/plain"}, {"etag", "\"v1\""}};
    struct buf *b = text("0123456789");
    http_reply(r, 200, h, 2, b, HTTP_RANGES);
    buf_unref(b);
}

static void playlist(struct http_request *r, void *ctx)
{
    (void)ctx;
    static const struct http_header h[] = {{"content-type", "application/vnd.apple.mpegurl"},
                                           {"cache-control", "max-age=1"},
                                           {"access-control-allow-origin", "*"}};
    http_reply(r, 200, h, 3, app.playlist, 0);
}

/* "hello hello hello hello\n" and the same compressed by gzip. */
static const char PAGE[] = "hello hello hello hello\n";
static const uint8_t PAGE_GZ[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                  0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb9,
                                  0x00, 0x00, 0x88, 0x59, 0x0b, 0x18, 0x00, 0x00, 0x00};

static void page(struct http_request *r, void *ctx)
{
    (void)ctx;
    http_reply_const(r, 200, TEXT, 1, SPAN_LIT(PAGE), span_of(PAGE_GZ, sizeof PAGE_GZ),
                     HTTP_RANGES);
}

/* Open files are kept, as the server keeps those of its recordings. Each loop has its own. */
struct kept {
    char name[64];
    struct file *file;
    uint64_t size;
};
static _Thread_local struct kept kept[FILES_MAX];

static struct kept *open_kept(const char *name)
{
    char path[512];
    struct stat st;
    struct kept *k = kept;
    for (; k < kept + FILES_MAX && k->file; k++)
        if (strcmp(k->name, name) == 0) return k;
    if (k == kept + FILES_MAX || strlen(name) >= sizeof k->name) return NULL;
    snprintf(path, sizeof path, "%s/%s", app.folder, name);
    if (file_open(path, &k->file) != E_OK) return NULL;
    if (fstat(k->file->fd, &st) != 0) return NULL;
    k->size = (uint64_t)st.st_size;
    snprintf(k->name, sizeof k->name, "%s", name);
    return k;
}

static void file(struct http_request *r, void *ctx)
{
    (void)ctx;
    static const struct http_header h[] = {{"content-type", "video/mp4"}};
    struct kept *k = open_kept(http_param(r, 0));
    if (k)
        http_reply_file(r, 200, h, 1, k->file, 0, k->size, HTTP_RANGES);
    else
        http_reply_error(r, 404, "not_found", "No such file.", NULL, NULL, 0);
}

static void big(struct http_request *r, void *ctx)
{
    (void)ctx;
    char n[16];
    const bool given = http_query_get(r, "n", n, sizeof n) == E_OK;
    struct buf *b = buf_new(given ? (size_t)atoi(n) : 1000);
    memset(b->data, 'x', b->len);
    reply_text(r, b);
}

static void echo(struct http_request *r, void *ctx)
{
    (void)ctx;
    reply_text(r, buf_copy(http_body(r)));
}

static void params(struct http_request *r, void *ctx)
{
    (void)ctx;
    struct str s = {0};
    char q[32] = "";
    if (http_query_get(r, "q", q, sizeof q) != E_OK) q[0] = 0;
    const struct span c = http_cookie(r, "session");
    str_addf(&s, "%s|%s|%s|%.*s|%s|%s", http_param(r, 0), http_param(r, 1), q, (int)c.len,
             c.p ? (const char *)c.p : "", http_peer(r), http_origin(r));
    reply_text(r, str_take_buf(&s));
}

/* --- later: a timer answers, and counts the clients that did not wait ---------------------- */

struct later {
    struct timer timer;
    struct http_request *r;
    int left, every_ms;
};

static void later_done(struct later *l)
{
    timer_stop(&l->timer);
    free(l);
}

static void later_fire(struct timer *t, void *ctx)
{
    (void)t;
    struct later *l = ctx;
    reply_text(l->r, text("later"));
    later_done(l);
}

static void later_gone(struct http_request *r, void *ctx)
{
    atomic_fetch_add(&app.gone, 1);
    http_reply(r, 200, NULL, 0, NULL, 0);
    later_done(ctx);
}

static int number(struct http_request *r, const char *name, int otherwise)
{
    char n[16];
    return http_query_get(r, name, n, sizeof n) == E_OK ? atoi(n) : otherwise;
}

static struct later *later_new(struct http_request *r, void (*fire)(struct timer *, void *))
{
    struct later *l = NEW(struct later);
    l->r = r;
    l->every_ms = number(r, "ms", 10);
    l->left = number(r, "n", 3);
    timer_init(&l->timer, http_loop(r), fire, l);
    timer_at(&l->timer, loop_now_us(http_loop(r)) + l->every_ms * US_PER_MS);
    return l;
}

static void later(struct http_request *r, void *ctx)
{
    (void)ctx;
    http_on_gone(r, later_gone, later_new(r, later_fire));
}

static void events_gone(struct http_request *r, void *ctx)
{
    atomic_fetch_add(&app.gone, 1);
    http_stream_end(r);
    later_done(ctx);
}

static void events_fire(struct timer *t, void *ctx)
{
    struct later *l = ctx;
    char line[32];
    if (l->left-- == 0) {
        http_stream_end(l->r);
        later_done(l);
        return;
    }
    snprintf(line, sizeof line, "data: %d\n\n", l->left);
    struct buf *b = text(line);
    http_stream_send(l->r, b);
    buf_unref(b);
    timer_at(t, loop_now_us(http_loop(l->r)) + l->every_ms * US_PER_MS);
}

static void events(struct http_request *r, void *ctx)
{
    (void)ctx;
    static const struct http_header h[] = {{"content-type", "text/event-stream"}};
    http_stream_begin(r, 200, h, 1);
    http_on_gone(r, events_gone, later_new(r, events_fire));
}

/* Never looks at http_stream_queued(): the server has to protect itself. */
static void flood_fire(struct timer *t, void *ctx)
{
    struct later *l = ctx;
    struct buf *b = buf_new(65536);
    memset(b->data, 'x', b->len);
    http_stream_send(l->r, b);
    buf_unref(b);
    timer_at(t, loop_now_us(http_loop(l->r)) + US_PER_MS);
}

static void flood(struct http_request *r, void *ctx)
{
    (void)ctx;
    http_stream_begin(r, 200, TEXT, 1);
    http_on_gone(r, events_gone, later_new(r, flood_fire));
}

/* --- a body that is taken as it comes, one piece in two milliseconds, or the first piece only ---
 */

struct taker {
    struct timer timer;
    struct http_request *r;
    uint64_t bytes, sum;
    bool holds;
};

static void take_fire(struct timer *t, void *ctx)
{
    struct taker *k = ctx;
    if (k->holds && !atomic_load(&app.released))
        timer_at(t, loop_now_us(http_loop(k->r)) + 2 * US_PER_MS);
    else
        http_body_want(k->r, true);
}

static void take_done(struct taker *t)
{
    timer_stop(&t->timer);
    free(t);
}

static void take_gone(struct http_request *r, void *ctx)
{
    atomic_fetch_add(&app.gone, 1);
    http_reply(r, 200, NULL, 0, NULL, 0);
    take_done(ctx);
}

static void take_head(struct http_request *r, void *ctx)
{
    (void)ctx;
    if (number(r, "refuse", 0)) {
        http_reply_error(r, 403, "no", "Not this one.", NULL, NULL, 0);
        return;
    }
    struct taker *t = NEW(struct taker);
    t->r = r;
    t->holds = number(r, "hold", 0);
    timer_init(&t->timer, http_loop(r), take_fire, t);
    http_set_user(r, t);
    http_on_gone(r, take_gone, t);
    http_body_want(r, true);
}

static void take_body(struct http_request *r, void *ctx, struct span bytes)
{
    (void)ctx;
    struct taker *t = http_user(r);
    t->bytes += bytes.len;
    for (size_t i = 0; i < bytes.len; i++) t->sum += bytes.p[i];
    atomic_fetch_add(&app.taken, (int64_t)bytes.len);
    http_body_want(r, false);
    timer_at(&t->timer, loop_now_us(http_loop(r)) + 2 * US_PER_MS);
}

static void take_end(struct http_request *r, void *ctx)
{
    (void)ctx;
    char line[64];
    struct taker *t = http_user(r);
    snprintf(line, sizeof line, "%llu %llu", (unsigned long long)t->bytes,
             (unsigned long long)t->sum);
    reply_text(r, text(line));
    take_done(t);
}

static bool take_wants(const struct http_request *r, void *ctx)
{
    (void)ctx;
    return !span_is(http_query(r), "gathered");
}

static const struct http_intake TAKE = {take_wants, take_head, take_body, take_end};

static void taken(struct http_request *r, void *ctx)
{
    (void)ctx;
    char n[24];
    snprintf(n, sizeof n, "%lld", (long long)atomic_load(&app.taken));
    reply_text(r, text(n));
}

static void release_takers(struct http_request *r, void *ctx)
{
    (void)ctx;
    atomic_store(&app.released, true);
    reply_text(r, text("released"));
}

static void gone(struct http_request *r, void *ctx)
{
    (void)ctx;
    char n[16];
    snprintf(n, sizeof n, "%d", atomic_load(&app.gone));
    reply_text(r, text(n));
}

static void metrics(struct http_request *r, void *ctx)
{
    (void)ctx;
    struct str s = {0};
    metrics_text(&s);
    reply_text(r, str_take_buf(&s));
}

static const struct http_route ROUTES[] = {
    {HTTP_GET, "/hello", hello, NULL, 0, NULL},
    {HTTP_GET, "/list/{}.m3u8", playlist, NULL, 0, NULL},
    {HTTP_GET, "/page", page, NULL, 0, NULL},
    {HTTP_GET, "/file/{}", file, NULL, 0, NULL},
    {HTTP_GET, "/big", big, NULL, 0, NULL},
    {HTTP_POST, "/echo", echo, NULL, LIMIT_HTTP_JSON_BYTES, NULL},
    {HTTP_GET, "/params/{}/x-{}.bin", params, NULL, 0, NULL},
    {HTTP_GET, "/later", later, NULL, 0, NULL},
    {HTTP_GET, "/events", events, NULL, 0, NULL},
    {HTTP_GET, "/flood", flood, NULL, 0, NULL},
    {HTTP_GET, "/gone", gone, NULL, 0, NULL},
    {HTTP_PUT, "/take", echo, NULL, 100, &TAKE},
    {HTTP_GET, "/taken", taken, NULL, 0, NULL},
    {HTTP_GET, "/release", release_takers, NULL, 0, NULL},
    {HTTP_GET, "/metrics", metrics, NULL, 0, NULL},
    {HTTP_OPTIONS, "/page", http_preflight, NULL, 0, NULL},
};

/* --- the program -------------------------------------------------------------------------- */

static void *run_loop(void *arg)
{
    loop_run(arg);
    for (struct kept *k = kept; k < kept + FILES_MAX && k->file; k++) file_unref(k->file);
    return NULL;
}

static void drain(void *arg)
{
    (void)arg;
    http_server_drain(app.server);
}

static int fail(const char *why)
{
    fprintf(stderr, "bsp-httpd: %s\n", why);
    return 1;
}

static void make_playlist(void)
{
    struct str s = {0};
    str_adds(&s, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n");
    for (int i = 0; i < 30; i++) str_addf(&s, "#EXTINF:2.000,\nsegment-%d.m4s\n", i);
    app.playlist = str_take_buf(&s);
}

static int serve(struct http_config *cfg, bool secure)
{
    char problem[256];
    sigset_t set;
    int sig;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < app.n_loops; i++) app.loops[i] = loop_new(i);
    cfg->loops = app.loops;
    cfg->n_loops = app.n_loops;
    if (http_server_open(cfg, &app.server, problem, sizeof problem) != E_OK) return fail(problem);
    for (unsigned i = 0; i < app.n_loops; i++)
        pthread_create(&app.threads[i], NULL, run_loop, app.loops[i]);
    printf("ready %s://127.0.0.1:%u\n", secure ? "https" : "http", http_server_port(app.server));
    fflush(stdout);
    sigwait(&set, &sig);
    loop_post(app.loops[0], drain, NULL);
    for (int i = 0; i < 100 && http_server_connections(app.server); i++) usleep(50000);
    for (unsigned i = 0; i < app.n_loops; i++) loop_stop(app.loops[i]);
    for (unsigned i = 0; i < app.n_loops; i++) pthread_join(app.threads[i], NULL);
    const unsigned left = http_server_connections(app.server);
    loops_settle(app.loops, app.n_loops);
    http_server_free(app.server);
    loops_free(app.loops, app.n_loops);
    printf("drained left=%u\n", left);
    return 0;
}

int main(int argc, char **argv)
{
    struct http_config cfg = {
        .host = "127.0.0.1", .routes = ROUTES, .n_routes = sizeof ROUTES / sizeof ROUTES[0]};
    const char *cert = NULL, *key = NULL;
    char problem[256];
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trust-proxy") == 0)
            cfg.trust_proxy = true;
        else if (argv[i][0] != '-')
            app.folder = argv[i];
        else if (i + 1 == argc)
            return fail("an option without its value");
        else if (strcmp(argv[i], "--port") == 0)
            cfg.port = (uint16_t)atoi(argv[++i]);
        else if (strcmp(argv[i], "--loops") == 0)
            app.n_loops = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "--cert") == 0)
            cert = argv[++i];
        else if (strcmp(argv[i], "--key") == 0)
            key = argv[++i];
    }
    if (!app.folder || app.n_loops < 1 || app.n_loops > LOOPS_MAX) return fail("see the source");
    if (cert && tls_ctx_new(cert, key, TLS_FOR_HTTP, &cfg.tls, problem, sizeof problem) != E_OK)
        return fail(problem);
    make_playlist();
    const int rc = serve(&cfg, cert != NULL);
    tls_ctx_free(cfg.tls);
    buf_unref(app.playlist);
    return rc;
}
