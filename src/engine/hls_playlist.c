/* SPDX-License-Identifier: MIT */
/* Playlists as text. Numbers are written by hand here: a live playlist is made for every part. */
#include "base/clock.h"
#include "engine/hls.h"

static void add_u64(struct str *out, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do digits[--n] = (char)('0' + v % 10);
    while (v /= 10);
    str_add(out, span_of(digits + n, sizeof digits - n));
}

/* Seconds with six decimals, of which trailing zeros are left out: "2", "0.334". */
static void add_seconds(struct str *out, int64_t us)
{
    if (us < 0) us = 0;
    add_u64(out, (uint64_t)us / 1000000);
    unsigned frac = (unsigned)(us % 1000000);
    char digits[7] = ".000000";
    size_t n = 7;
    if (!frac) return;
    for (size_t i = 6; i > 0; i--, frac /= 10) digits[i] = (char)('0' + frac % 10);
    while (digits[n - 1] == '0') n--;
    str_add(out, span_of(digits, n));
}

static void add_segment_uri(struct hls_writer *w, uint64_t msn)
{
    str_adds(w->out, w->name);
    str_addc(w->out, '/');
    add_u64(w->out, msn);
}

static void add_part_uri(struct hls_writer *w, uint64_t msn, unsigned part)
{
    add_segment_uri(w, msn);
    str_addc(w->out, '.');
    add_u64(w->out, part);
    str_adds(w->out, ".m4s");
}

uint64_t hls_first_dsn(const struct hls_segment *first)
{
    return first->dsn - (first->discontinuity && first->dsn ? 1 : 0);
}

static void add_control(struct str *out, const struct hls_header *h)
{
    str_adds(out, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=");
    add_seconds(out, h->target_s * HLS_SKIP_TARGETS * US_PER_SEC);
    str_adds(out, ",HOLD-BACK=");
    add_seconds(out, h->target_s * 3 * US_PER_SEC);
    if (h->part_target_us > 0) {
        str_adds(out, ",PART-HOLD-BACK=");
        add_seconds(out, h->part_target_us * 3);
        str_adds(out, "\n#EXT-X-PART-INF:PART-TARGET=");
        add_seconds(out, h->part_target_us);
    }
    str_addc(out, '\n');
}

struct hls_writer hls_begin(struct str *out, const struct hls_header *h,
                            const struct hls_segment *before)
{
    str_adds(out, h->skipped ? "#EXTM3U\n#EXT-X-VERSION:9\n" : "#EXTM3U\n#EXT-X-VERSION:6\n");
    str_adds(out, "#EXT-X-TARGETDURATION:");
    add_u64(out, (uint64_t)h->target_s);
    str_addc(out, '\n');
    if (h->type == M3U8_EVENT) str_adds(out, "#EXT-X-PLAYLIST-TYPE:EVENT\n");
    if (h->type == M3U8_VOD) str_adds(out, "#EXT-X-PLAYLIST-TYPE:VOD\n");
    if (!h->ended) add_control(out, h);
    if (h->independent_segments) str_adds(out, "#EXT-X-INDEPENDENT-SEGMENTS\n");
    str_adds(out, "#EXT-X-MEDIA-SEQUENCE:");
    add_u64(out, h->first_msn);
    str_addc(out, '\n');
    if (h->first_dsn) {
        str_adds(out, "#EXT-X-DISCONTINUITY-SEQUENCE:");
        add_u64(out, h->first_dsn);
        str_addc(out, '\n');
    }
    struct hls_writer w = {.out = out, .name = h->name};
    if (h->skipped) {
        str_adds(out, "#EXT-X-SKIP:SKIPPED-SEGMENTS=");
        add_u64(out, h->skipped);
        str_addc(out, '\n');
        w.map_known = before != NULL;
        w.init_id = before ? before->init_id : 0;
    }
    return w;
}

/* What stands before the first part, or before the EXTINF, of a segment. */
static void add_before(struct hls_writer *w, const struct hls_segment *s)
{
    char wall[CLOCK_ISO_LEN];
    if (s->discontinuity) str_adds(w->out, "#EXT-X-DISCONTINUITY\n");
    if (!s->gap && (s->discontinuity || !w->map_known || w->init_id != s->init_id)) {
        str_adds(w->out, "#EXT-X-MAP:URI=\"");
        str_adds(w->out, w->name);
        str_adds(w->out, "/init-");
        add_u64(w->out, s->init_id);
        str_adds(w->out, ".mp4\"\n");
        w->init_id = s->init_id;
        w->map_known = true;
    }
    clock_iso(s->wall_us, wall);
    str_adds(w->out, "#EXT-X-PROGRAM-DATE-TIME:");
    str_adds(w->out, wall);
    str_addc(w->out, '\n');
}

void hls_add_open(struct hls_writer *w, const struct hls_segment *s, const struct hls_part *parts,
                  unsigned n_parts)
{
    add_before(w, s);
    for (unsigned i = 0; i < n_parts; i++) {
        str_adds(w->out, "#EXT-X-PART:DURATION=");
        add_seconds(w->out, parts[i].dur_us);
        str_adds(w->out, ",URI=\"");
        add_part_uri(w, s->msn, i);
        str_adds(w->out, parts[i].independent ? "\",INDEPENDENT=YES\n" : "\"\n");
    }
}

void hls_add_segment(struct hls_writer *w, const struct hls_segment *s,
                     const struct hls_part *parts, unsigned n_parts)
{
    hls_add_open(w, s, parts, n_parts);
    if (s->gap) str_adds(w->out, "#EXT-X-GAP\n");
    str_adds(w->out, "#EXTINF:");
    add_seconds(w->out, s->dur_us);
    str_adds(w->out, ",\n");
    add_segment_uri(w, s->msn);
    str_adds(w->out, ".m4s\n");
}

void hls_add_hint(struct hls_writer *w, uint64_t msn, unsigned part)
{
    str_adds(w->out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
    add_part_uri(w, msn, part);
    str_adds(w->out, "\"\n");
}

void hls_add_report(struct hls_writer *w, const char *name, uint64_t last_msn, unsigned last_part)
{
    str_adds(w->out, "#EXT-X-RENDITION-REPORT:URI=\"");
    str_adds(w->out, name);
    str_adds(w->out, ".m3u8\",LAST-MSN=");
    add_u64(w->out, last_msn);
    str_adds(w->out, ",LAST-PART=");
    add_u64(w->out, last_part);
    str_addc(w->out, '\n');
}

void hls_add_end(struct hls_writer *w)
{
    str_adds(w->out, "#EXT-X-ENDLIST\n");
}

static void add_rates(struct str *out, uint64_t peak, uint64_t average)
{
    if (peak < average) peak = average;
    str_addf(out, "BANDWIDTH=%llu", (unsigned long long)(peak ? peak : 1));
    if (average) str_addf(out, ",AVERAGE-BANDWIDTH=%llu", (unsigned long long)average);
}

/* A quoted string holds no quotes and no control characters. */
static void add_quoted(struct str *out, const char *text)
{
    str_addc(out, '"');
    for (; *text; text++)
        str_addc(out, *text == '"'                                   ? '\''
                      : (unsigned char)*text < 0x20 || *text == 0x7f ? ' '
                                                                     : *text);
    str_addc(out, '"');
}

static void add_subtitles(struct str *out, const struct hls_subtitles *t)
{
    str_adds(out, "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=");
    add_quoted(out, t->name);
    str_adds(out, ",LANGUAGE=");
    add_quoted(out, t->language);
    str_addf(out, ",DEFAULT=%s,AUTOSELECT=YES,FORCED=NO", t->on ? "YES" : "NO");
    if (t->captions)
        str_adds(out, ",CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,"
                      "public.accessibility.describes-music-and-sound\"");
    str_addf(out, ",URI=\"%s\"\n", t->uri);
}

static void add_video(struct str *out, const struct hls_variant *v,
                      const struct hls_multivariant *m)
{
    const struct hls_variant *audio = m->audio;
    str_adds(out, "#EXT-X-STREAM-INF:");
    add_rates(out, v->peak + (audio ? audio->peak : 0), v->average + (audio ? audio->average : 0));
    str_addf(out, ",CODECS=\"%s%s%s\"", v->codecs, audio ? "," : "", audio ? audio->codecs : "");
    if (v->width && v->height) str_addf(out, ",RESOLUTION=%ux%u", v->width, v->height);
    if (v->fps_milli)
        str_addf(out, ",FRAME-RATE=%u.%03u", v->fps_milli / 1000, v->fps_milli % 1000);
    if (audio) str_adds(out, ",AUDIO=\"audio\"");
    if (m->n_texts) str_adds(out, ",SUBTITLES=\"subs\"");
    str_addf(out, ",CLOSED-CAPTIONS=NONE\n%s\n", v->uri);
}

void hls_multivariant_write(struct str *out, const struct hls_multivariant *m)
{
    const struct hls_variant *audio = m->audio;
    str_adds(out, "#EXTM3U\n#EXT-X-VERSION:6\n");
    if (m->independent) str_adds(out, "#EXT-X-INDEPENDENT-SEGMENTS\n");
    if (m->n_video && audio) {
        str_adds(out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio\",DEFAULT=YES,"
                      "AUTOSELECT=YES");
        if (audio->channels) str_addf(out, ",CHANNELS=\"%u\"", audio->channels);
        str_addf(out, ",URI=\"%s\"\n", audio->uri);
    }
    for (unsigned i = 0; i < m->n_texts; i++) add_subtitles(out, &m->texts[i]);
    for (unsigned i = 0; i < m->n_video; i++) add_video(out, &m->video[i], m);
    if (!m->n_video && audio) {
        str_adds(out, "#EXT-X-STREAM-INF:");
        add_rates(out, audio->peak, audio->average);
        str_addf(out, ",CODECS=\"%s\"%s\n%s\n", audio->codecs,
                 m->n_texts ? ",SUBTITLES=\"subs\"" : "", audio->uri);
    }
}

static int64_t longest(const struct hls_text_piece *pieces, size_t n)
{
    int64_t s = 1;
    for (size_t i = 0; i < n; i++)
        if ((pieces[i].dur_us + 500000) / US_PER_SEC > s)
            s = (pieces[i].dur_us + 500000) / US_PER_SEC;
    return s;
}

void hls_text_playlist_write(struct str *out, const char *name, const struct hls_text_piece *pieces,
                             size_t n, uint64_t first_dsn)
{
    char wall[CLOCK_ISO_LEN];
    str_addf(out,
             "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%lld\n"
             "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE:0\n",
             (long long)longest(pieces, n));
    if (first_dsn)
        str_addf(out, "#EXT-X-DISCONTINUITY-SEQUENCE:%llu\n", (unsigned long long)first_dsn);
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].discontinuity) str_adds(out, "#EXT-X-DISCONTINUITY\n");
        clock_iso(pieces[i].wall_us, wall);
        str_addf(out, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:", wall);
        add_seconds(out, pieces[i].dur_us);
        str_addf(out, ",\n%s/%llu-%llu.vtt\n", name, (unsigned long long)pieces[i].first_msn,
                 (unsigned long long)pieces[i].last_msn);
    }
    str_adds(out, "#EXT-X-ENDLIST\n");
}
