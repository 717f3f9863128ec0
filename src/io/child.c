/* SPDX-License-Identifier: MIT */
#include "io/child.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "io/loop_priv.h"
#include "io/peer_count.h"
#include "io/tcp_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define ENV_MAX         8
#define CHILD_FILES_MAX 4

struct child {
    struct loop *loop;
    pid_t pid;
    int pidfd;
    uv_poll_t poll; /* of the pidfd */
    struct flush at_end;
    struct tcp *tcp; /* NULL: its end is closed */
    const struct child_ops *ops;
    void *ctx;
    bool ended, closed;
    char how[32];
};

int child_pid(const struct child *c)
{
    return (int)c->pid;
}

void child_send(struct child *c, struct buf *b)
{
    if (c->tcp) tcp_send(c->tcp, b, 0, b->len);
}

size_t child_queued(const struct child *c)
{
    return c->tcp ? tcp_queued(c->tcp) : 0;
}

void child_kill(struct child *c)
{
    if (!c->ended) kill(c->pid, SIGKILL);
}

/* --- its end -------------------------------------------------------------------------------- */

static void reap(struct child *c, int flags)
{
    siginfo_t info = {0};
    if (c->ended || waitid(P_PID, (id_t)c->pid, &info, WEXITED | flags) != 0 || info.si_pid == 0)
        return;
    c->ended = true;
    snprintf(c->how, sizeof c->how, "%s %d", info.si_code == CLD_EXITED ? "exit status" : "signal",
             info.si_status);
}

/* Both the process and what it had sent are at their end. */
static void tell_end(struct child *c)
{
    if (c->ended && !c->tcp && !c->closed) c->ops->on_exit(c->ctx, c->how);
}

static void free_child(uv_handle_t *h)
{
    struct child *c = h->data;
    close(c->pidfd);
    free(c);
}

static void let_go(struct child *c)
{
    list_remove(&c->at_end.node);
    uv_close((uv_handle_t *)&c->poll, free_child);
}

static void on_pidfd(uv_poll_t *h, int status, int events)
{
    struct child *c = h->data;
    (void)status, (void)events;
    reap(c, WNOHANG);
    if (!c->ended) return;
    uv_poll_stop(&c->poll);
    if (c->closed)
        let_go(c);
    else
        tell_end(c);
}

/* The loop is about to be freed: the kill has been sent, its end cannot be far. */
static void cut(struct flush *f)
{
    struct child *c = CONTAINER_OF(f, struct child, at_end);
    child_kill(c);
    reap(c, 0);
    if (c->tcp) tcp_close(c->tcp);
    uv_close((uv_handle_t *)&c->poll, free_child);
}

static void on_read(void *ctx, struct span bytes)
{
    struct child *c = ctx;
    c->ops->on_read(c->ctx, bytes);
}

/* A child that closed its socket and lives on is of no use. */
static void on_closed(void *ctx, enum err e)
{
    struct child *c = ctx;
    (void)e;
    tcp_close(c->tcp);
    c->tcp = NULL;
    child_kill(c);
    tell_end(c);
}

void child_close(struct child *c)
{
    CHECK(!c->closed && loop_is_mine(c->loop));
    c->closed = true;
    if (c->tcp) tcp_close(c->tcp);
    c->tcp = NULL;
    child_kill(c);
    if (c->ended) let_go(c);
}

/* --- its beginning --------------------------------------------------------------------------- */

static bool may_know(const char *variable)
{
    static const char *const NAMES[] = {
        "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=", "LD_LIBRARY_PATH="};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (!strncmp(variable, NAMES[i], strlen(NAMES[i]))) return true;
    return false;
}

static void environment(char *out[ENV_MAX])
{
    unsigned n = 0;
    for (char **e = environ; *e && n + 1 < ENV_MAX; e++)
        if (may_know(*e)) out[n++] = *e;
    out[n] = NULL;
}

/* Signals as a fresh program expects them; the descriptors become 3 and following. They are above
 * those numbers. */
static int spawn(const char *const *argv, const int *fds, unsigned n_fds, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    char *env[ENV_MAX];
    environment(env);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO);
    for (unsigned i = 0; i < n_fds; i++)
        posix_spawn_file_actions_adddup2(&files, fds[i], CHILD_FD + (int)i);
    posix_spawn_file_actions_addclosefrom_np(&files, CHILD_FD + (int)n_fds);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int e = posix_spawn(pid, argv[0], &files, &attr, (char *const *)(uintptr_t)argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return e;
}

static enum err err_of(int e)
{
    return e == ENOENT || e == EACCES ? E_NOTFOUND : e == EAGAIN || e == ENOMEM ? E_LIMIT : E_IO;
}

enum err child_spawn(struct loop *l, const char *const *argv, const struct child_ops *ops,
                     void *ctx, struct child **out)
{
    static const struct tcp_ops TCP = {.on_read = on_read, .on_closed = on_closed};
    int pair[2];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return E_LIMIT;
    const int e = spawn(argv, &pair[1], 1, &pid);
    close(pair[1]);
    if (e) {
        close(pair[0]);
        return err_of(e);
    }
    const int pidfd = pidfd_open(pid, 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    if (pidfd < 0) { /* an old kernel, or no descriptor left */
        close(pair[0]);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return E_LIMIT;
    }
    struct child *c = NEW(struct child);
    *c = (struct child){.loop = l, .pid = pid, .pidfd = pidfd, .ops = ops, .ctx = ctx};
    CHECK(uv_poll_init(loop_uv(l), &c->poll, pidfd) == 0);
    c->poll.data = c;
    uv_poll_start(&c->poll, UV_READABLE, on_pidfd);
    c->at_end.fn = cut;
    loop_at_end(l, &c->at_end);
    c->tcp = tcp_adopt(l, pair[0], "worker", PEER_UNCOUNTED);
    tcp_hear_last_words(c->tcp);
    tcp_start(c->tcp, &TCP, c);
    *out = c;
    return E_OK;
}

enum err child_start(const char *const *argv, const int *files, unsigned n, int *pid, int *fd)
{
    int pair[2], fds[1 + CHILD_FILES_MAX], e = n > CHILD_FILES_MAX ? EINVAL : 0;
    unsigned have = 0;
    pid_t p = 0;
    if (e || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return E_LIMIT;
    for (; have < n + 1 && !e; have++) {
        fds[have] = fcntl(have ? files[have - 1] : pair[1], F_DUPFD_CLOEXEC,
                          CHILD_FD + 1 + CHILD_FILES_MAX);
        if (fds[have] < 0) e = errno;
    }
    if (!e) e = spawn(argv, fds, n + 1, &p);
    for (unsigned i = 0; i < have; i++)
        if (fds[i] >= 0) close(fds[i]);
    close(pair[1]);
    if (e) {
        close(pair[0]);
        return err_of(e);
    }
    *pid = (int)p;
    *fd = pair[0];
    return E_OK;
}

int child_wait(int pid, bool kill_it, char *how, size_t cap)
{
    int status = 0;
    if (kill_it) kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) break;
    const int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    snprintf(how, cap, "%s %d", sig ? "signal" : "exit status", sig ? sig : WEXITSTATUS(status));
    return sig;
}

bool child_run(const char *const *argv)
{
    pid_t pid;
    int status = 0;
    if (spawn(argv, NULL, 0, &pid) != 0) return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
