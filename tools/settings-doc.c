/* SPDX-License-Identifier: MIT */
/* docs/settings.md from the table of settings: `settings-doc` prints it, `settings-doc FILE` fails
 * when FILE is not that. */
#include "base/settings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const char *path, const char *want, size_t len)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    char *have = malloc(len + 1);
    const size_t n = have ? fread(have, 1, len + 1, f) : 0;
    const int same = n == len && memcmp(have, want, len) == 0;
    free(have);
    fclose(f);
    if (!same) fprintf(stderr, "%s is not what src/base/settings.def says: make docs\n", path);
    return !same;
}

int main(int argc, char **argv)
{
    struct str out = {0};
    settings_markdown(&out);
    int rc = 0;
    if (argc > 1)
        rc = compare(argv[1], str_c(&out), out.len);
    else
        fwrite(str_c(&out), 1, out.len, stdout);
    str_fini(&out);
    return rc;
}
