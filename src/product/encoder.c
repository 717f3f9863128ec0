/* SPDX-License-Identifier: MIT */
#include "product/encoder.h"
#include "base/span.h"
#include <stdio.h>
#include <string.h>

/* The first that is found wins: browsers claim to be each other. A version follows the mark. */
static const struct {
    const char *mark, *name;
    enum encoder_kind kind;
} MARKS[] = {
    {"OBS-Studio/", "OBS", ENCODER_OBS},       {"libobs version ", "OBS", ENCODER_OBS},
    {"Streamlabs", "Streamlabs", ENCODER_OBS}, {"GStreamer ", "GStreamer", ENCODER_OTHER},
    {"Lavf", "ffmpeg, Lavf", ENCODER_FFMPEG},  {"Larix", "Larix", ENCODER_OTHER},
    {"Edg/", "Edge", ENCODER_BROWSER},         {"OPR/", "Opera", ENCODER_BROWSER},
    {"Firefox/", "Firefox", ENCODER_BROWSER},  {"HeadlessChrome/", "Chrome", ENCODER_BROWSER},
    {"Chrome/", "Chrome", ENCODER_BROWSER},    {"Version/", "Safari", ENCODER_BROWSER},
};

enum encoder_kind encoder_identify(const char *raw, char name[ENCODER_NAME_CAP])
{
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        const char *at = strstr(raw, MARKS[i].mark);
        if (!at) continue;
        at += strlen(MARKS[i].mark);
        size_t n = strspn(at, "0123456789.");
        const bool browser = MARKS[i].kind == ENCODER_BROWSER;
        if (browser) n = strcspn(at, ". )"); /* the rest of it says nothing */
        if (n > 24) n = 24;
        const char *space = n && strcmp(MARKS[i].mark, "Lavf") != 0 ? " " : "";
        snprintf(name, ENCODER_NAME_CAP, "%s%s%.*s", MARKS[i].name, space, (int)n, at);
        return MARKS[i].kind;
    }
    snprintf(name, ENCODER_NAME_CAP, "%s", raw);
    return ENCODER_OTHER;
}

static const char *avc_profile(unsigned idc, unsigned constraints)
{
    switch (idc) {
    case 66:
        return constraints & 0x40 ? "Constrained Baseline" : "Baseline";
    case 77:
        return "Main";
    case 100:
        return "High";
    case 110:
        return "High 10";
    case 122:
        return "High 4:2:2";
    case 244:
        return "High 4:4:4";
    default:
        return "Profile";
    }
}

void encoder_profile(const char *codecs, char name[ENCODER_NAME_CAP])
{
    unsigned a = 0, b = 0, c = 0;
    char tier = 0;
    name[0] = 0;
    if (sscanf(codecs, "avc1.%2x%2x%2x", &a, &b, &c) == 3)
        snprintf(name, ENCODER_NAME_CAP, "%s %u.%u", avc_profile(a, b), c / 10, c % 10);
    else if (sscanf(codecs, "%*4[hevc1].%u.%*x.%c%u", &a, &tier, &c) == 3)
        snprintf(name, ENCODER_NAME_CAP, "%s %u.%u",
                 a == 1   ? "Main"
                 : a == 2 ? "Main 10"
                          : "Profile",
                 c / 30, c % 30 / 3);
    else if (sscanf(codecs, "av01.%u.%u", &a, &b) == 2)
        snprintf(name, ENCODER_NAME_CAP, "%s %u.%u",
                 a == 0   ? "Main"
                 : a == 1 ? "High"
                          : "Professional",
                 2 + b / 4, b % 4);
    else if (sscanf(codecs, "vp09.%u.%u.%u", &a, &b, &c) == 3)
        snprintf(name, ENCODER_NAME_CAP, "Profile %u, %u-bit", a, c);
    else if (sscanf(codecs, "mp4a.40.%u", &a) == 1)
        snprintf(name, ENCODER_NAME_CAP, "%s",
                 a == 2    ? "LC"
                 : a == 5  ? "HE"
                 : a == 29 ? "HE v2"
                           : "");
}
