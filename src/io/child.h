/* SPDX-License-Identifier: MIT */
/* io/child.h - a child process and the socket between us and it.
 *
 * The child finds its end as descriptor 3, /dev/null as its input, our standard error as its own,
 * nothing else open, and of our environment only what a sanitizer or the loader needs: it shall
 * know no secrets. A child that reads until the end of its socket ends when we do, however that
 * comes.
 *
 * Started by posix_spawn, watched through a pidfd: a fork would copy the page tables of a large
 * server on a media loop, and a SIGCHLD handler would be the whole process's. Belongs to one loop;
 * all calls and callbacks there. child_close() kills it (SIGKILL), reaps it, and frees all in
 * the loop's close phase; no callback comes after it. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "io/loop.h"

#define CHILD_FD 3

struct child;

struct child_ops {
    void (*on_read)(void *ctx, struct span bytes);
    /* It has ended and everything that it had sent has been read. `how` is for people: "exit status
     * 1", "signal 9". Then call child_close(). */
    void (*on_exit)(void *ctx, const char *how);
};

/* argv[0] is the program's path. E_NOTFOUND: no such program. E_LIMIT, E_IO: the system would not.
 */
enum err child_spawn(struct loop *l, const char *const *argv, const struct child_ops *ops,
                     void *ctx, struct child **out) WARN_UNUSED;
int child_pid(const struct child *c);
void child_send(struct child *c, struct buf *b); /* takes its own reference */
size_t child_queued(const struct child *c);
void child_kill(struct child *c); /* on_exit follows */
void child_close(struct child *c);

/* For a thread that waits, with no loop: starts a program with a socket as its descriptor 3 and
 * `files` as 4 and following, which the caller keeps. *fd blocks; close it, then child_wait().
 * Errors as above. */
enum err child_start(const char *const *argv, const int *files, unsigned n, int *pid,
                     int *fd) WARN_UNUSED;
/* Ends it if `kill_it`, waits for its end, and says how that was in words. Returns the signal that
 * ended it; 0: none. */
int child_wait(int pid, bool kill_it, char *how, size_t cap);

/* Runs a program to its end, without a socket, its output thrown away, and waits: for commands, not
 * for loops. True: exit status 0. */
bool child_run(const char *const *argv);
