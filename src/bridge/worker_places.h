/* SPDX-License-Identifier: MIT */
/* bridge/worker_places.h - the process-wide count of workers: LIMIT_WORKERS of them, and of those
 * with pictures as many as there are slots. Any thread. See transcoder.h for what sets them. */
#pragma once
#include <stdbool.h>

bool worker_place_take(bool video); /* false: none is free */
void worker_place_leave(bool video);
