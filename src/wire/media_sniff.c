/* SPDX-License-Identifier: MIT */
#include "wire/media_sniff.h"

struct magic {
    uint16_t at, len;
    const char *bytes, *name;
};
#define MAGIC(at, lit, name)                                                                       \
    {                                                                                              \
        at, sizeof(lit) - 1, lit, name                                                             \
    }

static const struct magic MEDIA[] = {
    MAGIC(0, "\x1a\x45\xdf\xa3", "matroska"), /* and WebM */
    MAGIC(4, "ftyp", "mp4"),
    MAGIC(4, "styp", "mp4"),
    MAGIC(4, "moov", "mov"), /* before ftyp was invented */
    MAGIC(4, "mdat", "mov"),
    MAGIC(4, "wide", "mov"),
    MAGIC(4, "pnot", "mov"),
    MAGIC(0, "FLV\x01", "flv"),
    MAGIC(0, "OggS", "ogg"),
    MAGIC(0, "fLaC", "flac"),
    MAGIC(0, "ID3", "mp3"),
    MAGIC(0, "\0\0\1\xba", "mpegps"),
    MAGIC(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    MAGIC(0, "\x06\x0e\x2b\x34", "mxf"),
    MAGIC(0, "caff\0\1", "caf"),
    MAGIC(0, "#!AMR", "amr"),
    MAGIC(0, "wvpk", "wavpack"),
};

/* Common mistakes get their name. */
static const struct magic OTHERS[] = {
    MAGIC(0, "PK\3\4", "a ZIP archive"),
    MAGIC(0, "\x1f\x8b", "a gzip archive"),
    MAGIC(0, "7z\xbc\xaf", "a 7z archive"),
    MAGIC(0, "Rar!", "a RAR archive"),
    MAGIC(0, "%PDF", "a PDF document"),
    MAGIC(0, "\x89PNG", "a PNG picture"),
    MAGIC(0, "\xff\xd8\xff", "a JPEG picture"),
    MAGIC(0, "GIF8", "a GIF picture"),
    MAGIC(8, "WEBP", "a WebP picture"),
    MAGIC(0,
          "\x7f"
          "ELF",
          "a program"),
    MAGIC(0, "MZ", "a program"),
    MAGIC(0, "#EXTM3U", "a playlist, not the media"),
    MAGIC(0, "<?xml", "an XML document"),
    MAGIC(0, "<svg", "an SVG picture"),
    MAGIC(0, "WEBVTT", "a subtitle file"),
};

static const char *find(struct span s, const struct magic *m, size_t n)
{
    for (; n; n--, m++)
        if (s.len >= (size_t)m->at + m->len && memcmp(s.p + m->at, m->bytes, m->len) == 0)
            return m->name;
    return NULL;
}
#define FIND(s, table) find(s, table, sizeof(table) / sizeof(table)[0])

/* Sync bytes at the packets' distance: 188 bytes, or 192 with a time before each. */
static bool is_ts(struct span s, size_t first, size_t step)
{
    size_t seen = 0;
    for (size_t at = first; at < s.len; at += step, seen++)
        if (s.p[at] != 0x47) return false;
    return seen >= 3 || (seen >= 1 && s.len < 3 * step && s.len >= step);
}

static const char *riff(struct span s)
{
    if (s.len < 12) return NULL;
    if (memcmp(s.p, "RIFF", 4) == 0 || memcmp(s.p, "RF64", 4) == 0)
        return memcmp(s.p + 8, "AVI ", 4) == 0   ? "avi"
               : memcmp(s.p + 8, "WAVE", 4) == 0 ? "wav"
                                                 : NULL;
    if (memcmp(s.p, "FORM", 4) == 0 && memcmp(s.p + 8, "AIF", 3) == 0) return "aiff";
    return NULL;
}

/* A frame header of MPEG audio (11 bits of sync, layer and rate that exist), or of ADTS. */
static const char *bare_audio(struct span s)
{
    if (s.len < 4 || s.p[0] != 0xff || (s.p[1] & 0xe0) != 0xe0) return NULL;
    if ((s.p[1] & 0xf6) == 0xf0) return (s.p[2] >> 2 & 15) < 13 ? "adts" : NULL;
    const unsigned version = s.p[1] >> 3 & 3, layer = s.p[1] >> 1 & 3;
    const unsigned bitrate = s.p[2] >> 4, rate = s.p[2] >> 2 & 3;
    return version != 1 && layer != 0 && bitrate != 0 && bitrate != 15 && rate != 3 ? "mp3" : NULL;
}

/* An atom that may stand first and says nothing by itself: followed by one that does. */
static bool is_padded_mov(struct span s)
{
    if (s.len < 8 || (memcmp(s.p + 4, "free", 4) != 0 && memcmp(s.p + 4, "skip", 4) != 0))
        return false;
    const uint32_t n =
        (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3];
    return n >= 8;
}

static bool starts_like_html(struct span s)
{
    static const char *const STARTS[] = {"<!doctype html", "<html", "<head", "<body", "<script"};
    while (s.len && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
        s = span_skip(s, 1);
    for (size_t i = 0; i < sizeof STARTS / sizeof STARTS[0]; i++)
        if (span_ieq(span_head(s, strlen(STARTS[i])), span_str(STARTS[i]))) return true;
    return false;
}

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < 9 || (s.p[i] > 13 && s.p[i] < 32) || s.p[i] == 127) return false;
    return s.len > 0;
}

struct media_sniff media_sniff(struct span head)
{
    const struct span s = span_head(head, MEDIA_SNIFF_BYTES);
    const char *c = FIND(s, MEDIA);
    if (!c) c = riff(s);
    if (!c && (is_ts(s, 0, 188) || is_ts(s, 4, 192))) c = "mpegts";
    const char *other = c ? NULL : FIND(s, OTHERS);
    if (!c && !other) c = bare_audio(s);
    if (!c && !other && is_padded_mov(s)) c = "mov";
    if (c) return (struct media_sniff){c, NULL};
    if (!other && starts_like_html(s)) other = "a web page";
    if (!other && is_text(s)) other = "plain text";
    return (struct media_sniff){NULL, other};
}
