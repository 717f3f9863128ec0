/* SPDX-License-Identifier: MIT */
/* hub/packet_history.h - the last packets of one source of a lane, by reference.
 *
 * They reach back to the last key frame, so that a newcomer may begin there, and at least `least`
 * packets, so that what a viewer lost is sent again; and no further than LIMIT_RTC_HISTORY_PACKETS
 * and LIMIT_RTC_HISTORY_BYTES, then the key frame is forgotten. The packets are the bursts' own:
 * each loop holds references only. Embedded by value, one loop. */
#pragma once
#include "hub/packets.h"

struct packet_slot {
    struct lane_burst *burst; /* a reference; NULL: it has not come */
    uint8_t index;
};

struct packet_history {
    struct packet_slot *slots; /* by number modulo cap, a power of two; NULL: nothing yet */
    unsigned cap, least;
    uint64_t tail, top; /* lowest number kept, highest come; tail > top: nothing */
    size_t bytes;       /* payloads from tail to top */
    uint64_t key;       /* first packet of the last key frame; 0: none */
    uint32_t key_ts;
    int64_t key_us; /* when it came, to the hub */
};

void packet_history_init(struct packet_history *h, unsigned least);
void packet_history_clear(struct packet_history *h); /* gives everything back */
/* Takes a reference to the burst for its packet. Too old: it is not kept. */
void packet_history_add(struct packet_history *h, struct lane_burst *b, unsigned index);
/* Valid until the next addition; NULL: too old, or not come. */
const struct lane_packet *packet_history_find(const struct packet_history *h, uint64_t seq,
                                              const struct lane_burst **burst);
/* The last key frame and all since are there, but for the newest, which may still come. */
bool packet_history_whole(const struct packet_history *h);
