/* SPDX-License-Identifier: MIT */
/* bspnode mail test ADDRESS [settings]: whether the mail server takes what this one sends. */
#include "api/api.h"
#include "base/str.h"
#include "product/mail.h"
#include "product/mailer.h"
#include <stdio.h>

enum { EXIT_USAGE = 2 };

static int fail(int code, const char *text)
{
    fprintf(stderr, "bspnode: %s\n", text);
    return code;
}

int api_cmd_mail(int argc, char **argv, char **env)
{
    struct settings s = {0};
    struct str problem = {0};
    char why[512];
    if (argc < 2 || strcmp(argv[0], "test") != 0 || argv[1][0] == '-')
        return fail(EXIT_USAGE, "usage: bspnode mail test ADDRESS [--smtp-url … --smtp-from …]");
    if (settings_load(&s, argc - 2, argv + 2, env, &problem) != E_OK) {
        const int code = fail(EXIT_USAGE, str_c(&problem));
        str_fini(&problem);
        return code;
    }
    int code = 0;
    if (!mail_on(&s))
        code = fail(1, "no mail server is set: smtp-url");
    else if (mailer_test(&s, argv[1], why, sizeof why) != E_OK)
        code = fail(1, why);
    else
        printf("%s has taken a mail for %s.\n", s.smtp_url, argv[1]);
    settings_fini(&s);
    str_fini(&problem);
    return code;
}
