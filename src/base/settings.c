/* SPDX-License-Identifier: MIT */
#include "base/settings.h"
#include "base/xalloc.h"
#include <errno.h>
#include <stdio.h>

enum type { ADDR, TEXT, PATH, URL, ONE_OF, INT, SIZE, DURATION, BOOL };

static const struct row {
    size_t offset;
    enum type type;
    const char *flag, *def;
    int64_t min, max;
    const char *unit, *text;
} ROWS[] = {
#define X(field, type, flag, def, min, max, unit, text)                                            \
    {offsetof(struct settings, field), type, flag, def, min, max, unit, text},
#include "base/settings.def"
#undef X
};
#define N_ROWS (sizeof ROWS / sizeof *ROWS)

static const char *const TYPE_NAMES[] = {"ADDR:PORT", "TEXT", "PATH", "URL", "WORD",
                                         "N",         "SIZE", "TIME", "BOOL"};

static const struct row *find(struct span flag)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (span_is(flag, ROWS[i].flag)) return &ROWS[i];
    return NULL;
}

static bool is_number(enum type t)
{
    return t >= INT;
}

/* A whole number with an optional unit from `units` ("kmgt": powers of 1024; "smhd": seconds). */
static bool parse_scaled(struct span v, enum type type, int64_t *out)
{
    static const struct {
        enum type type;
        char unit;
        uint64_t factor;
    } UNITS[] = {{SIZE, 'k', 1u << 10},    {SIZE, 'm', 1u << 20},
                 {SIZE, 'g', 1u << 30},    {SIZE, 't', UINT64_C(1) << 40},
                 {DURATION, 's', 1},       {DURATION, 'm', 60},
                 {DURATION, 'h', 60 * 60}, {DURATION, 'd', 24 * 60 * 60}};
    uint64_t factor = 1, n;
    for (size_t i = 0; v.len && i < sizeof UNITS / sizeof *UNITS; i++)
        if (UNITS[i].type == type && (v.p[v.len - 1] | 32) == UNITS[i].unit) {
            factor = UNITS[i].factor;
            v.len--;
            break;
        }
    if (!span_u64(v, (uint64_t)INT64_MAX / factor, &n)) return false;
    *out = (int64_t)(n * factor);
    return true;
}

static bool parse_bool(struct span v, int64_t *out)
{
    if (span_is(v, "true") || span_is(v, "yes") || span_is(v, "on") || span_is(v, "1"))
        *out = 1;
    else if (span_is(v, "false") || span_is(v, "no") || span_is(v, "off") || span_is(v, "0"))
        *out = 0;
    else
        return false;
    return true;
}

enum err settings_addr(const char *addr, char *host, size_t host_cap, uint16_t *port)
{
    const char *colon = strrchr(addr, ':');
    uint64_t n;
    if (!colon || !span_u64(span_str(colon + 1), 65535, &n)) return E_INVALID;
    struct span h = span_of(addr, (size_t)(colon - addr));
    if (h.len >= 2 && h.p[0] == '[' && h.p[h.len - 1] == ']')
        h = span_of(h.p + 1, h.len - 2);
    else if (h.len && memchr(h.p, ':', h.len))
        return E_INVALID;
    if (!span_cstr(h, host, host_cap)) return E_INVALID;
    *port = (uint16_t)n;
    return E_OK;
}

/* `words` are divided by ", ". */
static bool is_one_of(const char *words, struct span v)
{
    while (*words) {
        const size_t n = strcspn(words, ",");
        if (span_eq(span_of(words, n), v)) return true;
        words += n;
        words += strspn(words, ", ");
    }
    return false;
}

static const char *keep(struct settings *s, struct span v)
{
    s->owned = xrealloc(s->owned, (s->n_owned + 1) * sizeof *s->owned);
    return s->owned[s->n_owned++] = xstrndup(v.p, v.len);
}

static enum err set(struct settings *s, const struct row *r, struct span v, const char *where,
                    struct str *problem)
{
    char *field = (char *)s + r->offset;
    if (!is_number(r->type)) {
        const char *text = keep(s, v);
        char host[256];
        uint16_t port;
        if (r->type == ADDR && text[0] && settings_addr(text, host, sizeof host, &port) != E_OK) {
            str_addf(problem, "%s: %s must be ADDR:PORT, such as 127.0.0.1:8080, not \"%s\"", where,
                     r->flag, text);
            return E_INVALID;
        }
        if (r->type == URL && text[0] && !strstr(text, "://")) {
            str_addf(problem, "%s: %s must be a URL, not \"%s\"", where, r->flag, text);
            return E_INVALID;
        }
        if (r->type == ONE_OF && !is_one_of(r->unit, v)) {
            str_addf(problem, "%s: %s must be one of %s, not \"%s\"", where, r->flag, r->unit,
                     text);
            return E_INVALID;
        }
        memcpy(field, &text, sizeof text);
        return E_OK;
    }
    int64_t n = 0;
    const bool ok = r->type == BOOL ? parse_bool(v, &n) : parse_scaled(v, r->type, &n);
    if (!ok || n < r->min || n > r->max) {
        str_addf(problem, "%s: %s must be %s", where, r->flag,
                 r->type == BOOL ? "true or false" : "a number");
        if (r->type != BOOL)
            str_addf(problem, " from %lld to %lld%s%s", (long long)r->min, (long long)r->max,
                     r->unit[0] ? " " : "", r->unit);
        str_addf(problem, ", not \"%.*s\"", (int)v.len, (const char *)v.p);
        return E_INVALID;
    }
    memcpy(field, &n, sizeof n);
    return E_OK;
}

static enum err load_file(struct settings *s, const char *path, struct str *problem)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        str_addf(problem, "config %s: %s", path, strerror(errno));
        return E_IO;
    }
    char *text = xmalloc(SETTINGS_FILE_BYTES_MAX + 1);
    const size_t n = fread(text, 1, SETTINGS_FILE_BYTES_MAX + 1, f);
    fclose(f);
    enum err e = E_OK;
    if (n > SETTINGS_FILE_BYTES_MAX) {
        str_addf(problem, "config %s: more than %d bytes", path, SETTINGS_FILE_BYTES_MAX);
        e = E_LIMIT;
    }
    struct span rest = span_of(text, n);
    for (int line = 1; e == E_OK && rest.len; line++) {
        struct span l = span_cut(&rest, '\n');
        if (l.len && l.p[l.len - 1] == '\r') l.len--;
        l = span_trim(l);
        if (!l.len || l.p[0] == '#') continue;
        struct span v = l;
        const struct span key = span_trim(span_cut(&v, '='));
        char where[512];
        snprintf(where, sizeof where, "config %.400s line %d", path, line);
        const struct row *r = find(key);
        if (!v.p || !r || !strcmp(r->flag, "config")) {
            str_addf(problem, "%s: unknown setting \"%.*s\"", where, (int)key.len,
                     (const char *)key.p);
            e = E_INVALID;
        } else {
            e = set(s, r, span_trim(v), where, problem);
        }
    }
    free(text);
    return e;
}

/* "BSPNODE_MAX_UPLOAD_SIZE=1g" -> the row of max-upload-size, and "1g". */
static const struct row *from_env(const char *entry, struct span *value, struct span *name)
{
    char flag[64];
    struct span v = span_str(entry);
    *name = span_cut(&v, '=');
    if (!span_starts(*name, "BSPNODE_") || name->len - 8 >= sizeof flag) return NULL;
    size_t n = 0;
    for (size_t i = 8; i < name->len; i++) {
        const uint8_t c = name->p[i];
        flag[n++] = (char)(c == '_' ? '-' : c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    *value = v;
    return find(span_of(flag, n));
}

static enum err load_env(struct settings *s, char **env, bool config_only, struct str *problem)
{
    for (; env && *env; env++) {
        struct span v, name;
        if (strncmp(*env, "BSPNODE_", 8) != 0) continue;
        const struct row *r = from_env(*env, &v, &name);
        char where[128];
        snprintf(where, sizeof where, "environment %.*s", (int)(name.len > 90 ? 90 : name.len),
                 (const char *)name.p);
        if (!r) {
            str_addf(problem, "%s: unknown setting", where);
            return E_INVALID;
        }
        if (config_only != !strcmp(r->flag, "config")) continue;
        const enum err e = set(s, r, v, where, problem);
        if (e != E_OK) return e;
    }
    return E_OK;
}

static enum err load_flags(struct settings *s, int argc, char **argv, bool config_only,
                           struct str *problem)
{
    for (int i = 0; i < argc; i++) {
        struct span v = span_str(argv[i]);
        if (!span_starts(v, "--")) {
            str_addf(problem, "unexpected argument \"%s\"", argv[i]);
            return E_INVALID;
        }
        v = span_skip(v, 2);
        const struct span flag = span_cut(&v, '=');
        const struct row *r = find(flag);
        if (!r) {
            str_addf(problem, "unknown setting --%.*s", (int)flag.len, (const char *)flag.p);
            return E_INVALID;
        }
        if (!v.p) {
            if (r->type == BOOL && (i + 1 == argc || !strncmp(argv[i + 1], "--", 2))) {
                v = SPAN_LIT("true");
            } else if (i + 1 == argc) {
                str_addf(problem, "--%s needs a value", r->flag);
                return E_INVALID;
            } else {
                v = span_str(argv[++i]);
            }
        }
        if (config_only != !strcmp(r->flag, "config")) continue;
        char where[80];
        snprintf(where, sizeof where, "--%s", r->flag);
        const enum err e = set(s, r, v, where, problem);
        if (e != E_OK) return e;
    }
    return E_OK;
}

enum err settings_load(struct settings *s, int argc, char **argv, char **env, struct str *problem)
{
    *s = (struct settings){0};
    enum err e = E_OK;
    for (size_t i = 0; i < N_ROWS && e == E_OK; i++)
        e = set(s, &ROWS[i], span_str(ROWS[i].def), "default", problem);
    if (e == E_OK) e = load_env(s, env, true, problem);
    if (e == E_OK) e = load_flags(s, argc, argv, true, problem);
    if (e == E_OK && s->config[0]) e = load_file(s, s->config, problem);
    if (e == E_OK) e = load_env(s, env, false, problem);
    if (e == E_OK) e = load_flags(s, argc, argv, false, problem);
    if (e == E_OK && !s->tls_cert[0] != !s->tls_key[0]) {
        str_adds(problem, "tls-cert and tls-key go together");
        e = E_INVALID;
    }
    if (e == E_OK && s->rtmps[0] && !s->tls_cert[0]) {
        str_adds(problem, "rtmps needs tls-cert and tls-key");
        e = E_INVALID;
    }
    if (e != E_OK) settings_fini(s);
    return e;
}

void settings_fini(struct settings *s)
{
    for (size_t i = 0; i < s->n_owned; i++) free(s->owned[i]);
    free(s->owned);
    *s = (struct settings){0};
}

static const char *what_goes(const struct row *r)
{
    return r->type == ONE_OF ? r->unit : TYPE_NAMES[r->type];
}

void settings_help(struct str *out)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", ROWS[i].flag, what_goes(&ROWS[i]));
        str_addf(out, "  %-34s %s", left, ROWS[i].text);
        if (ROWS[i].def[0]) str_addf(out, " [%s]", ROWS[i].def);
        str_addc(out, '\n');
    }
}

static void add_env_name(struct str *out, const char *flag)
{
    str_adds(out, "BSPNODE_");
    for (; *flag; flag++)
        str_addc(out,
                 *flag == '-' ? '_' : (char)(*flag >= 'a' && *flag <= 'z' ? *flag - 32 : *flag));
}

void settings_markdown(struct str *out)
{
    str_adds(
        out,
        "# Settings\n\nMade from `src/base/settings.def` by `make docs`; do not edit.\n"
        "A flag beats the environment, which beats the config file, which beats the default.\n"
        "Sizes take k, m, g, t (powers of 1024); times take s, m, h, d.\n\n"
        "| flag and key | environment | default | what it does |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < N_ROWS; i++) {
        str_addf(out, "| `--%s` %s | `", ROWS[i].flag, what_goes(&ROWS[i]));
        add_env_name(out, ROWS[i].flag);
        str_addf(out, "` | %s%s%s | %s |\n", ROWS[i].def[0] ? "`" : "none", ROWS[i].def,
                 ROWS[i].def[0] ? "`" : "", ROWS[i].text);
    }
}
