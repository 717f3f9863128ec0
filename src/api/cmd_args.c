/* SPDX-License-Identifier: MIT */
#include "api/cmd_args.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/data_dir.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

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

/* --- verbs ------------------------------------------------------------------------------------ */

static bool take_option(struct cmd_line *l, int argc, char **argv, int *i)
{
    for (unsigned k = 0; k < 6 && l->verb->options[k]; k++) {
        const char *value = cmd_option(l->verb->options[k], argc, argv, i);
        if (value) l->values[k] = value;
        if (value) return true;
    }
    for (unsigned k = 0; k < 4 && l->verb->flags[k]; k++)
        if (strcmp(argv[*i], l->verb->flags[k]) == 0) return l->on[k] = true;
    if (strcmp(argv[*i], "--json") == 0) return l->json = true;
    return false;
}

/* What is neither ours nor a word is a setting, with its value when that stands apart. */
static bool parse(struct cmd_line *l, int argc, char **argv, char **rest, int *n_rest)
{
    unsigned words = 0;
    for (int i = 1; i < argc; i++) {
        if (take_option(l, argc, argv, &i)) continue;
        if (argv[i][0] == '-') {
            rest[(*n_rest)++] = argv[i];
            if (!strchr(argv[i], '=') && i + 1 < argc) rest[(*n_rest)++] = argv[++i];
        } else if (words < CMD_WORDS && words < l->verb->most) {
            l->words[words++] = argv[i];
        } else {
            return false;
        }
    }
    return words >= l->verb->least;
}

static int run_verb(struct cmd_line *l, const struct settings *s)
{
    struct store *store = cmd_store(s);
    if (!store) return 1;
    l->settings = s;
    l->db = db_open_thread(store);
    const int code = l->verb->run(l);
    store_close(store);
    return code;
}

int cmd_run(const char *usage, const struct cmd_verb *verbs, size_t n, int argc, char **argv,
            char **env)
{
    struct cmd_line l = {0};
    struct settings s;
    struct str problem = {0};
    char **rest = xcalloc((size_t)argc + 1, sizeof *rest);
    int n_rest = 0, code = CMD_USAGE;
    log_set_level(LOG_WARN);
    for (size_t i = 0; i < n && argc > 0; i++)
        if (strcmp(verbs[i].name, argv[0]) == 0) l.verb = &verbs[i];
    if (!l.verb || !parse(&l, argc, argv, rest, &n_rest)) {
        fputs(usage, stderr);
    } else if (settings_load(&s, n_rest, rest, env, &problem) != E_OK) {
        fprintf(stderr, "bspnode: %s\n%s", str_c(&problem), usage);
    } else {
        code = run_verb(&l, &s);
        settings_fini(&s);
    }
    str_fini(&problem);
    free(rest);
    return code;
}

const char *cmd_value(const struct cmd_line *l, const char *option)
{
    for (unsigned k = 0; k < 6 && l->verb->options[k]; k++)
        if (strcmp(l->verb->options[k], option) == 0) return l->values[k];
    return NULL;
}

bool cmd_flag(const struct cmd_line *l, const char *flag)
{
    for (unsigned k = 0; k < 4 && l->verb->flags[k]; k++)
        if (strcmp(l->verb->flags[k], flag) == 0) return l->on[k];
    return false;
}

/* --- said and asked --------------------------------------------------------------------------- */

int cmd_fail(const char *text)
{
    fprintf(stderr, "bspnode: %s\n", text);
    return 1;
}

void cmd_print_json(json_t *j)
{
    json_dumpf(j, stdout, JSON_COMPACT);
    json_decref(j);
    putchar('\n');
}

json_t *cmd_time(int64_t us)
{
    char at[CLOCK_ISO_LEN];
    if (!us) return json_null();
    clock_iso(us, at);
    return json_string(at);
}

size_t cmd_read_password(char *out, size_t cap)
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

/* --- the running server ----------------------------------------------------------------------- */

#define AWAIT_US (INT64_C(30) * US_PER_SEC)
#define LOOK_US  (50 * US_PER_MS)

/* It holds the lock of the data folder. */
static bool server_runs(const struct settings *s)
{
    struct data_dir *lock;
    char problem[512];
    const enum err e = data_dir_open(s->data, &lock, problem, sizeof problem);
    if (e == E_OK) data_dir_close(lock);
    return e == E_CONFLICT;
}

int cmd_await_order(const struct cmd_line *l, const char *order, const char *done)
{
    char why[240];
    const int64_t until = clock_mono_us() + AWAIT_US;
    if (!server_runs(l->settings)) {
        fputs("The server is not running; this is done when it starts.\n", stderr);
        return 0;
    }
    for (;;) {
        const enum err e = admin_order_state(l->db, order, why, sizeof why);
        if (e == E_OK && why[0]) return cmd_fail(why);
        if (e == E_OK || e == E_NOTFOUND) break;
        if (e != E_CLOSED) return cmd_fail("the database does not answer");
        if (clock_mono_us() > until)
            return cmd_fail("the server has not done it yet; it will when it can");
        usleep(LOOK_US);
    }
    if (l->json)
        cmd_print_json(json_pack("{s:b}", "done", 1));
    else
        puts(done);
    return 0;
}
