/* SPDX-License-Identifier: MIT */
#include "api/cmd_args.h"
#include "base/secret.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *cmd_option(const char *name, int argc, char **argv, int *i)
{
    const size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0) return NULL;
    if (argv[*i][n] == '=') return argv[*i] + n + 1;
    return argv[*i][n] == 0 && *i + 1 < argc ? argv[++*i] : NULL;
}

struct store *cmd_store(const struct settings *s)
{
    struct store *store;
    struct secret secret; /* made with the database, so that neither is ever without the other */
    char problem[512];
    if (mkdir(s->data, 0750) != 0 && errno != EEXIST) {
        fprintf(stderr, "bspnode: cannot make the data folder %s: %s\n", s->data, strerror(errno));
        return NULL;
    }
    if (secret_open(s->data, &secret, problem, sizeof problem) == E_OK &&
        store_open(s->data, &store, problem, sizeof problem) == E_OK)
        return store;
    fprintf(stderr, "bspnode: %s\n", problem);
    return NULL;
}
