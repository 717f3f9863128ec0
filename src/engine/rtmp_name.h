/* SPDX-License-Identifier: MIT */
/* engine/rtmp_name.h - what an RTMP client calls the thing it wants to publish or play.
 *
 * People paste keys into every field there is, and clients split URLs in their own ways:
 *   app "live"      stream "KEY"           app "live/KEY"  stream ""
 *   app "live?x=1"  stream "KEY?token=abc" app missing     tcUrl "'rtmp://host/live/KEY'" */
#pragma once
#include "base/span.h"

/* Views into what was given, without quotes, slashes around and the query. */
struct rtmp_name {
    struct span app, stream, query, tc_url;
    struct span key; /* the last part of the path of the stream, or of the app without one */
};

/* Each may be empty or NULL. */
void rtmp_name_split(struct span app, struct span tc_url, struct span stream,
                     struct rtmp_name *out);
