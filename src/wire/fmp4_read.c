/* SPDX-License-Identifier: MIT */
#include "wire/fmp4_read.h"
#include "base/rd.h"

#define NOT_SYNC 0x00010000u

enum err fmp4_box_next(struct span *rest, struct fmp4_box *out)
{
    if (rest->len == 0) return E_NOTFOUND;
    struct rd r = rd_from(*rest);
    uint64_t size = rd_u32be(&r);
    const struct span type = rd_span(&r, 4);
    if (r.underflow) return E_MORE;
    if (size == 1)
        size = rd_u64be(&r);
    else if (size == 0)
        size = rest->len; /* to the end */
    if (r.underflow) return E_MORE;
    if (size < rd_used(&r)) return E_PROTO;
    if (size > rest->len) return E_MORE;
    memcpy(out->type, type.p, 4);
    out->type[4] = 0;
    out->whole = span_head(*rest, (size_t)size);
    out->body = span_skip(out->whole, rd_used(&r));
    *rest = span_skip(*rest, (size_t)size);
    return E_OK;
}

static bool is(const struct fmp4_box *b, const char *type)
{
    return memcmp(b->type, type, 4) == 0;
}

/* The first box of that type among the boxes of `in`; empty when there is none. */
static struct span child(struct span in, const char *type)
{
    struct fmp4_box b;
    while (fmp4_box_next(&in, &b) == E_OK) {
        if (is(&b, type)) return b.body;
    }
    return SPAN_NULL;
}

/* Behind the descriptor's tag and length; empty when it is another one. */
static struct span descriptor(struct span in, uint8_t tag)
{
    struct rd r = rd_from(in);
    if (rd_u8(&r) != tag) return SPAN_NULL;
    size_t len = 0;
    for (int i = 0; i < 4; i++) {
        const uint8_t b = rd_u8(&r);
        len = len << 7 | (b & 0x7f);
        if (!(b & 0x80)) break;
    }
    const struct span body = rd_span(&r, len);
    return r.underflow ? SPAN_NULL : body;
}

static struct span esds_config(struct span esds)
{
    const struct span es = descriptor(span_skip(esds, 4), 3);
    if (es.len < 3 || es.p[2] != 0) return SPAN_NULL;
    const struct span decoder = descriptor(span_skip(es, 3), 4);
    return descriptor(span_skip(decoder, 13), 5);
}

static void read_entry(const struct fmp4_box *entry, struct fmp4_track_info *t)
{
    static const char CONFIGS[][5] = {"avcC", "hvcC", "av1C", "dOps"};
    memcpy(t->entry, entry->type, sizeof t->entry);
    struct rd r = rd_from(entry->body);
    rd_skip(&r, 8);
    if (memcmp(t->handler, "vide", 4) == 0) {
        rd_skip(&r, 16);
        t->width = rd_u16be(&r);
        t->height = rd_u16be(&r);
        rd_skip(&r, 50);
    } else {
        rd_skip(&r, 8);
        t->channels = rd_u16be(&r);
        rd_skip(&r, 6);
        t->sample_rate = rd_u32be(&r) >> 16;
    }
    const struct span boxes = rd_rest(&r);
    for (size_t i = 0; i < sizeof CONFIGS / sizeof *CONFIGS && t->config.len == 0; i++) {
        t->config = child(boxes, CONFIGS[i]);
    }
    if (t->config.len == 0) t->config = span_skip(child(boxes, "vpcC"), 4);
    if (t->config.len == 0) t->config = esds_config(child(boxes, "esds"));
}

static enum err read_trak(struct span trak, struct fmp4_track_info *t)
{
    const struct span tkhd = child(trak, "tkhd"), mdia = child(trak, "mdia");
    struct rd r = rd_from(tkhd);
    const uint8_t version = rd_u8(&r);
    rd_skip(&r, version == 1 ? 3 + 16 : 3 + 8);
    t->id = rd_u32be(&r);
    struct rd m = rd_from(child(mdia, "mdhd"));
    const uint8_t mversion = rd_u8(&m);
    rd_skip(&m, mversion == 1 ? 3 + 16 : 3 + 8);
    t->timescale = rd_u32be(&m);
    struct rd h = rd_from(child(mdia, "hdlr"));
    rd_skip(&h, 8);
    const struct span handler = rd_span(&h, 4);
    const struct span stbl = child(child(mdia, "minf"), "stbl");
    struct span entries = span_skip(child(stbl, "stsd"), 8);
    struct fmp4_box entry;
    if (r.underflow || m.underflow || h.underflow || t->id == 0 || t->timescale == 0) {
        return E_PROTO;
    }
    if (fmp4_box_next(&entries, &entry) != E_OK) return E_PROTO;
    memcpy(t->handler, handler.p, 4);
    read_entry(&entry, t);
    return E_OK;
}

static void read_trex(struct span trex, struct fmp4_init *init)
{
    struct rd r = rd_from(trex);
    rd_skip(&r, 4);
    const uint32_t id = rd_u32be(&r);
    rd_skip(&r, 4);
    const uint32_t duration = rd_u32be(&r), size = rd_u32be(&r), flags = rd_u32be(&r);
    for (unsigned i = 0; i < init->n_tracks && !r.underflow; i++) {
        struct fmp4_track_info *t = &init->tracks[i];
        if (t->id != id) continue;
        t->default_duration = duration;
        t->default_size = size;
        t->default_flags = flags;
    }
}

enum err fmp4_init_parse(struct span in, struct fmp4_init *out)
{
    struct fmp4_init init = {0};
    struct fmp4_box b;
    enum err e;
    do {
        e = fmp4_box_next(&in, &b);
        if (e == E_NOTFOUND) return E_MORE;
        if (e != E_OK) return e;
    } while (!is(&b, "moov"));
    init.rest = in;
    const struct span moov = b.body;
    struct span boxes = moov;
    while ((e = fmp4_box_next(&boxes, &b)) == E_OK) {
        if (!is(&b, "trak")) continue;
        if (init.n_tracks == FMP4_TRACKS_MAX) return E_LIMIT;
        if ((e = read_trak(b.body, &init.tracks[init.n_tracks])) != E_OK) return e;
        init.n_tracks++;
    }
    if (e != E_NOTFOUND || init.n_tracks == 0) return E_PROTO;
    boxes = child(moov, "mvex"); /* may come before or after the tracks */
    while (fmp4_box_next(&boxes, &b) == E_OK) {
        if (is(&b, "trex")) read_trex(b.body, &init);
    }
    *out = init;
    return E_OK;
}

const struct fmp4_track_info *fmp4_init_track(const struct fmp4_init *init, uint32_t id)
{
    for (unsigned i = 0; i < init->n_tracks; i++) {
        if (init->tracks[i].id == id) return &init->tracks[i];
    }
    return NULL;
}

enum err fmp4_fragment_next(struct span *rest, struct fmp4_fragment *out)
{
    struct fmp4_fragment f = {0};
    struct fmp4_box b;
    struct span at = *rest;
    enum err e;
    while ((e = fmp4_box_next(&at, &b)) == E_OK) {
        if (is(&b, "moof")) {
            f.moof = b.whole;
            struct rd r = rd_from(child(b.body, "mfhd"));
            rd_skip(&r, 4);
            f.sequence = rd_u32be(&r);
        } else if (is(&b, "mdat") && f.moof.len > 0) {
            f.media = span_of(f.moof.p, (size_t)(b.whole.p + b.whole.len - f.moof.p));
            *rest = at;
            *out = f;
            return E_OK;
        }
        if (f.moof.len == 0) *rest = at;
    }
    return e == E_NOTFOUND && f.moof.len > 0 ? E_MORE : e;
}

void fmp4_walk_init(struct fmp4_walk *w, const struct fmp4_init *init,
                    const struct fmp4_fragment *f)
{
    *w = (struct fmp4_walk){.init = init, .media = f->media};
    struct span moof = f->moof;
    struct fmp4_box b;
    if (fmp4_box_next(&moof, &b) == E_OK) w->trafs = b.body;
}

/* tfhd: flags, track id, then what the flags say. */
static enum err begin_traf(struct fmp4_walk *w, struct span traf)
{
    struct rd r = rd_from(child(traf, "tfhd"));
    const uint32_t flags = rd_u32be(&r) & 0xffffff;
    w->track_id = rd_u32be(&r);
    const struct fmp4_track_info *t = fmp4_init_track(w->init, w->track_id);
    if (r.underflow || !t) return E_PROTO;
    if (flags & 0x1) return E_UNSUPPORTED; /* offsets into a file that we do not have */
    if (flags & 0x2) rd_skip(&r, 4);
    w->d_duration = flags & 0x8 ? rd_u32be(&r) : t->default_duration;
    w->d_size = flags & 0x10 ? rd_u32be(&r) : t->default_size;
    w->d_flags = flags & 0x20 ? rd_u32be(&r) : t->default_flags;
    struct rd d = rd_from(child(traf, "tfdt"));
    const uint32_t version = rd_u32be(&d) >> 24;
    w->dts = rd_be(&d, version == 1 ? 8 : 4);
    if (r.underflow || d.underflow) return E_PROTO;
    w->truns = traf;
    w->at = w->media.len + 1; /* the first run must say where it is */
    return E_OK;
}

static enum err begin_trun(struct fmp4_walk *w, struct span trun)
{
    struct rd r = rd_from(trun);
    const uint32_t head = rd_u32be(&r);
    w->version = (uint8_t)(head >> 24);
    w->flags = head & 0xffffff;
    w->left = rd_u32be(&r);
    if (w->flags & 0x1) w->at = (size_t)rd_u32be(&r);
    w->has_first_flags = w->flags & 0x4;
    if (w->has_first_flags) w->first_flags = rd_u32be(&r);
    w->first = true;
    w->run = rd_rest(&r);
    return r.underflow ? E_PROTO : E_OK;
}

/* Moves on to a run with samples. */
static enum err next_run(struct fmp4_walk *w)
{
    struct fmp4_box b;
    enum err e;
    while (w->left == 0) {
        while ((e = fmp4_box_next(&w->truns, &b)) == E_OK && !is(&b, "trun")) continue;
        if (e == E_OK) {
            if ((e = begin_trun(w, b.body)) != E_OK) return e;
            continue;
        }
        if (e != E_NOTFOUND) return E_PROTO;
        while ((e = fmp4_box_next(&w->trafs, &b)) == E_OK && !is(&b, "traf")) continue;
        if (e != E_OK) return e == E_NOTFOUND ? e : E_PROTO;
        if ((e = begin_traf(w, b.body)) != E_OK) return e;
    }
    return E_OK;
}

enum err fmp4_sample_next(struct fmp4_walk *w, struct fmp4_sample_info *out)
{
    const enum err e = next_run(w);
    if (e != E_OK) return e;
    if (++w->count > FMP4_SAMPLES_MAX) return E_LIMIT;
    struct rd r = rd_from(w->run);
    struct fmp4_sample_info s = {.track_id = w->track_id, .dts = w->dts};
    s.duration = w->flags & 0x100 ? rd_u32be(&r) : w->d_duration;
    const uint32_t size = w->flags & 0x200 ? rd_u32be(&r) : w->d_size;
    uint32_t flags = w->flags & 0x400 ? rd_u32be(&r) : w->d_flags;
    if (w->first && w->has_first_flags) flags = w->first_flags;
    s.offset = w->flags & 0x800 ? (int32_t)rd_u32be(&r) : 0;
    if (r.underflow || w->at > w->media.len || size > w->media.len - w->at) return E_PROTO;
    s.key = !(flags & NOT_SYNC);
    s.data = span_of(w->media.p + w->at, size);
    w->run = rd_rest(&r);
    w->at += size;
    w->dts += s.duration;
    w->left--;
    w->first = false;
    *out = s;
    return E_OK;
}

/* --- the first time ---------------------------------------------------------------------------
 */

static int32_t first_offset(struct span trun)
{
    struct rd r = rd_from(trun);
    const uint32_t flags = rd_u32be(&r) & 0xffffff;
    const uint32_t count = rd_u32be(&r);
    if (flags & 0x1) rd_skip(&r, 4);
    if (flags & 0x4) rd_skip(&r, 4);
    if (flags & 0x100) rd_skip(&r, 4);
    if (flags & 0x200) rd_skip(&r, 4);
    if (flags & 0x400) rd_skip(&r, 4);
    if (!count || !(flags & 0x800)) return 0;
    return (int32_t)rd_u32be(&r);
}

enum err fmp4_first_time(struct span in, uint64_t *out)
{
    struct fmp4_box b;
    enum err e;
    do e = fmp4_box_next(&in, &b);
    while (e == E_OK && !is(&b, "moof"));
    if (e != E_OK) return e == E_NOTFOUND ? E_MORE : e;
    const struct span traf = child(b.body, "traf");
    struct rd r = rd_from(child(traf, "tfdt"));
    const uint8_t version = rd_u8(&r);
    rd_skip(&r, 3);
    const uint64_t dts = version ? rd_u64be(&r) : rd_u32be(&r);
    if (r.underflow || dts > INT64_MAX / 2) return E_PROTO;
    const int64_t at = (int64_t)dts + first_offset(child(traf, "trun"));
    if (at < 0) return E_PROTO;
    *out = (uint64_t)at;
    return E_OK;
}
