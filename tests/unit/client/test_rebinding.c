/* SPDX-License-Identifier: MIT */
/* The client of our own requests against names that lead to more than one place: what libcurl asks
 * of the system is answered here, so that a name can be public at one look and private at the next,
 * and nothing leaves this machine. */
#include "../test.h"
#include "base/limits.h"
#include "client/http_client.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PUBLIC "93.184.216.34" /* answered by the receiver below */
#define NOBODY "93.184.216.35" /* refuses */

/* --- the system, as libcurl sees it ---------------------------------------------------------- */

static struct {
    uint16_t port; /* who answers for PUBLIC */
    _Atomic int lookups, to_public, elsewhere;
} net;

/* What a name leads to: addresses with spaces between; with '|', at the first look and later. */
static const struct {
    const char *name, *to;
} NAMES[] = {
    {"public.test", PUBLIC},
    {"private.test", "127.0.0.1"},
    {"both.test", "127.0.0.1 10.0.0.1 " PUBLIC},
    {"fallback.test", NOBODY " 127.0.0.1"},
    {"turns.test", PUBLIC "|127.0.0.1"},
    {"mapped.test", "::ffff:127.0.0.1"},
    {"six.test", "::1 fe80::1 fd00::1"},
    {"nat64.test", "64:ff9b::7f00:1"},
    {"metadata.test", "169.254.169.254"},
    {"any.test", "0.0.0.0"},
};

typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int look_up_one(const char *address, const char *service, struct addrinfo **out)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    lookup_fn *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(address, service, &hints, out);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    char list[200], *rest = list, *one;
    const char *to = name;
    (void)hints;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (!strcmp(NAMES[i].name, name)) to = NAMES[i].to;
    const char *later = strchr(to, '|');
    if (later && atomic_fetch_add(&net.lookups, 1) == 0)
        snprintf(list, sizeof list, "%.*s", (int)(later - to), to);
    else
        snprintf(list, sizeof list, "%s", later ? later + 1 : to);
    *out = NULL;
    for (struct addrinfo **last = out; (one = strsep(&rest, " "));) {
        const int e = look_up_one(one, service, last);
        if (e) return e;
        while (*last) last = &(*last)->ai_next;
    }
    return 0;
}

static bool is(const struct sockaddr *a, const char *text)
{
    char have[INET_ADDRSTRLEN] = "";
    if (a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, have,
                  sizeof have);
    return !strcmp(have, text);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(net.port)};
    if (to->sa_family != AF_INET && to->sa_family != AF_INET6)
        return (int)syscall(SYS_connect, fd, to, len);
    if (is(to, NOBODY)) {
        errno = ECONNREFUSED;
        return -1;
    }
    if (!is(to, PUBLIC)) {
        atomic_fetch_add(&net.elsewhere, 1);
        return (int)syscall(SYS_connect, fd, to, len);
    }
    atomic_fetch_add(&net.to_public, 1);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return (int)syscall(SYS_connect, fd, &here, sizeof here);
}

int getpeername(int fd, struct sockaddr *a, socklen_t *len)
{
    const int e = (int)syscall(SYS_getpeername, fd, a, len);
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)a;
    if (e == 0 && a->sa_family == AF_INET && in->sin_port == htons(net.port))
        inet_pton(AF_INET, PUBLIC, &in->sin_addr);
    return e;
}

/* --- who answers ----------------------------------------------------------------------------- */

struct receiver {
    int fd;
    uint16_t port;
    bool keeps; /* a connection, for more requests */
    const char *answer;
    _Atomic int taken;
    pthread_t thread;
};

static void *receive(void *arg)
{
    struct receiver *r = arg;
    char head[4096];
    for (int c; (c = accept(r->fd, NULL, NULL)) >= 0; close(c)) {
        size_t n = 0;
        for (ssize_t k; (k = read(c, head + n, sizeof head - 1 - n)) > 0;) {
            n += (size_t)k;
            head[n] = 0;
            if (!strstr(head, "\r\n\r\n")) continue;
            atomic_fetch_add(&r->taken, 1);
            n = 0;
            if (write(c, r->answer, strlen(r->answer)) < 0 || !r->keeps) break;
        }
    }
    return NULL;
}

static void receiver_open(struct receiver *r, const char *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    r->answer = answer;
    r->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(r->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(r->fd, 16), 0);
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&a, &len), 0);
    r->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&r->thread, NULL, receive, r), 0);
}

static void receiver_close(struct receiver *r)
{
    shutdown(r->fd, SHUT_RDWR);
    pthread_join(r->thread, NULL);
    close(r->fd);
}

/* --- the tests ------------------------------------------------------------------------------- */

static enum err ask(struct http_client *c, const char *url, unsigned redirects, bool allow_private,
                    int *status)
{
    struct http_answer a;
    const struct http_want w = {.url = url,
                                .total_ms = 20000,
                                .max_bytes = 1000,
                                .redirects = redirects,
                                .allow_private = allow_private};
    const enum err e = http_client_run(c, &w, &a);
    *status = a.status;
    return e;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static void names_that_lead_to_private_addresses(void **state)
{
    static const char *const PRIVATE[] = {"private", "fallback", "mapped",  "six",
                                          "nat64",   "any",      "metadata"};
    struct receiver r = {0};
    char url[64];
    int status;
    (void)state;
    receiver_open(&r, OK);
    net.port = r.port;
    struct http_client *c = http_client_new("test/1");
    assert_int_equal(ask(c, "http://public.test/", 0, false, &status), E_OK);
    assert_int_equal(status, 200);
    assert_int_equal(r.taken, 1);
    for (size_t i = 0; i < sizeof PRIVATE / sizeof *PRIVATE; i++) {
        snprintf(url, sizeof url, "http://%s.test:%u/", PRIVATE[i], r.port);
        assert_int_equal(ask(c, url, 5, false, &status), E_AUTH);
        assert_int_equal(status, 0);
    }
    /* One good address among others is the one that is taken. */
    assert_int_equal(ask(c, "http://both.test/", 0, false, &status), E_OK);
    assert_int_equal(r.taken, 2);
    assert_int_equal(net.elsewhere, 0); /* nobody else was even knocked at */
    http_client_free(c);
    receiver_close(&r);
}

/* Another look at the name is another answer. A client of its own each time forgets the first. */
static void a_name_that_turns(void **state)
{
    struct receiver r = {0};
    int status;
    (void)state;
    receiver_open(&r, OK);
    net.port = r.port;
    atomic_store(&net.lookups, 0);
    atomic_store(&net.elsewhere, 0);
    for (int i = 0; i < 3; i++) {
        struct http_client *c = http_client_new("test/1");
        assert_int_equal(ask(c, "http://turns.test/", 0, false, &status), i ? E_AUTH : E_OK);
        http_client_free(c);
    }
    assert_int_equal(r.taken, 1);
    assert_int_equal(net.elsewhere, 0);
    receiver_close(&r);
}

static void redirects_inward(void **state)
{
    static const char *const TO[] = {
        "http://127.0.0.1:%u/",  "http://private.test:%u/", "http://[::ffff:127.0.0.1]:%u/",
        "http://2130706433:%u/", "http://0x7f.1:%u/",       "//private.test:%u/"};
    static const char *const OTHER[] = {"file:///etc/passwd", "gopher://127.0.0.1:25/x",
                                        "ftp://private.test/", "dict://127.0.0.1:11211/stats"};
    struct receiver in = {0};
    char answer[300], to[100];
    int status;
    (void)state;
    receiver_open(&in, OK);
    atomic_store(&net.elsewhere, 0);
    for (size_t i = 0; i < sizeof TO / sizeof *TO + sizeof OTHER / sizeof *OTHER; i++) {
        struct receiver out = {0};
        const size_t n = sizeof TO / sizeof *TO;
        snprintf(to, sizeof to, "%s", i < n ? "" : OTHER[i - n]);
        if (i < n) {
            const char *tail = strstr(TO[i], "%u");
            snprintf(to, sizeof to, "%.*s%u/", (int)(tail - TO[i]), TO[i], in.port);
        }
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", to);
        receiver_open(&out, answer);
        net.port = out.port;
        struct http_client *c = http_client_new("test/1");
        const enum err e = ask(c, "http://public.test/", 5, false, &status);
        if (e != (i < n ? E_AUTH : E_INVALID)) fail_msg("%s: %s", to, err_text(e));
        assert_int_equal(status, 0);
        /* A webhook does not follow at all. */
        assert_int_equal(ask(c, "http://public.test/", 0, false, &status), E_OK);
        assert_int_equal(status, 302);
        http_client_free(c);
        receiver_close(&out);
    }
    assert_int_equal(in.taken, 0);
    assert_int_equal(net.elsewhere, 0);
    receiver_close(&in);
}

static void a_circle_ends(void **state)
{
    struct receiver r = {0};
    int status;
    (void)state;
    receiver_open(&r, "HTTP/1.1 302 Found\r\nLocation: http://public.test/\r\nContent-Length: "
                      "0\r\n\r\n");
    net.port = r.port;
    struct http_client *c = http_client_new("test/1");
    assert_int_not_equal(ask(c, "http://public.test/", 5, false, &status), E_OK);
    assert_int_equal(r.taken, 6);
    http_client_free(c);
    receiver_close(&r);
}

/* One who may has opened a connection; one who may not would find it open. */
static void a_connection_of_somebody_who_may(void **state)
{
    struct receiver r = {.keeps = true};
    char url[64];
    int status;
    (void)state;
    receiver_open(&r, OK);
    net.port = 0;
    struct http_client *c = http_client_new("test/1");
    snprintf(url, sizeof url, "http://private.test:%u/", r.port);
    assert_int_equal(ask(c, url, 0, true, &status), E_OK);
    assert_int_equal(r.taken, 1);
    assert_int_equal(ask(c, url, 0, false, &status), E_AUTH);
    assert_int_equal(r.taken, 1);
    http_client_free(c);
    receiver_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_lead_to_private_addresses),
        cmocka_unit_test(a_name_that_turns),
        cmocka_unit_test(redirects_inward),
        cmocka_unit_test(a_circle_ends),
        cmocka_unit_test(a_connection_of_somebody_who_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
