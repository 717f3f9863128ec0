/* SPDX-License-Identifier: MIT */
/* product/ics.h - calendars as programs subscribe to them: RFC 5545, with the properties of RFC
 * 7986 that tell a feed's name and how often to ask.
 *
 * Pure functions that append to a str. Texts are people's: escaped (3.3.11), lines folded at 75
 * octets between characters (3.1). Times are microseconds since 1970, written in UTC. */
#pragma once
#include "base/str.h"

struct ics_event {
    const char *uid; /* the same for ever, also when the event has moved */
    const char *title, *text, *url;
    int64_t start, end; /* end 0: not known, an hour */
    int64_t created, changed;
    int64_t number; /* of changes: SEQUENCE */
    bool cancelled;
    bool reminder; /* ten minutes before */
};

void ics_begin(struct str *out, const char *name);
void ics_add(struct str *out, const struct ics_event *e);
void ics_end(struct str *out);
