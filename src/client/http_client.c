/* SPDX-License-Identifier: MIT */
#include "client/http_client.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "client/net_guard.h"
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { POLL_MS = 1000 };
#define ROOM_EVERY_BYTES (UINT64_C(4) << 20) /* written between two looks at the disk */

struct http_client {
    CURLM *multi;
    pthread_t thread;
    char agent[64];
    pthread_mutex_t lock;
    struct list fresh; /* under lock: started, not yet the thread's */
    bool ending;       /* under lock */
    struct list running;
};

struct transfer {
    struct list node;
    struct http_want want; /* its pointers are to copies */
    http_done *done;
    void *arg;
    CURL *easy;
    struct curl_slist *headers;
    char *url;
    struct str sent, body;
    struct http_answer answer;
    int64_t started_us;
    uint64_t room_until;                        /* of the body; as far as the disk was looked at */
    bool refused, over, disk_full, disk_failed; /* why it was stopped from here */
    char error[CURL_ERROR_SIZE];
};

/* --- what libcurl asks us --------------------------------------------------------------------- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *sa)
{
    struct transfer *t = arg;
    (void)purpose;
    if (!t->want.allow_private && !net_guard_sockaddr_is_public(&sa->addr, sa->addrlen)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(sa->family, sa->socktype | SOCK_CLOEXEC, sa->protocol);
}

/* A connection that was left open by another request is looked at again. */
static int before_request(void *arg, char *peer, char *own, int peer_port, int own_port)
{
    struct transfer *t = arg;
    struct net_addr a;
    (void)own, (void)own_port;
    t->refused = false; /* another of the name's addresses was fine */
    if (t->want.allow_private ||
        (net_addr_parse(span_str(peer), (uint16_t)peer_port, &a) && net_guard_is_public(&a)))
        return CURL_PREREQFUNC_OK;
    t->refused = true;
    return CURL_PREREQFUNC_ABORT;
}

static bool has_room(struct transfer *t, size_t n)
{
    struct statvfs v;
    if (t->answer.bytes + n <= t->room_until || fstatvfs(t->want.fd, &v) != 0) return true;
    t->room_until = t->answer.bytes + n + ROOM_EVERY_BYTES;
    if ((uint64_t)v.f_bavail * v.f_frsize >= n + ROOM_EVERY_BYTES + t->want.min_free) return true;
    t->disk_full = t->disk_failed = true;
    return false;
}

static bool write_all(struct transfer *t, const char *p, size_t n)
{
    if (t->want.min_free && !has_room(t, n)) return false;
    while (n) {
        const ssize_t w = write(t->want.fd, p, n);
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) {
            t->disk_full = errno == ENOSPC || errno == EDQUOT;
            t->disk_failed = true;
            return false;
        }
        p += w;
        n -= (size_t)w;
    }
    return true;
}

/* Returns less than it was given to stop the transfer. */
static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * n;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->want.redirects && status >= 300 && status < 400) return len; /* the page of a redirect */
    if (len > t->want.max_bytes - t->answer.bytes) {
        t->over = true;
        len = t->want.max_bytes - t->answer.bytes;
    }
    if (t->want.fd > 0) {
        if (!write_all(t, p, len)) return CURL_WRITEFUNC_ERROR;
    } else {
        str_add(&t->body, span_of(p, len));
    }
    t->answer.bytes += len;
    if (t->want.received) atomic_store(t->want.received, t->answer.bytes);
    return t->over ? CURL_WRITEFUNC_ERROR : len;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t sent)
{
    struct transfer *t = arg;
    (void)now, (void)up, (void)sent;
    if (t->want.expected && total > 0) atomic_store(t->want.expected, (uint64_t)total);
    return t->want.cancel && atomic_load(t->want.cancel);
}

/* --- a request -------------------------------------------------------------------------------- */

#define SET(option, value) CHECK(curl_easy_setopt(t->easy, option, value) == CURLE_OK)

static void set_limits(struct transfer *t)
{
    const struct http_want *w = &t->want;
    SET(CURLOPT_TIMEOUT_MS, (long)w->total_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(w->connect_ms ? w->connect_ms : w->total_ms));
    if (w->idle_ms) {
        SET(CURLOPT_LOW_SPEED_LIMIT, (long)LIMIT_FETCH_RATE);
        SET(CURLOPT_LOW_SPEED_TIME, (long)((w->idle_ms + 999) / 1000));
    }
    if (w->once) SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a look-up that hangs is left to its thread, not waited for */
    SET(CURLOPT_FOLLOWLOCATION, w->redirects ? 1L : 0L);
    SET(CURLOPT_MAXREDIRS, (long)w->redirects);
}

static void set_guard(struct transfer *t)
{
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, t);
}

static void set_body(struct transfer *t)
{
    if (t->want.post) {
        t->headers = curl_slist_append(t->headers, "Expect:");
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, str_c(&t->sent));
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->sent.len);
    }
    if (t->want.method) SET(CURLOPT_CUSTOMREQUEST, t->want.method);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, t);
}

static bool prepare(struct http_client *c, struct transfer *t)
{
    t->easy = curl_easy_init();
    CHECK(t->easy);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_PRIVATE, t);
    SET(CURLOPT_USERAGENT, c->agent);
    if (curl_easy_setopt(t->easy, CURLOPT_URL, t->url) != CURLE_OK) return false;
    set_limits(t);
    set_guard(t);
    set_body(t);
    return curl_multi_add_handle(c->multi, t->easy) == CURLM_OK;
}

static void transfer_free(struct transfer *t)
{
    if (t->easy) curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    str_fini(&t->sent);
    str_fini(&t->body);
    free(t->url);
    free(t);
}

static void say(struct transfer *t, enum err e, const char *why)
{
    t->answer.err = e;
    if (e != E_OK) snprintf(t->answer.why, sizeof t->answer.why, "%s", why);
}

static void judge(struct transfer *t, CURLcode rc)
{
    if (t->over && !t->want.cut) {
        say(t, E_LIMIT, "the answer is larger than allowed");
        return;
    }
    if (rc == CURLE_OK || t->over) {
        say(t, E_OK, "");
        return;
    }
    if (t->disk_failed) {
        say(t, t->disk_full ? E_FULL : E_IO,
            t->disk_full ? "the disk of the server is full"
                         : "the answer could not be written to the disk");
        return;
    }
    const char *words = t->error[0] ? t->error : curl_easy_strerror(rc);
    if (t->refused)
        say(t, E_AUTH, "the address is on a private network, which is not allowed here");
    else if (rc == CURLE_OPERATION_TIMEDOUT)
        say(t, E_TIMEOUT, words);
    else if (rc == CURLE_ABORTED_BY_CALLBACK)
        say(t, E_CLOSED, "stopped");
    else if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL ||
             rc == CURLE_TOO_MANY_REDIRECTS)
        say(t, E_INVALID, words);
    else
        say(t, E_IO, words);
}

static void note_answer(struct transfer *t)
{
    long status = 0;
    char *type = NULL;
    curl_off_t retry = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry);
    t->answer.retry_after_s = retry;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    t->answer.status = t->answer.err == E_OK ? (int)status : 0;
    snprintf(t->answer.type, sizeof t->answer.type, "%s", type ? type : "");
    t->answer.body = str_span(&t->body);
    t->answer.took_us = clock_mono_us() - t->started_us;
}

static void finish(struct transfer *t)
{
    list_remove(&t->node);
    t->done(t->arg, &t->answer);
    transfer_free(t);
}

/* --- the thread ------------------------------------------------------------------------------- */

static bool take_fresh(struct http_client *c)
{
    pthread_mutex_lock(&c->lock);
    const bool ending = c->ending;
    LIST_EACH(it, &c->fresh)
    {
        list_remove(it);
        list_push_back(&c->running, it);
        struct transfer *t = CONTAINER_OF(it, struct transfer, node);
        t->started_us = 0; /* not begun */
    }
    pthread_mutex_unlock(&c->lock);
    return !ending;
}

static void begin_fresh(struct http_client *c)
{
    LIST_EACH(it, &c->running)
    {
        struct transfer *t = CONTAINER_OF(it, struct transfer, node);
        if (t->started_us) continue;
        t->started_us = clock_mono_us();
        if (prepare(c, t)) continue;
        say(t, E_INVALID, "the address cannot be asked");
        finish(t);
    }
}

static void collect(struct http_client *c)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(c->multi, &left))) {
        struct transfer *t = NULL;
        if (m->msg != CURLMSG_DONE) continue;
        const CURLcode rc = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        judge(t, rc);
        note_answer(t);
        curl_multi_remove_handle(c->multi, t->easy);
        finish(t);
    }
}

static void *client_run(void *arg)
{
    struct http_client *c = arg;
    int n;
    while (take_fresh(c)) {
        begin_fresh(c);
        curl_multi_perform(c->multi, &n);
        collect(c);
        curl_multi_poll(c->multi, NULL, 0, POLL_MS, NULL);
    }
    LIST_EACH(it, &c->running)
    {
        struct transfer *t = CONTAINER_OF(it, struct transfer, node);
        if (t->easy) curl_multi_remove_handle(c->multi, t->easy);
        say(t, E_CLOSED, "the server is stopping");
        finish(t);
    }
    return NULL;
}

static void global_init(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

struct http_client *http_client_new(const char *agent)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_client *c = NEW(struct http_client);
    pthread_once(&once, global_init);
    c->multi = curl_multi_init();
    CHECK(c->multi);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)LIMIT_FETCH_KEPT);
    snprintf(c->agent, sizeof c->agent, "%s", agent);
    pthread_mutex_init(&c->lock, NULL);
    list_init(&c->fresh);
    list_init(&c->running);
    CHECK(pthread_create(&c->thread, NULL, client_run, c) == 0);
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_mutex_unlock(&c->lock);
    curl_multi_wakeup(c->multi);
    pthread_join(c->thread, NULL);
    curl_multi_cleanup(c->multi);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void http_client_start(struct http_client *c, const struct http_want *w, http_done *done, void *arg)
{
    struct transfer *t = NEW(struct transfer);
    t->want = *w;
    t->done = done;
    t->arg = arg;
    t->url = xstrdup(w->url);
    str_add(&t->sent, w->body);
    for (size_t i = 0; i < sizeof w->headers / sizeof *w->headers && w->headers[i]; i++)
        t->headers = curl_slist_append(t->headers, w->headers[i]);
    pthread_mutex_lock(&c->lock);
    list_push_back(&c->fresh, &t->node);
    pthread_mutex_unlock(&c->lock);
    curl_multi_wakeup(c->multi);
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool over;
    struct http_answer answer;
};

static void stop_waiting(void *arg, const struct http_answer *a)
{
    struct waiting *w = arg;
    pthread_mutex_lock(&w->lock);
    w->answer = *a;
    w->answer.body = SPAN_NULL;
    w->over = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

enum err http_client_run(struct http_client *c, const struct http_want *want,
                         struct http_answer *out)
{
    struct waiting w = {.over = false};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.cond, NULL);
    http_client_start(c, want, stop_waiting, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.over) pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.lock);
    *out = w.answer;
    return out->err;
}

/* --- addresses -------------------------------------------------------------------------------- */

static bool names_private(const char *host)
{
    struct net_addr a;
    struct span s = span_str(host);
    if (s.len > 2 && s.p[0] == '[') s = span_of(s.p + 1, s.len - 2);
    if (net_addr_parse(s, 0, &a)) return !net_guard_is_public(&a);
    while (s.len && s.p[s.len - 1] == '.') s.len--;
    return span_ieq(s, SPAN_LIT("localhost")) ||
           (s.len > 10 && !strncasecmp((const char *)s.p + s.len - 10, ".localhost", 10));
}

static const char *url_problem(CURLU *u, const char *url, bool allow_private)
{
    const char *why = NULL;
    char *scheme = NULL, *host = NULL, *user = NULL;
    if (strlen(url) > LIMIT_URL_BYTES) return "This address is too long.";
    const char *at = strstr(url, "://");
    if (!at || at[3] == '/' ||
        curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host)
        why = "This must be an address such as https://example.org/hook.";
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        why = "This must be an http or https address.";
    else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
        why = "This address must not hold a user name or a password.";
    else if (!allow_private && names_private(host))
        why = "This address is on a private network, which is not allowed here.";
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return why;
}

enum err http_url_check(const char *url, bool allow_private, const char **why)
{
    CURLU *u = curl_url();
    CHECK(u);
    const char *problem = url_problem(u, url, allow_private);
    curl_url_cleanup(u);
    if (problem) *why = problem;
    return problem ? E_INVALID : E_OK;
}
