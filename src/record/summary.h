/* SPDX-License-Identifier: MIT */
/* record/summary.h - what people are told about an archive. The writer's loop, or a finished one.
 */
#pragma once
#include "record/recording.h"

/* All but stopped_early. */
void summary_of(const struct archive *a, struct recording_info *out);
