/* SPDX-License-Identifier: MIT */
/* What stays possible: reading and writing the descriptors that are open, memory, time, ending.
 * Everything else is refused with EPERM rather than killed for: a library that asks for something
 * needless (the number of cores) shall go on. */
#include "worker.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A 4K picture with its references in decoder and encoder needs some 700 MiB. */
#define MEMORY_BYTES (UINT64_C(3) << 30)
/* AddressSanitizer reserves terabytes of addresses. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static const int ALLOWED[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(futex),
    SCMP_SYS(getrandom),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sysinfo),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(close),
    SCMP_SYS(getrusage),
};

#define CPU_GRACE_S 5

static void limit(int what, rlim_t n)
{
    const struct rlimit r = {n, n};
    setrlimit(what, &r);
}

/* At the soft limit it dies of SIGXCPU, which says why; at the hard one of SIGKILL, which does not.
 */
static void limit_cpu(unsigned seconds)
{
    const struct rlimit r = {seconds, seconds + CPU_GRACE_S};
    setrlimit(RLIMIT_CPU, &r);
}

/* Not in every kernel; the filter alone keeps files away too. */
static void no_files(void)
{
    struct landlock_ruleset_attr a = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    const int fd = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof a, 0);
    if (fd < 0) return;
    syscall(SYS_landlock_restrict_self, fd, 0);
    close(fd);
}

static int allow(scmp_filter_ctx f)
{
    int e = 0;
    for (size_t i = 0; i < sizeof ALLOWED / sizeof *ALLOWED && e == 0; i++)
        e = seccomp_rule_add(f, SCMP_ACT_ALLOW, ALLOWED[i], 0);
    /* Memory, but never code. */
    const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    if (e == 0) e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);
    if (e == 0) e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
    /* abort() */
    const struct scmp_arg_cmp self = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
    if (e == 0) e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, self);
    return e;
}

bool sandbox_enter(const struct sandbox *s)
{
    if (!SANITIZED) limit(RLIMIT_AS, MEMORY_BYTES);
    limit(RLIMIT_NOFILE, s->files);
    if (s->cpu_s) limit_cpu(s->cpu_s);
    if (s->nice) setpriority(PRIO_PROCESS, 0, s->nice);
    limit(RLIMIT_CORE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return false;
    no_files();
    const scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f) return false;
    const bool done = allow(f) == 0 && seccomp_load(f) == 0;
    seccomp_release(f);
    return done;
}

/* --- the test ----------------------------------------------------------------------------------
 */

/* Refused by the filter, and not for another reason. */
static int tried(const char *what, long result)
{
    const bool refused = result < 0 && errno == EPERM;
    printf("%-22s %s\n", what, refused ? "refused" : result < 0 ? "FAILED OTHERWISE" : "WORKED");
    return refused ? 0 : 1;
}

int sandbox_self_test(void)
{
    int bad = 0;
    if (!sandbox_enter(&(struct sandbox){.files = 4})) {
        printf("this system has no seccomp\n");
        return 1;
    }
    bad += tried("open a file", open("/etc/passwd", O_RDONLY));
    bad += tried("make a file", open("/tmp/bspnode-worker", O_WRONLY | O_CREAT, 0600));
    bad += tried("remove a file", unlink("/tmp/bspnode-worker"));
    bad += tried("look at a folder", open("/", O_RDONLY | O_DIRECTORY));
    bad += tried("name a file's state", access("/etc/passwd", F_OK));
    bad += tried("file in memory", syscall(SYS_memfd_create, "x", 0));
    bad += tried("socket", socket(AF_INET, SOCK_STREAM, 0));
    bad += tried("socket of this host", socket(AF_UNIX, SOCK_STREAM, 0));
    bad += tried("connect",
                 connect(3, &(struct sockaddr){.sa_family = AF_INET}, sizeof(struct sockaddr)));
    bad += tried("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
    bad += tried("fork", syscall(SYS_fork));
    bad += tried("clone", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    bad += tried("clone3", syscall(SYS_clone3, NULL, 0));
    bad += tried("execve", execl("/bin/true", "true", (char *)NULL));
    bad += tried("kill the parent", kill(getppid(), 0));
    bad += tried("ptrace", syscall(SYS_ptrace, 0, 0, 0, 0));
    bad += tried("another's memory", syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
    bad += tried("higher limits", setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 100}));
    bad += tried("undo the filter", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    bad += tried("memory with code", mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                                         ? -1
                                         : 0);
    printf("%s\n", bad ? "not shut in" : "shut in");
    fflush(stdout);
    _exit(bad ? 1 : 0);
}
