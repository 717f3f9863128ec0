/* SPDX-License-Identifier: MIT */
/* api/program_time.h - the moment of the programme that its viewer saw, as the viewer says. Pool
 * threads. */
#pragma once
#include "api/body.h"
#include "product/stream.h"

/* Never before the broadcast, nor ahead of now; without one, now. False: the reply is made. */
bool program_time_read(struct call *c, const struct body_field *f, const struct stream *s,
                       int64_t *out);
