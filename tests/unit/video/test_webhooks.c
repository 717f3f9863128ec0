/* SPDX-License-Identifier: MIT */
/* The signature, the envelope, the gaps, what is due when; and the sender against a receiver. */
#include "../product/fixture.h"
#include "base/clock.h"
#include "base/hash.h"
#include "product/seal.h"
#include "product/webhook.h"
#include "video/outbox.h"
#include "video/webhook_body.h"
#include "video/webhooks_priv.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

/* By Mux's rule with openssl: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret */
static void the_signature(void **state)
{
    char out[WEBHOOK_SIGNATURE_CAP];
    (void)state;
    webhook_sign(SPAN_LIT("secret"), 1700000000, SPAN_LIT("{\"a\":1}"), out);
    assert_string_equal(
        out, "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686");
}

static void foreign_bytes_become_text(void **state)
{
    static const struct {
        const char *in, *out;
    } CASES[] = {
        {"plain\r\n\ttext", "plain\n\ttext"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xac",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xac"},
        {"\x1b[31m\x7f", "?[31m?"},
        {"a\xff\xfe\x80z", "a???z"},
        {"\xc0\xaf", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xf4\x90\x80\x80", "????"},
        {"cut \xe2\x82", "cut ??"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct str s = {0};
        webhook_clean(span_str(CASES[i].in), &s);
        assert_string_equal(str_c(&s), CASES[i].out);
        str_fini(&s);
    }
}

static void gaps_grow(void **state)
{
    int64_t sum = 0;
    (void)state;
    assert_int_equal(webhooks_gap_us(1), US_PER_SEC);
    for (int i = 1; i < 40; i++) {
        assert_true(webhooks_gap_us(i + 1) >= webhooks_gap_us(i));
        if (sum < OUTBOX_LIFE_US) sum += webhooks_gap_us(i);
    }
    assert_true(sum >= OUTBOX_LIFE_US);
    assert_int_equal(webhooks_rest_us(1), 0);
    assert_int_equal(webhooks_rest_us(2), US_PER_SEC);
    assert_int_equal(webhooks_rest_us(5000), 60 * US_PER_SEC);
}

/* --- with rows -------------------------------------------------------------------------------- */

static enum err render(struct db *db, enum outbox_object kind, const char *id, struct str *out)
{
    (void)db, (void)kind;
    str_addf(out, "{\"id\":\"%s\",\"created_at\":1700000000}", id);
    return E_OK;
}

static void add_asset(struct fixture *f, const char *user_id, const char *id)
{
    assert_int_equal(db_exec(f->db,
                             "INSERT INTO assets (id, user_id, status, dir, created_at, updated_at)"
                             " VALUES (?1, ?2, 'ready', ?1, 1, 1)",
                             "ss", id, user_id),
                     E_OK);
}

static struct webhook add_hook(struct fixture *f, const char *user_id, const char *address,
                               char key[WEBHOOK_KEY_CAP])
{
    const struct webhook_rules rules = {&f->secret, true};
    struct webhook w;
    if (webhook_add(f->db, &rules, user_id, span_str(address), true, &w, key, &f->p) != E_OK)
        fail_msg("%s", f->p.text);
    return w;
}

static void happens(struct fixture *f, const char *type, const char *asset)
{
    assert_int_equal(db_begin(f->db), E_OK);
    assert_int_equal(outbox_add(f->db, type, OUTBOX_ASSET, asset), E_OK);
    assert_int_equal(db_commit(f->db), E_OK);
    usleep(10); /* another microsecond */
}

static size_t due(struct fixture *f, const char *hook, int64_t now, struct delivery_row *out)
{
    size_t n = 0;
    assert_int_equal(webhooks_db_due(f->db, hook, now, out, 8, &n), E_OK);
    return n;
}

static void fails(struct fixture *f, const char *id, int64_t at, int64_t next)
{
    assert_int_equal(webhooks_db_record(f->db, &(struct attempt){.delivery_id = id,
                                                                 .answer = "no",
                                                                 .status = 500,
                                                                 .at = at,
                                                                 .next_at = next}),
                     E_OK);
}

static void what_is_due_and_in_which_order(void **state)
{
    struct fixture *f = *state;
    struct delivery_row d[8], again[8];
    char key[WEBHOOK_KEY_CAP];
    int64_t next;
    const struct user u = add_user(f, "Ada", "ada@example.org");
    outbox_set(render, NULL, NULL);
    add_asset(f, u.id, "one");
    add_asset(f, u.id, "two");
    happens(f, "asset.created", "one"); /* nobody to tell */
    const struct webhook w = add_hook(f, u.id, "http://127.0.0.1:9/", key);
    happens(f, "asset.created", "one");
    happens(f, "asset.ready", "one");
    happens(f, "asset.created", "two");
    const int64_t now = clock_wall_us();
    assert_int_equal(due(f, w.id, now, d), 2); /* the second of "one" waits for the first */
    assert_string_equal(d[0].object_id, "one");
    assert_string_equal(d[1].object_id, "two");
    for (int i = 1; i <= ORDER_ATTEMPTS; i++) {
        fails(f, d[0].id, now + i, now + 1000000);
        /* Until it has failed too often. */
        assert_int_equal(due(f, w.id, now, again), i < ORDER_ATTEMPTS ? 1 : 2);
    }
    assert_int_equal(webhooks_db_next(f->db, w.id, now, &next), E_OK);
    assert_int_equal(next, now + 1000000);
    assert_int_equal(webhooks_db_hurry(f->db, w.id, now), E_OK);
    assert_int_equal(due(f, w.id, now, again), 3);
    assert_string_equal(again[0].id, d[0].id);
    fails(f, d[0].id, now + 9, -1);
    assert_int_equal(due(f, w.id, now, again), 2);
    assert_int_equal(webhooks_db_sweep(f->db, now + OUTBOX_LIFE_US + US_PER_SEC), E_OK);
    assert_int_equal(due(f, w.id, now, again), 0);
    assert_int_equal(webhooks_db_sweep(f->db, now + EVENTS_KEPT_US + US_PER_SEC), E_OK);
    struct db_rows *q = db_query(f->db,
                                 "SELECT (SELECT count(*) FROM media_events), (SELECT"
                                 " count(*) FROM webhook_attempts)",
                                 "");
    assert_true(db_next(q) && db_int(q, 0) == 0 && db_int(q, 1) == 0);
    assert_int_equal(db_done(q), E_OK);
    outbox_set(NULL, NULL, NULL);
}

static void the_log_is_the_owners(void **state)
{
    struct fixture *f = *state;
    struct webhook_delivery rows[LIMIT_PAGE_ITEMS], one;
    struct delivery_row d[8];
    struct webhook hooks[4], got;
    char key[WEBHOOK_KEY_CAP], again[WEBHOOK_KEY_CAP], next[WEBHOOK_CURSOR_CAP], first[8];
    size_t n = 0;
    struct str body = {0};
    const struct webhook_rules strict = {&f->secret, false}, rules = {&f->secret, true};
    const struct user u = add_user(f, "Ada", "ada@example.org");
    const struct user eve = add_user(f, "Eve", "eve@example.org");
    outbox_set(render, NULL, NULL);
    assert_int_equal(
        webhook_add(f->db, &strict, u.id, SPAN_LIT("http://10.0.0.1/"), true, &got, key, &f->p),
        E_INVALID);
    assert_string_equal(f->p.field, "address");
    const struct webhook w = add_hook(f, u.id, "http://127.0.0.1:9/", key);
    assert_int_equal(strlen(key), WEBHOOK_KEY_CAP - 1);
    assert_int_equal(webhook_add(f->db, &rules, u.id, SPAN_LIT(" http://127.0.0.1:9/ "), true, &got,
                                 again, &f->p),
                     E_CONFLICT);
    assert_string_equal(f->p.code, "address_taken");
    add_hook(f, eve.id, "http://127.0.0.1:9/", again);
    for (int i = 0; i < 5; i++) {
        snprintf(first, sizeof first, "a%d", i);
        add_asset(f, u.id, first);
        happens(f, "asset.ready", first);
    }
    assert_int_equal(webhook_list(f->db, u.id, 4, 0, hooks, &n, &f->p), E_OK);
    assert_int_equal(n, 1);
    int64_t waiting = 0;
    assert_int_equal(webhook_waiting(f->db, hooks[0].id, &waiting, &f->p), E_OK);
    assert_int_equal(waiting, 5);
    assert_int_equal(webhook_list(f->db, u.id, 4, 1, hooks, &n, &f->p), E_OK);
    assert_int_equal(n, 0);
    assert_int_equal(webhook_get(f->db, eve.id, w.id, &got, &f->p), E_NOTFOUND);

    /* Page by page, newest first. */
    struct webhook_list_ask ask = {.webhook_id = w.id, .cursor = "", .limit = 2};
    size_t seen = 0;
    do {
        assert_int_equal(webhook_deliveries(f->db, u.id, &ask, rows, &n, next, &f->p), E_OK);
        seen += n;
        snprintf(first, sizeof first, "a%d", (int)(5 - seen));
        assert_string_equal(rows[n - 1].object_id, first);
        ask.cursor = next;
    } while (*next);
    assert_int_equal(seen, 5);
    ask.cursor = "";
    assert_int_equal(webhook_deliveries(f->db, eve.id, &ask, rows, &n, next, &f->p), E_NOTFOUND);
    ask.cursor = "nonsense";
    assert_int_equal(webhook_deliveries(f->db, u.id, &ask, rows, &n, next, &f->p), E_INVALID);

    /* One of them, its envelope, and again. */
    const int64_t now = clock_wall_us();
    assert_int_equal(due(f, w.id, now, d), 5);
    fails(f, d[0].id, now, -1);
    assert_int_equal(webhook_delivery_get(f->db, eve.id, w.id, d[0].id, &one, &body, &f->p),
                     E_NOTFOUND);
    assert_int_equal(webhook_delivery_get(f->db, u.id, w.id, d[0].id, &one, &body, &f->p), E_OK);
    assert_string_equal(one.state, "given_up");
    assert_int_equal(one.last_status, 500);
    assert_non_null(strstr(str_c(&body), "\"type\":\"video.asset.ready\""));
    assert_non_null(strstr(str_c(&body), "\"data\":{\"id\":\"a0\",\"created_at\":1700000000}"));
    assert_non_null(strstr(str_c(&body), "\"attempts\":[]}"));
    str_fini(&body);
    ask.cursor = "", ask.state = "given_up";
    assert_int_equal(webhook_deliveries(f->db, u.id, &ask, rows, &n, next, &f->p), E_OK);
    assert_int_equal(n, 1);
    assert_int_equal(webhook_send_again(f->db, eve.id, w.id, d[0].id, &f->p), E_NOTFOUND);
    assert_int_equal(webhook_send_again(f->db, u.id, w.id, d[0].id, &f->p), E_OK);
    assert_int_equal(due(f, w.id, clock_wall_us(), d), 5);

    /* The secret is sealed for this row, and can be changed. */
    struct db_rows *q =
        db_query(f->db, "SELECT secret_sealed FROM webhooks WHERE id = ?1", "s", w.id);
    assert_true(db_next(q));
    assert_int_equal(seal_open(&f->secret, w.id, db_blob(q, 0), again, sizeof again), E_OK);
    assert_string_equal(again, key);
    assert_int_equal(seal_open(&f->secret, "other", db_blob(q, 0), again, sizeof again), E_AUTH);
    assert_int_equal(db_done(q), E_OK);
    assert_int_equal(webhook_renew_key(f->db, &rules, eve.id, w.id, again, &f->p), E_NOTFOUND);
    assert_int_equal(webhook_renew_key(f->db, &rules, u.id, w.id, again, &f->p), E_OK);
    assert_string_not_equal(again, key);

    const bool off = false;
    const struct span to = SPAN_LIT("https://example.org/hook");
    assert_int_equal(webhook_change(f->db, &rules, u.id, w.id, &to, &off, &got, &f->p), E_OK);
    assert_true(!got.enabled && !strcmp(got.address, "https://example.org/hook"));
    assert_int_equal(webhook_send_again(f->db, u.id, w.id, d[0].id, &f->p), E_CONFLICT);
    assert_int_equal(webhook_remove(f->db, eve.id, w.id, &f->p), E_NOTFOUND);
    assert_int_equal(webhook_remove(f->db, u.id, w.id, &f->p), E_OK);
    outbox_set(NULL, NULL, NULL);
}

/* --- the HTTP client and the sender, against a receiver of three lines -------------------------
 */

struct receiver {
    int fd;
    uint16_t port;
    pthread_t thread;
    const char *answer; /* whole */
    _Atomic int taken;
    char last[16384];
};

static void *receive(void *arg)
{
    struct receiver *r = arg;
    for (;;) {
        const int c = accept(r->fd, NULL, NULL);
        if (c < 0) return NULL;
        size_t n = 0;
        char *head;
        for (;;) {
            const ssize_t got = read(c, r->last + n, sizeof r->last - 1 - n);
            if (got <= 0) break;
            n += (size_t)got;
            r->last[n] = 0;
            const char *len = strcasestr(r->last, "content-length: ");
            head = strstr(r->last, "\r\n\r\n");
            if (head && n >= (size_t)(head + 4 - r->last) + (len ? strtoul(len + 16, NULL, 10) : 0))
                break;
        }
        atomic_fetch_add(&r->taken, 1);
        if (write(c, r->answer, strlen(r->answer)) < 0) perror("write");
        close(c);
    }
}

static void receiver_open(struct receiver *r, const char *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    memset(r, 0, sizeof *r);
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

static void the_client_and_its_guard(void **state)
{
    struct receiver r;
    struct http_answer a;
    char url[64], path[] = "/tmp/bsp-fetch-XXXXXX", text[64] = "";
    (void)state;
    receiver_open(
        &r, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123456789");
    struct http_client *c = http_client_new("test/1");
    const int fd = mkstemp(path);
    unlink(path);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x", r.port);
    struct http_want w = {.url = url, .total_ms = 20000, .max_bytes = 100, .fd = fd};
    assert_int_equal(http_client_run(c, &w, &a), E_AUTH);
    assert_int_equal(r.taken, 0);
    /* A name is looked at when it has been resolved. */
    w.url = "http://localhost/";
    assert_int_equal(http_client_run(c, &w, &a), E_AUTH);
    w.url = "http://[::ffff:127.0.0.1]/";
    assert_int_equal(http_client_run(c, &w, &a), E_AUTH);
    w.url = url, w.allow_private = true;
    assert_int_equal(http_client_run(c, &w, &a), E_OK);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.bytes, 10);
    assert_string_equal(a.type, "text/plain");
    assert_int_equal(pread(fd, text, sizeof text, 0), 10);
    assert_string_equal(text, "0123456789");
    assert_non_null(strstr(r.last, "User-Agent: test/1"));
    w.max_bytes = 9;
    assert_int_equal(http_client_run(c, &w, &a), E_LIMIT);
    w.cut = true;
    assert_int_equal(http_client_run(c, &w, &a), E_OK);
    assert_int_equal(a.bytes, 9);
    _Atomic bool cancel = true;
    w.cancel = &cancel;
    assert_int_equal(http_client_run(c, &w, &a), E_CLOSED);
    w.cancel = NULL, w.url = "ftp://127.0.0.1/";
    assert_int_equal(http_client_run(c, &w, &a), E_INVALID);
    http_client_free(c);
    receiver_close(&r);
    close(fd);
}

static void redirects_only_where_wished(void **state)
{
    struct receiver r, to;
    struct http_answer a;
    char url[64], answer[200], path[] = "/tmp/bsp-fetch-XXXXXX";
    (void)state;
    receiver_open(&to, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    snprintf(
        answer, sizeof answer,
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/y\r\nContent-Length: 4\r\n\r\ngone",
        to.port);
    receiver_open(&r, answer);
    struct http_client *c = http_client_new("test/1");
    const int fd = mkstemp(path);
    unlink(path);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x", r.port);
    struct http_want w = {
        .url = url, .total_ms = 20000, .max_bytes = 100, .fd = fd, .allow_private = true};
    assert_int_equal(http_client_run(c, &w, &a), E_OK);
    assert_int_equal(a.status, 302);
    assert_int_equal(to.taken, 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    w.redirects = 3;
    assert_int_equal(http_client_run(c, &w, &a), E_OK);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.bytes, 2);
    assert_int_equal(to.taken, 1);
    http_client_free(c);
    receiver_close(&r);
    receiver_close(&to);
    close(fd);
}

static int64_t count(struct fixture *f, const char *state)
{
    struct db_rows *q =
        db_query(f->db, "SELECT count(*) FROM webhook_deliveries WHERE state = ?1", "s", state);
    const int64_t n = db_next(q) ? db_int(q, 0) : -1;
    assert_int_equal(db_done(q), E_OK);
    return n;
}

/* Somebody's endpoint takes no connection, somebody's takes all. */
static void a_dead_endpoint_delays_nobody(void **state)
{
    struct fixture *f = *state;
    struct receiver r;
    char url[64], key[WEBHOOK_KEY_CAP], asset[8];
    const struct user u = add_user(f, "Ada", "ada@example.org");
    receiver_open(&r, "HTTP/1.1 204 No Content\r\n\r\n");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/hook", r.port);
    struct http_client *c = http_client_new("test/1");
    struct webhooks *w = webhooks_new(&(struct webhooks_config){.secret = &f->secret,
                                                                .store = f->store,
                                                                .client = c,
                                                                .allow_private = true,
                                                                .open_secret = seal_open});
    outbox_set(render, webhooks_wake, w);
    add_hook(f, u.id, "http://127.0.0.1:1/dead", key);
    add_hook(f, u.id, url, key);
    for (int i = 0; i < 50; i++) {
        snprintf(asset, sizeof asset, "a%d", i);
        add_asset(f, u.id, asset);
        happens(f, "asset.ready", asset);
    }
    for (int i = 0; i < 6000 && count(f, "delivered") < 50; i++) usleep(10000);
    assert_int_equal(count(f, "delivered"), 50);
    assert_int_equal(count(f, "waiting"), 50);
    assert_int_equal(count(f, "given_up"), 0);
    assert_int_equal(r.taken, 50);
    webhooks_stop(w);
    http_client_free(c);
    webhooks_free(w);
    outbox_set(NULL, NULL, NULL);
    outbox_set_wake(NULL, NULL);
    receiver_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature),
        cmocka_unit_test(foreign_bytes_become_text),
        cmocka_unit_test(gaps_grow),
        cmocka_unit_test(the_client_and_its_guard),
        cmocka_unit_test(redirects_only_where_wished),
        T(what_is_due_and_in_which_order),
        T(the_log_is_the_owners),
        T(a_dead_endpoint_delays_nobody),
    };
    return RUN_TESTS(tests);
}
