/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "../two_loops.h"
#include "io/udp.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define RUN 100

struct end {
    struct udp *udp;
    unsigned got;
    size_t bytes;
    struct net_addr to, from;
    sem_t *done;
};

static sem_t done;
static struct end a, b;
static const char *host;

/* Sends back what came, from where it came to. */
static void echo(void *ctx, struct udp_datagram *d, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        a.to = d[i].to;
        assert_true(udp_send(a.udp, &d[i].from, &d[i].to, span_of(d[i].p, d[i].len), d[i].len));
    }
}

static void count(void *ctx, struct udp_datagram *d, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(d[i].p[0], (uint8_t)b.got); /* none lost, none out of order */
        assert_int_equal(d[i].len, b.got + 1 == RUN ? 77 : 1100);
        b.from = d[i].from;
        b.bytes += d[i].len;
        if (++b.got == RUN) sem_post(&done);
    }
}

static void open_one(void *arg)
{
    struct end *e = arg;
    char problem[200];
    struct net_addr at = {0};
    if (e == &b) assert_true(net_addr_parse(span_str(host), 0, &at));
    assert_int_equal(udp_open(loop_current(), &at, &e->udp, problem, sizeof problem), E_OK);
    udp_start(e->udp, e == &a ? echo : count, e);
}

static void send_run(void *arg)
{
    static uint8_t bytes[(RUN - 1) * 1100 + 77];
    struct net_addr to;
    for (unsigned i = 0; i < RUN; i++) bytes[i * 1100] = (uint8_t)i;
    assert_true(net_addr_parse(span_str(host), udp_port(a.udp), &to));
    assert_true(udp_send(b.udp, &to, NULL, span_of(bytes, sizeof bytes), 1100));
}

static void close_one(void *arg)
{
    udp_close(((struct end *)arg)->udp);
}

static void there_and_back(const char *address)
{
    struct two_loops t;
    host = address;
    a = b = (struct end){0};
    sem_init(&done, 0, 0);
    two_loops_start(&t);
    on_loop(&t, 0, open_one, &a);
    on_loop(&t, 1, open_one, &b);
    on_loop(&t, 1, send_run, NULL);
    sem_wait(&done);
    on_loop(&t, 0, close_one, &a);
    on_loop(&t, 1, close_one, &b);
    two_loops_stop(&t);
    assert_int_equal(b.bytes, (RUN - 1) * 1100 + 77);
    char text[NET_ADDR_LEN];
    net_addr_text(&a.to, text); /* the wildcard socket knows which address was asked, */
    assert_string_equal(text, address);
    net_addr_text(&b.from, text); /* and answers from it */
    assert_string_equal(text, address);
}

static void ipv4(void **state)
{
    there_and_back("127.0.0.1");
}

static void ipv4_another_local_address(void **state)
{
    there_and_back("127.0.0.7");
}

static void ipv6(void **state)
{
    there_and_back("::1");
}

static void an_address_that_is_not_ours(void **state)
{
    struct loop *l = loop_new(0);
    struct udp *u;
    struct net_addr at;
    char problem[200];
    assert_true(net_addr_parse(SPAN_LIT("192.0.2.99"), 0, &at));
    assert_int_equal(udp_open(l, &at, &u, problem, sizeof problem), E_IO);
    assert_non_null(strstr(problem, "cannot bind"));
    loops_free(&l, 1);
}

/* The last case: from here on this process has no IPv6. */
static void a_machine_without_ipv6(void **state)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        skip();
    there_and_back("127.0.0.1");
    there_and_back("127.0.0.7");
    struct loop *l = loop_new(0);
    struct udp *u;
    struct net_addr at;
    char problem[200];
    assert_true(net_addr_parse(SPAN_LIT("::1"), 0, &at));
    assert_int_equal(udp_open(l, &at, &u, problem, sizeof problem), E_IO);
    assert_non_null(strstr(problem, "cannot bind"));
    loops_free(&l, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4),
        cmocka_unit_test(ipv4_another_local_address),
        cmocka_unit_test(ipv6),
        cmocka_unit_test(an_address_that_is_not_ours),
        cmocka_unit_test(a_machine_without_ipv6),
    };
    return RUN_TESTS(tests);
}
