/* SPDX-License-Identifier: MIT */
/* bspnode user add EMAIL [--name NAME] [--admin] [settings]: the password comes on standard input.
 * Works beside a running server: the database takes writers in turn. */
#include "api/api.h"
#include "api/cmd_args.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/account.h"
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static const char USAGE[] = "usage: bspnode user add EMAIL [--name NAME] [--admin] [--data DIR]\n"
                            "       The password is read from standard input.\n";

struct args {
    const char *email, *name;
    bool admin;
    char **rest; /* settings; owned array */
    int n_rest;
};

/* What is neither ours nor the address is a setting, with its value when that stands apart. */
static bool parse(int argc, char **argv, struct args *a)
{
    *a = (struct args){.rest = xcalloc((size_t)argc + 1, sizeof *a->rest)};
    if (argc < 1 || strcmp(argv[0], "add") != 0) return false;
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--admin") == 0) {
            a->admin = true;
        } else if ((value = cmd_option("--name", argc, argv, &i))) {
            a->name = value;
        } else if (argv[i][0] == '-') {
            a->rest[a->n_rest++] = argv[i];
            if (!strchr(argv[i], '=') && i + 1 < argc) a->rest[a->n_rest++] = argv[++i];
        } else if (!a->email) {
            a->email = argv[i];
        } else {
            return false;
        }
    }
    return a->email != NULL;
}

/* The first line; at a terminal asked for, and not shown. */
static size_t read_password(char *out, size_t cap)
{
    struct termios before, quiet;
    const bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (tty) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        fputs("Password: ", stderr);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    const bool got = fgets(out, (int)cap, stdin) != NULL;
    if (tty) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return got ? strcspn(out, "\r\n") : 0;
}

static int add(struct store *store, const struct args *a)
{
    char password[LIMIT_PASSWORD_BYTES + 3];
    struct problem p = {0};
    struct user u;
    const size_t len = read_password(password, sizeof password);
    struct span name = span_str(a->name);
    if (!a->name) { /* what is before the @ */
        struct span rest = span_str(a->email);
        name = span_cut(&rest, '@');
    }
    const struct account_new in = {name, span_str(a->email), span_of(password, len), a->admin};
    if (account_add(db_open_thread(store), &in, &u, &p) != E_OK) {
        fprintf(stderr, "bspnode: %s\n", p.text);
        return 1;
    }
    printf("Added %s %s (%s).\n", u.admin ? "the administrator" : "the user", u.email, u.id);
    return 0;
}

static int run(const struct settings *s, const struct args *a)
{
    struct store *store = cmd_store(s);
    if (!store) return 1;
    const int code = add(store, a);
    store_close(store);
    return code;
}

int api_cmd_user(int argc, char **argv, char **env)
{
    struct args a;
    struct settings s;
    struct str problem = {0};
    int code = EXIT_USAGE;
    log_set_level(LOG_WARN);
    if (!parse(argc, argv, &a)) {
        fputs(USAGE, stderr);
    } else if (settings_load(&s, a.n_rest, a.rest, env, &problem) != E_OK) {
        fprintf(stderr, "bspnode: %s\n%s", str_c(&problem), USAGE);
    } else {
        code = run(&s, &a);
        settings_fini(&s);
    }
    str_fini(&problem);
    free(a.rest);
    return code;
}
