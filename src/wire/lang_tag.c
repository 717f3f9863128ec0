/* SPDX-License-Identifier: MIT */
#include "wire/lang_tag.h"

static bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool all_alpha(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alpha(s.p[i])) return false;
    return true;
}

static bool all_alnum(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alpha(s.p[i]) && !is_digit(s.p[i])) return false;
    return true;
}

/* The subtags one after the other; an empty one is an error of the tag. */
struct subtags {
    struct span rest, now; /* now.p NULL: no more */
    bool broken;
};

static void step(struct subtags *s)
{
    if (!s->rest.p) {
        s->now = SPAN_NULL;
        return;
    }
    s->now = span_cut(&s->rest, '-');
    if (!s->now.len || s->now.len > 8 || !all_alnum(s->now)) s->broken = true;
}

static bool is_variant(struct span s)
{
    return s.len >= 5 || (s.len == 4 && is_digit(s.p[0]));
}

static bool is_region(struct span s)
{
    if (s.len == 2) return all_alpha(s);
    return s.len == 3 && is_digit(s.p[0]) && is_digit(s.p[1]) && is_digit(s.p[2]);
}

/* A letter and what it introduces; "x" the rest of the tag. */
static bool take_extensions(struct subtags *s)
{
    while (s->now.p && !s->broken) {
        if (s->now.len != 1) return false;
        const bool private_use = (s->now.p[0] | 0x20) == 'x';
        unsigned n = 0;
        for (step(s); s->now.p && (private_use || s->now.len > 1); step(s)) n++;
        if (!n) return false;
    }
    return true;
}

bool lang_tag_valid(struct span tag)
{
    struct subtags s = {.rest = tag};
    if (!tag.len || tag.len > LANG_TAG_MAX) return false;
    step(&s);
    if (s.now.len == 1 && (s.now.p[0] | 0x20) == 'x') return take_extensions(&s) && !s.broken;
    if (s.now.len < 2 || !all_alpha(s.now)) return false;
    const bool extends = s.now.len <= 3;
    step(&s);
    for (unsigned i = 0; extends && i < 3 && s.now.len == 3 && all_alpha(s.now); i++) step(&s);
    if (s.now.len == 4 && all_alpha(s.now)) step(&s);
    if (s.now.p && is_region(s.now)) step(&s);
    while (s.now.p && is_variant(s.now)) step(&s);
    return take_extensions(&s) && !s.broken;
}

struct span lang_tag_primary(struct span tag)
{
    return span_cut(&tag, '-');
}

const char *lang_tag_name(struct span tag)
{
    static const char *const NAMES[][2] = {
        {"ar", "العربية"},    {"bg", "Български"},   {"bn", "বাংলা"},      {"ca", "Català"},
        {"cs", "Čeština"},    {"da", "Dansk"},       {"de", "Deutsch"},    {"el", "Ελληνικά"},
        {"en", "English"},    {"es", "Español"},     {"et", "Eesti"},      {"fa", "فارسی"},
        {"fi", "Suomi"},      {"fr", "Français"},    {"he", "עברית"},      {"hi", "हिन्दी"},
        {"hr", "Hrvatski"},   {"hu", "Magyar"},      {"id", "Indonesia"},  {"it", "Italiano"},
        {"ja", "日本語"},     {"ko", "한국어"},      {"lt", "Lietuvių"},   {"lv", "Latviešu"},
        {"ms", "Melayu"},     {"nb", "Norsk"},       {"nl", "Nederlands"}, {"no", "Norsk"},
        {"pl", "Polski"},     {"pt", "Português"},   {"ro", "Română"},     {"ru", "Русский"},
        {"sk", "Slovenčina"}, {"sl", "Slovenščina"}, {"sr", "Српски"},     {"sv", "Svenska"},
        {"ta", "தமிழ்"},       {"th", "ไทย"},         {"tr", "Türkçe"},     {"uk", "Українська"},
        {"ur", "اردو"},       {"vi", "Tiếng Việt"},  {"zh", "中文"},
    };
    const struct span primary = lang_tag_primary(tag);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (span_ieq(primary, span_str(NAMES[i][0]))) return NAMES[i][1];
    return NULL;
}
