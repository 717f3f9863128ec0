/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "../two_loops.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "io/tcp.h"
#include <unistd.h>

#define BIG (8u << 20) /* more than any socket buffer */

static struct two_loops loops;
static struct tcp_listener *listener;
static sem_t finished;

/* --- a server that sends BIG bytes from memory, then the same from a file, then closes gently ---
 */

static struct buf *payload;
static struct file *payload_file;

static void server_read(void *ctx, struct span s)
{
    struct tcp *c = ctx;
    assert_true(span_is(s, "go"));
    assert_true(tcp_is_local(c));
    tcp_send(c, payload, 0, BIG / 2);
    tcp_send(c, payload, BIG / 2, BIG / 2);
    tcp_send_file(c, payload_file, 0, BIG);
    tcp_send_copy(c, SPAN_LIT("end"));
    assert_int_equal(tcp_queued(c), 2 * (size_t)BIG + 3);
    tcp_close_gently(c);
}

static void server_closed(void *ctx, enum err e)
{
    (void)e;
    tcp_close(ctx);
}

static const struct tcp_ops SERVER = {.on_read = server_read, .on_closed = server_closed};

static void on_accept(void *ctx, struct tcp *c)
{
    (void)ctx;
    tcp_start(c, &SERVER, c);
}

struct client {
    struct tcp *tcp;
    struct str got;
};

static void client_read(void *ctx, struct span s)
{
    struct client *c = ctx;
    str_add(&c->got, s);
}

static void client_closed(void *ctx, enum err e)
{
    struct client *c = ctx;
    assert_int_equal(e, E_CLOSED);
    assert_int_equal(c->got.len, 2 * (size_t)BIG + 3);
    assert_memory_equal(c->got.p, payload->data, BIG);
    assert_memory_equal(c->got.p + BIG, payload->data, BIG);
    tcp_close(c->tcp);
    sem_post(&finished);
}

static const struct tcp_ops CLIENT = {.on_read = client_read, .on_closed = client_closed};

static void start_client(void *arg)
{
    struct client *c = arg;
    assert_int_equal(tcp_connect(loop_current(), "127.0.0.1", tcp_listener_port(listener), &c->tcp),
                     E_OK);
    tcp_start(c->tcp, &CLIENT, c);
    tcp_send_copy(c->tcp, SPAN_LIT("go"));
}

static void stop_listening(void *arg)
{
    tcp_listener_close(arg);
}

static void bytes_and_files_arrive_whole(void **state)
{
    (void)state;
    char problem[200], path[] = "/tmp/bspnode-test-XXXXXX";
    struct client clients[4] = {{0}};
    payload = buf_new(BIG);
    rand_bytes(payload->data, BIG);
    const int fd = mkstemp(path);
    assert_int_equal(write(fd, payload->data, BIG), BIG);
    close(fd);
    assert_int_equal(file_open(path, &payload_file), E_OK);
    unlink(path);
    sem_init(&finished, 0, 0);
    for (unsigned i = 0; i < 2; i++) loops.loops[i] = loop_new(i);
    assert_int_equal(tcp_listen(loops.loops, 2, "127.0.0.1", 0, on_accept, NULL, &listener, problem,
                                sizeof problem),
                     E_OK);
    struct tcp_listener *second;
    assert_int_equal(tcp_listen(loops.loops, 2, "127.0.0.1", tcp_listener_port(listener), on_accept,
                                NULL, &second, problem, sizeof problem),
                     E_IO);
    assert_non_null(strstr(problem, "in use"));
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&loops.threads[i], NULL, two_loops_thread, loops.loops[i]);
    for (int i = 0; i < 4; i++) on_loop(&loops, i & 1, start_client, &clients[i]);
    for (int i = 0; i < 4; i++) sem_wait(&finished);
    on_loop(&loops, 0, stop_listening, listener);
    two_loops_stop(&loops);
    for (int i = 0; i < 4; i++) str_fini(&clients[i].got);
    buf_unref(payload);
    file_unref(payload_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_and_files_arrive_whole)};
    return RUN_TESTS(tests);
}
