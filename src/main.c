/* SPDX-License-Identifier: MIT */
/* bspnode: the command line, and the wiring of the server. Read from the bottom. */
#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "bridge/transcoder.h"
#include "client/http_client.h"
#include "engine/tls.h"
#include "io/data_dir.h"
#include "product/mail.h"
#include "product/mailer.h"
#include "product/notifier.h"
#include "product/seal.h"
#include "serve/hls/hls_service.h"
#include "serve/images/image_service.h"
#include "serve/rtc/rtc_service.h"
#include "serve/rtmp/rtmp_server.h"
#include "video/import.h"
#include "video/outbox.h"
#include "video/provider.h"
#include "video/webhooks.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

#define POOL_THREADS_MIN 4
#define DRAIN_POLL_US    10000

/* --- the server, part by part ---
 * Made in the order of the members, freed in the opposite order. */
struct server {
    struct settings settings;
    struct data_dir *data;
    struct secret secret;
    struct store *store;
    unsigned n_loops;
    struct loop *loops[LIMIT_LOOPS_MAX];
    pthread_t threads[LIMIT_LOOPS_MAX];
    struct pool *pool;
    struct hub *hub;
    struct http_client *client; /* requests of our own */
    struct webhooks *webhooks;
    struct live *live;
    struct imports *imports;
    struct uploads *uploads;
    struct gate gate;
    struct tls_ctx *https, *rtmps_tls;
    struct hls_service *hls;
    struct image_service *images;
    struct rtmp_server *rtmp, *rtmps;
    struct rtc_service *rtc;
    struct api *api;
    struct provider *provider;
    struct http_route *routes;
    struct http_server *http;
    struct mailer *mailer; /* NULL: no mail */
    struct notifier *notifier;
    char problem[512];
};

static unsigned count_cores(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > LIMIT_LOOPS_MAX ? LIMIT_LOOPS_MAX : (unsigned)n;
}

static void set_log(const struct settings *s)
{
    static const char *const LEVELS[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(s->log_level, LEVELS[i])) log_set_level((enum log_level)i);
    log_set_json(!strcmp(s->log_format, "json"));
}

/* A descriptor for every viewer: as many as the system lets us have. */
static void raise_descriptor_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max) return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

static enum err open_state(struct server *s)
{
    const struct settings *set = &s->settings;
    enum err e = data_dir_open(set->data, &s->data, s->problem, sizeof s->problem);
    if (e == E_OK) e = secret_open(set->data, &s->secret, s->problem, sizeof s->problem);
    if (e == E_OK) e = store_open(set->data, &s->store, s->problem, sizeof s->problem);
    return e;
}

static enum err open_core(struct server *s)
{
    const unsigned cores = count_cores();
    s->n_loops = s->settings.loops ? (unsigned)s->settings.loops : cores;
    for (unsigned i = 0; i < s->n_loops; i++) s->loops[i] = loop_new(i);
    s->pool = pool_new(cores > POOL_THREADS_MIN ? cores : POOL_THREADS_MIN);
    s->hub = hub_new(s->loops, s->n_loops);
    s->client = http_client_new("bspnode/" BSPNODE_VERSION);
    s->webhooks =
        webhooks_new(&(struct webhooks_config){.secret = &s->secret,
                                               .store = s->store,
                                               .client = s->client,
                                               .allow_private = s->settings.webhook_allow_private,
                                               .open_secret = seal_open});
    s->live = live_new(&(struct live_config){.settings = &s->settings,
                                             .secret = &s->secret,
                                             .store = s->store,
                                             .pool = s->pool,
                                             .hub = s->hub});
    s->gate = live_gate(s->live);
    api_outbox_init(&s->secret, &s->settings);
    unsigned recovered = 0;
    const enum err e = live_recover(s->live, &recovered);
    if (e != E_OK)
        snprintf(s->problem, sizeof s->problem, "cannot recover interrupted streams: %s",
                 err_text(e));
    if (recovered) log_info("recovery", "streams=%u", recovered);
    s->imports = imports_new(&(struct imports_config){
        .settings = &s->settings, .store = s->store, .live = s->live, .client = s->client});
    if (e != E_OK) return e;
    return uploads_open(&(struct uploads_config){.settings = &s->settings, .store = s->store},
                        &s->uploads, s->problem, sizeof s->problem);
}

static enum err open_transcoder(struct server *s)
{
    const struct settings *set = &s->settings;
    const unsigned cores = count_cores();
    char path[4096];
    uint64_t n = cores > 1 ? cores / 2 : 1;
    if (strcmp(set->webrtc_transcodes, "auto") != 0 &&
        !span_u64(span_str(set->webrtc_transcodes), LIMIT_WORKERS, &n)) {
        snprintf(s->problem, sizeof s->problem, "--webrtc-transcodes is auto, or a number to %d",
                 LIMIT_WORKERS);
        return E_INVALID;
    }
    transcoder_set_slots((unsigned)n);
    transcoder_set_program(set->worker);
    if (transcoder_program(path, sizeof path) != E_OK)
        log_warn("worker-missing", "path=%s: no stream's sound or picture can be converted", path);
    return E_OK;
}

static enum err open_tls(struct server *s)
{
    const struct settings *set = &s->settings;
    if (!set->tls_cert[0]) return E_OK;
    enum err e = tls_ctx_new(set->tls_cert, set->tls_key, TLS_FOR_HTTP, &s->https, s->problem,
                             sizeof s->problem);
    if (e == E_OK && set->rtmps[0])
        e = tls_ctx_new(set->tls_cert, set->tls_key, TLS_PLAIN, &s->rtmps_tls, s->problem,
                        sizeof s->problem);
    return e;
}

static enum err open_rtmp(struct server *s, const char *addr, struct tls_ctx *tls,
                          struct rtmp_server **out)
{
    char host[256];
    uint16_t port;
    if (!addr[0]) return E_OK;
    const enum err e = settings_addr(addr, host, sizeof host, &port);
    if (e != E_OK) return e;
    const struct rtmp_config cfg = {.loops = s->loops,
                                    .n_loops = s->n_loops,
                                    .host = host,
                                    .port = port,
                                    .tls = tls,
                                    .gate = &s->gate,
                                    .write_interval_ms = (int)s->settings.rtmp_write_interval};
    return rtmp_server_open(&cfg, out, s->problem, sizeof s->problem);
}

/* Who comes by WebRTC has often watched by HLS a moment ago, and is one person. */
static void on_rtc_viewer(void *ctx, const char *stream_id, struct span address,
                          struct span program)
{
    struct server *s = ctx;
    hls_viewer_left(s->hls, stream_id, hls_viewer_who(s->hls, stream_id, address, program), true);
}

static enum err open_rtc(struct server *s)
{
    char host[256];
    uint16_t port;
    if (!s->settings.webrtc[0]) return E_OK;
    const enum err e = settings_addr(s->settings.webrtc, host, sizeof host, &port);
    if (e != E_OK) return e;
    const struct rtc_config cfg = {.loops = s->loops,
                                   .n_loops = s->n_loops,
                                   .gate = &s->gate,
                                   .host = host,
                                   .port = port,
                                   .public_ip = s->settings.public_ip,
                                   .on_viewer = on_rtc_viewer,
                                   .on_viewer_ctx = s,
                                   .ice_servers = s->settings.ice_servers,
                                   .turn_secret = s->settings.turn_secret,
                                   .turn_ttl_s = (unsigned)s->settings.turn_ttl,
                                   .key_interval_ms = (unsigned)s->settings.hls_segment};
    return rtc_service_open(&cfg, &s->rtc, s->problem, sizeof s->problem);
}

static unsigned count_hls(void *ctx, const char *stream_id)
{
    return hls_viewers(((struct server *)ctx)->hls, stream_id);
}

static uint64_t viewer_who(void *ctx, const char *stream_id, struct span address,
                           struct span program)
{
    return hls_viewer_who(((struct server *)ctx)->hls, stream_id, address, program);
}

static void viewer_left(void *ctx, const char *stream_id, uint64_t who)
{
    hls_viewer_left(((struct server *)ctx)->hls, stream_id, who, false);
}

static void viewer_seen(void *ctx, const char *stream_id, uint64_t who)
{
    api_viewer_seen(((struct server *)ctx)->api, stream_id, who);
}

static unsigned count_rtc(void *ctx, const char *stream_id)
{
    const struct server *s = ctx;
    return s->rtc ? rtc_service_viewers(s->rtc, stream_id) : 0;
}

static unsigned count_rtmp(void *ctx, const char *stream_id)
{
    const struct server *s = ctx;
    return (s->rtmp ? rtmp_server_viewers(s->rtmp, stream_id) : 0) +
           (s->rtmps ? rtmp_server_viewers(s->rtmps, stream_id) : 0);
}

static void open_services(struct server *s)
{
    s->hls = hls_service_new(&(struct hls_config){.loops = s->loops,
                                                  .n_loops = s->n_loops,
                                                  .pool = s->pool,
                                                  .gate = &s->gate,
                                                  .settings = &s->settings,
                                                  .secret = &s->secret});
    s->images = image_service_new(&(struct image_config){.loops = s->loops,
                                                         .n_loops = s->n_loops,
                                                         .pool = s->pool,
                                                         .gate = &s->gate,
                                                         .settings = &s->settings});
    s->api = api_new(&(struct api_config){
        .settings = &s->settings,
        .secret = &s->secret,
        .store = s->store,
        .pool = s->pool,
        .hub = s->hub,
        .live = s->live,
        .webhooks = s->webhooks,
        .uploads = s->uploads,
        .client = s->client,
        .rtmp_port = s->rtmp ? rtmp_server_port(s->rtmp) : 0,
        .rtmps_port = s->rtmps ? rtmp_server_port(s->rtmps) : 0,
        .hls_viewers = count_hls,
        .rtc_viewers = count_rtc,
        .rtmp_viewers = count_rtmp,
        .viewer_who = viewer_who,
        .viewer_left = viewer_left,
        .viewers_ctx = s,
    });
    hls_on_new_viewer(s->hls, viewer_seen, s);
    outbox_set_wake(webhooks_wake, s->webhooks);
    const struct live_events ev = api_live_events(s->api);
    live_set_events(s->live, &ev);
    uploads_on_stream_changed(s->uploads, ev.on_stream_changed, ev.ctx);
}

static enum err open_provider(struct server *s)
{
    struct provider_config cfg = {
        .settings = &s->settings, .secret = &s->secret, .store = s->store, .client = s->client};
    api_provider_wire(s->api, &cfg);
    return provider_new(&cfg, &s->provider, s->problem, sizeof s->problem);
}

static enum err open_http(struct server *s)
{
    char host[256];
    uint16_t port;
    size_t n_api, n_hls, n_img, n_rtc = 0;
    const struct http_route *api = api_routes(s->api, &n_api), *hls = hls_routes(s->hls, &n_hls);
    const struct http_route *img = image_routes(s->images, &n_img);
    const struct http_route *rtc = s->rtc ? rtc_routes(s->rtc, &n_rtc) : NULL;
    s->routes = xcalloc(n_api + n_hls + n_img + n_rtc, sizeof *s->routes);
    memcpy(s->routes, api, n_api * sizeof *api);
    memcpy(s->routes + n_api, hls, n_hls * sizeof *hls);
    memcpy(s->routes + n_api + n_hls, img, n_img * sizeof *img);
    if (rtc) memcpy(s->routes + n_api + n_hls + n_img, rtc, n_rtc * sizeof *rtc);
    const enum err e = settings_addr(s->settings.http, host, sizeof host, &port);
    if (e != E_OK) return e;
    const struct http_config cfg = {.loops = s->loops,
                                    .n_loops = s->n_loops,
                                    .host = host,
                                    .port = port,
                                    .tls = s->https,
                                    .routes = s->routes,
                                    .n_routes = n_api + n_hls + n_img + n_rtc,
                                    .public_url = s->settings.public_url,
                                    .trust_proxy = s->settings.trust_proxy};
    return http_server_open(&cfg, &s->http, s->problem, sizeof s->problem);
}

/* "127.0.0.1:8080", with the port that was bound in place of 0, and a name for every address. */
static bool address_text(const char *addr, uint16_t port, char *out, size_t cap)
{
    char host[256];
    uint16_t asked;
    if (settings_addr(addr, host, sizeof host, &asked) != E_OK) return false;
    const bool v6 = strchr(host, ':') != NULL;
    snprintf(out, cap, "%s%s%s:%u", v6 ? "[" : "", host[0] ? host : "localhost", v6 ? "]" : "",
             port);
    return true;
}

static enum err open_notices(struct server *s)
{
    char address[280] = "", origin[300];
    (void)address_text(s->settings.http, http_server_port(s->http), address, sizeof address);
    snprintf(origin, sizeof origin, "%s://%s", s->https ? "https" : "http", address);
    mail_origin_set(s->settings.public_url[0] ? s->settings.public_url : origin);
    const enum err e =
        mailer_open(&s->settings, s->store, &s->mailer, s->problem, sizeof s->problem);
    if (s->mailer) mail_set_wake(mailer_wake, s->mailer);
    if (s->mailer && !s->settings.public_url[0])
        log_warn("mail", "links lead to %s: set public-url", origin);
    if (e == E_OK)
        s->notifier = notifier_new(&(struct notifier_config){.settings = &s->settings,
                                                             .secret = &s->secret,
                                                             .store = s->store,
                                                             .client = s->client});
    return e;
}

static enum err server_open(struct server *s)
{
    enum err e = open_state(s);
    if (e == E_OK) e = open_core(s);
    if (e == E_OK) e = open_transcoder(s);
    if (e == E_OK) e = open_tls(s);
    if (e == E_OK) e = open_rtmp(s, s->settings.rtmp, NULL, &s->rtmp);
    if (e == E_OK) e = open_rtmp(s, s->settings.rtmps, s->rtmps_tls, &s->rtmps);
    if (e == E_OK) e = open_rtc(s);
    if (e != E_OK) return e;
    open_services(s);
    e = open_provider(s);
    if (e == E_OK) e = open_http(s);
    return e != E_OK ? e : open_notices(s);
}

/* --- running --- */

static void *run_loop(void *loop)
{
    loop_run(loop);
    return NULL;
}

static void print_address(const char *label, const char *scheme, const char *addr, uint16_t port)
{
    char text[280];
    if (address_text(addr, port, text, sizeof text)) printf(" %s=%s://%s", label, scheme, text);
}

static void announce(const struct server *s)
{
    printf("bspnode ready");
    print_address("http", s->https ? "https" : "http", s->settings.http, http_server_port(s->http));
    if (s->rtmp) print_address("rtmp", "rtmp", s->settings.rtmp, rtmp_server_port(s->rtmp));
    if (s->rtmps) print_address("rtmps", "rtmps", s->settings.rtmps, rtmp_server_port(s->rtmps));
    if (s->rtc) print_address("webrtc", "udp", s->settings.webrtc, rtc_service_port(s->rtc));
    printf("\n");
    fflush(stdout);
}

static void stop_accepting(void *arg)
{
    struct server *s = arg;
    http_server_drain(s->http);
    if (s->rtmp) rtmp_server_drain(s->rtmp);
    if (s->rtmps) rtmp_server_drain(s->rtmps);
}

static void drain_loop(void *arg)
{
    struct server *s = arg;
    api_drain_loop(s->api);
    hls_service_drain_loop(s->hls);
    if (loop_current() == s->loops[0]) image_service_drain(s->images);
    if (s->rtc) rtc_service_drain_loop(s->rtc);
}

static bool busy(const struct server *s)
{
    return live_running(s->live) || http_server_connections(s->http) ||
           (s->rtmp && rtmp_server_connections(s->rtmp)) ||
           (s->rtmps && rtmp_server_connections(s->rtmps));
}

/* No new connections; broadcasts end and their recordings are closed; running replies finish. A
 * second signal ends the waiting. */
static void drain(struct server *s, const sigset_t *signals)
{
    const int64_t until = clock_mono_us() + s->settings.drain_time * US_PER_SEC;
    const struct timespec none = {0};
    log_info("drain", "seconds=%lld", (long long)s->settings.drain_time);
    api_set_ready(s->api, false);
    live_shutdown(s->live);
    loop_post(s->loops[0], stop_accepting, s);
    for (unsigned i = 0; i < s->n_loops; i++) loop_post(s->loops[i], drain_loop, s);
    provider_stop(s->provider);
    imports_stop(s->imports); /* within two seconds; the rest is done at the next start */
    while (busy(s) && clock_mono_us() < until && sigtimedwait(signals, NULL, &none) < 0)
        usleep(DRAIN_POLL_US);
}

static void server_run(struct server *s)
{
    sigset_t signals;
    int which;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* inherited by the threads */
    for (unsigned i = 0; i < s->n_loops; i++)
        CHECK(pthread_create(&s->threads[i], NULL, run_loop, s->loops[i]) == 0);
    imports_start(s->imports);
    provider_start(s->provider);
    api_set_ready(s->api, true);
    announce(s);
    sigwait(&signals, &which);
    drain(s, &signals);
    for (unsigned i = 0; i < s->n_loops; i++) loop_stop(s->loops[i]);
    for (unsigned i = 0; i < s->n_loops; i++) pthread_join(s->threads[i], NULL);
}

/* Also after a start that failed half-way. */
static void server_close(struct server *s)
{
    if (s->api) api_loops_stopped(s->api);
    loops_settle(s->loops, s->n_loops);
    if (s->api) api_stop(s->api); /* it has queues on the pool */
    if (s->pool) pool_free(s->pool);
    loops_settle(s->loops, s->n_loops); /* what the last jobs had to say */
    mailer_free(s->mailer);
    notifier_stop(s->notifier);
    webhooks_stop(s->webhooks);
    provider_free(s->provider);
    imports_free(s->imports);
    http_client_free(s->client);
    notifier_free(s->notifier);
    webhooks_free(s->webhooks);
    if (s->http) http_server_free(s->http);
    if (s->rtmps) rtmp_server_free(s->rtmps);
    if (s->rtmp) rtmp_server_free(s->rtmp);
    rtc_service_free(s->rtc);
    if (s->n_loops) loops_free(s->loops, s->n_loops);
    free(s->routes);
    if (s->api) api_free(s->api);
    if (s->hls) hls_service_free(s->hls);
    image_service_free(s->images);
    tls_ctx_free(s->rtmps_tls);
    tls_ctx_free(s->https);
    uploads_close(s->uploads);
    if (s->live) live_free(s->live);
    if (s->hub) hub_free(s->hub);
    if (s->store) store_close(s->store);
    data_dir_close(s->data);
    settings_fini(&s->settings);
}

/* --- the command line --- */

static int fail(const char *what)
{
    fprintf(stderr, "bspnode: %s\n", what);
    return 1;
}

static int cmd_serve(int argc, char **argv, char **env)
{
    struct server *s = NEW(struct server);
    struct str problem = {0};
    int code = 0;
    signal(SIGPIPE, SIG_IGN);
    if (settings_load(&s->settings, argc, argv, env, &problem) != E_OK) {
        fail(str_c(&problem));
        str_fini(&problem);
        free(s);
        return 2;
    }
    str_fini(&problem);
    set_log(&s->settings);
    raise_descriptor_limit();
    if (server_open(s) == E_OK)
        server_run(s);
    else
        code = fail(s->problem);
    server_close(s);
    free(s);
    return code;
}

static int cmd_version(int argc, char **argv, char **env)
{
    (void)argc, (void)argv, (void)env;
    printf("bspnode %s\n", BSPNODE_VERSION);
    return 0;
}

static int cmd_help(int argc, char **argv, char **env);

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv, char **env);
    const char *text;
} COMMANDS[] = {
    {"serve", cmd_serve, "run the server"},
    {"user", api_cmd_user,
     "list, add, password, suspend, unsuspend, role, quota, delete: accounts"},
    {"stream", api_cmd_stream, "list, end, delete: streams, on a running server too"},
    {"token", api_cmd_token, "create, list, revoke: what programs log in with"},
    {"mail", api_cmd_mail, "test ADDRESS: whether the mail server takes what this one sends"},
    {"doctor", api_cmd_doctor, "check ports, disk, clock, TLS; in plain words"},
    {"version", cmd_version, "print the version"},
    {"help", cmd_help, "this text"},
};
#define N_COMMANDS (sizeof COMMANDS / sizeof *COMMANDS)

static int cmd_help(int argc, char **argv, char **env)
{
    struct str out = {0};
    (void)argc, (void)argv, (void)env;
    str_adds(&out,
             "bspnode - a live-streaming platform in one program\n\nUsage: bspnode COMMAND\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        str_addf(&out, "  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].text);
    str_adds(&out,
             "\nSettings of serve (a flag beats BSPNODE_… in the environment beats --config):\n\n");
    settings_help(&out);
    fputs(str_c(&out), stdout);
    str_fini(&out);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) name = "help";
    if (!strcmp(name, "--version")) name = "version";
    for (int i = 2; i < argc; i++)
        if (!strcmp(argv[i], "--help")) name = "help";
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(name, COMMANDS[i].name))
            return COMMANDS[i].run(argc > 2 ? argc - 2 : 0, argv + 2, environ);
    fprintf(stderr, "bspnode: no command \"%s\"; try bspnode help\n", name);
    return 2;
}
