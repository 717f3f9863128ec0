/* SPDX-License-Identifier: MIT */
/* A child's last words: heard, however it goes, and whatever it has left unread. */
#include "../test.h"
#include "../two_loops.h"
#include "base/str.h"
#include "io/child.h"

#define SENT   20000 /* bytes that the child does not read */
#define ROUNDS 60

static struct two_loops loops;
static sem_t finished;

struct talk {
    struct child *child;
    struct str heard;
    struct buf *bytes;
    char how[40];
};

static void on_read(void *ctx, struct span s)
{
    struct talk *t = ctx;
    str_add(&t->heard, s);
    child_send(t->child, t->bytes); /* may find nobody any more */
}

static void on_exit_(void *ctx, const char *how)
{
    struct talk *t = ctx;
    snprintf(t->how, sizeof t->how, "%s", how);
    child_close(t->child);
    sem_post(&finished);
}

static const struct child_ops OPS = {.on_read = on_read, .on_exit = on_exit_};

static void begin(void *arg)
{
    static const char *const ARGV[] = {
        "/bin/sh", "-c", "head -c 1 <&3 >/dev/null; printf last >&3; printf words >&3; exit 7",
        NULL};
    struct talk *t = arg;
    assert_int_equal(child_spawn(loop_current(), ARGV, &OPS, t, &t->child), E_OK);
    child_send(t->child, t->bytes);
}

static void last_words(void **state)
{
    struct buf *bytes = buf_new(SENT);
    (void)state;
    memset(bytes->data, 'x', SENT);
    sem_init(&finished, 0, 0);
    two_loops_start(&loops);
    for (int i = 0; i < ROUNDS; i++) {
        struct talk t = {.bytes = bytes};
        on_loop(&loops, i & 1, begin, &t);
        sem_wait(&finished);
        assert_string_equal(t.how, "exit status 7");
        assert_true(span_is(str_span(&t.heard), "lastwords"));
        str_fini(&t.heard);
    }
    two_loops_stop(&loops);
    buf_unref(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(last_words)};
    return RUN_TESTS(tests);
}
