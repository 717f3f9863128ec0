/* SPDX-License-Identifier: MIT */
/* hls-validate [--own NAME.m3u8] FILE...: checks HLS playlists by Apple's rules (wire/m3u8.h).
 *
 * The files are successive versions of one playlist, as one client has seen them, delta updates
 * among them; multivariant playlists may stand anywhere. Prints a line a problem; exit code 0:
 * none, 1: some, 2: a file cannot be read. */
#include "base/limits.h"
#include "wire/m3u8.h"
#include <stdio.h>
#include <stdlib.h>

static unsigned problems;
static struct m3u8 last; /* the complete one before */
static bool have_last;

static bool read_file(const char *path, struct str *out)
{
    char b[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    while ((n = fread(b, 1, sizeof b, f)) > 0 && out->len <= LIMIT_M3U8_BYTES)
        str_add(out, span_of(b, n));
    const bool ok = !ferror(f);
    fclose(f);
    return ok;
}

static void report(const char *path, struct str *lines)
{
    struct span rest = str_span(lines);
    while (rest.len) {
        const struct span line = span_cut(&rest, '\n');
        printf("%s: %.*s\n", path, (int)line.len, (const char *)line.p);
        problems++;
    }
    str_fini(lines);
}

/* The texts stay in memory: what is remembered points into them. */
static void check(const char *path, struct span text, const char *own)
{
    struct m3u8 p, full;
    struct str lines = {0};
    const char *why = "";
    unsigned line = 0;
    if (m3u8_parse(text, &p, &why, &line) != E_OK) {
        printf("%s:%u: %s\n", path, line, why);
        problems++;
        return;
    }
    (void)m3u8_check(&p, own, &lines);
    if (p.multivariant) {
        report(path, &lines);
        m3u8_fini(&p);
        return;
    }
    if (have_last) (void)m3u8_check_update(&last, &p, &lines);
    report(path, &lines);
    if (p.skipped && have_last && m3u8_complete(&last, &p, &full) == E_OK) {
        m3u8_fini(&p);
        p = full;
    }
    if (have_last) m3u8_fini(&last);
    last = p;
    have_last = true;
}

int main(int argc, char **argv)
{
    const char *own = NULL;
    int first = 1;
    if (argc > 2 && !strcmp(argv[1], "--own")) own = argv[2], first = 3;
    if (first >= argc) {
        fprintf(stderr, "usage: hls-validate [--own NAME.m3u8] FILE...\n");
        return 2;
    }
    struct str *texts = calloc((size_t)argc, sizeof *texts);
    for (int i = first; texts && i < argc; i++) {
        struct str *text = &texts[i];
        if (!read_file(argv[i], text)) {
            perror(argv[i]);
            return 2;
        }
        check(argv[i], str_span(text), own);
    }
    if (have_last) m3u8_fini(&last);
    for (int i = first; texts && i < argc; i++) str_fini(&texts[i]);
    free(texts);
    printf("%d files, %u problems\n", argc - first, problems);
    return problems ? 1 : 0;
}
