/* SPDX-License-Identifier: MIT */
/* How many workers there may be, and where their program is. */
#include "bridge/worker_places.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "bridge/transcoder.h"
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRAM "bspnode-worker"

static _Atomic int workers, pictures, slots = 1;
static char program[4096];

void transcoder_set_slots(unsigned n)
{
    atomic_store(&slots, (int)n);
}

unsigned transcoder_slots_free(void)
{
    const int n = atomic_load(&slots) - atomic_load(&pictures);
    return n > 0 ? (unsigned)n : 0;
}

void transcoder_set_program(const char *path)
{
    snprintf(program, sizeof program, "%s", path);
}

enum err transcoder_program(char *out, size_t cap)
{
    char self[4096];
    if (program[0]) {
        if ((size_t)snprintf(out, cap, "%s", program) >= cap) return E_LIMIT;
    } else {
        const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        if (n <= 0) return E_NOTFOUND;
        self[n] = 0;
        char *slash = strrchr(self, '/');
        if (slash) *slash = 0;
        if ((size_t)snprintf(out, cap, "%s/" PROGRAM, self) >= cap) return E_LIMIT;
    }
    return access(out, X_OK) == 0 ? E_OK : E_NOTFOUND;
}

/* One more of `*n`, unless there are `max`. */
static bool take(_Atomic int *n, int max)
{
    if (atomic_fetch_add(n, 1) < max) return true;
    atomic_fetch_sub(n, 1);
    return false;
}

bool worker_place_take(bool video)
{
    if (!take(&workers, LIMIT_WORKERS)) return false;
    if (video && !take(&pictures, atomic_load(&slots))) {
        atomic_fetch_sub(&workers, 1);
        return false;
    }
    metric_add(M_WORKERS, 1);
    if (video) metric_add(M_WORKERS_VIDEO, 1);
    return true;
}

void worker_place_leave(bool video)
{
    atomic_fetch_sub(&workers, 1);
    metric_add(M_WORKERS, -1);
    if (!video) return;
    atomic_fetch_sub(&pictures, 1);
    metric_add(M_WORKERS_VIDEO, -1);
}
