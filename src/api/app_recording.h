/* SPDX-License-Identifier: MIT */
/* api/app_recording.h - between app_recording.c and app_recording_mux.c. Pool threads. */
#pragma once
#include "api/call.h"

/* Makes an upload at Mux for the stream of the path, which is the caller's, and replies. `key`: the
 * client's name for its recording; empty: none. */
void app_recording_at_mux(struct call *c, struct span key);
/* The upload of the path. E_NOTFOUND: it is none of Mux's. E_CONFLICT: it waits no longer. */
enum err app_recording_drop_at_mux(struct call *c) WARN_UNUSED;
