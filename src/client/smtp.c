/* SPDX-License-Identifier: MIT */
#include "client/smtp.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include <curl/curl.h>
#include <stdio.h>

struct smtp {
    struct smtp_config cfg;
    CURL *easy;
    /* The message on its way. */
    struct span rest;
    _Atomic bool *cancel;
    char error[CURL_ERROR_SIZE];
};

static size_t give(char *p, size_t size, size_t n, void *arg)
{
    struct smtp *s = arg;
    const struct span part = span_head(s->rest, size * n);
    if (part.len) memcpy(p, part.p, part.len);
    s->rest = span_skip(s->rest, part.len);
    return part.len;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t sent)
{
    const struct smtp *s = arg;
    (void)total, (void)now, (void)up, (void)sent;
    return s->cancel && atomic_load(s->cancel);
}

#define SET(option, value) CHECK(curl_easy_setopt(s->easy, option, value) == CURLE_OK)

struct smtp *smtp_new(const struct smtp_config *cfg)
{
    static const long TLS[] = {CURLUSESSL_ALL, CURLUSESSL_TRY, CURLUSESSL_NONE};
    struct smtp *s = NEW(struct smtp);
    s->cfg = *cfg;
    s->easy = curl_easy_init();
    CHECK(s->easy);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_URL, cfg->url);
    SET(CURLOPT_USE_SSL, TLS[cfg->tls]);
    if (cfg->ca[0]) SET(CURLOPT_CAINFO, cfg->ca);
    if (cfg->user[0]) {
        SET(CURLOPT_USERNAME, cfg->user);
        SET(CURLOPT_PASSWORD, cfg->password);
    }
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)LIMIT_MAIL_MS);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)LIMIT_MAIL_CONNECT_MS);
    SET(CURLOPT_MAXAGE_CONN, (long)LIMIT_MAIL_IDLE_S);
    SET(CURLOPT_ERRORBUFFER, s->error);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, give);
    SET(CURLOPT_READDATA, s);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, s);
    return s;
}

void smtp_free(struct smtp *s)
{
    if (!s) return;
    curl_easy_cleanup(s->easy);
    free(s);
}

const char *smtp_config_problem(const struct smtp_config *cfg)
{
    const char *why = NULL;
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLU *u = curl_url();
    CHECK(u);
    if (curl_url_set(u, CURLUPART_URL, cfg->url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host ||
        (strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0))
        why = "smtp-url must be an address such as smtp://mail.example.org:587";
    else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
        why = "smtp-url must not hold a user or a password: smtp-user, smtp-password";
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(u);
    return why;
}

/* Whether the server's last answer was about this message. Greeting and TLS fail with codes of
 * libcurl's of their own; a sender that is refused, or a log-in that is asked for, is the
 * operator's to mend, and no mail's fault. */
static bool about_mail(const struct smtp *s, CURLcode rc, int code)
{
    if (rc != CURLE_SEND_ERROR && rc != CURLE_WEIRD_SERVER_REPLY) return false;
    if (strncmp(s->error, "MAIL failed", 11) == 0) return false;
    return code >= 400 && code != 421 && code != 530 && code != 535 && code != 538;
}

static enum err judge(const struct smtp *s, CURLcode rc, struct smtp_result *out)
{
    if (rc == CURLE_OK) return E_OK;
    if (rc == CURLE_ABORTED_BY_CALLBACK) return E_CLOSED;
    if (rc == CURLE_LOGIN_DENIED) return E_AUTH;
    if (rc == CURLE_OPERATION_TIMEDOUT) return E_TIMEOUT;
    out->about_mail = about_mail(s, rc, out->code);
    return out->about_mail && out->code >= 500 ? E_INVALID : E_IO;
}

enum err smtp_send(struct smtp *s, const char *from, const char *to, struct span message,
                   _Atomic bool *cancel, struct smtp_result *out)
{
    char sender[LIMIT_EMAIL_BYTES + 3], rcpt[LIMIT_EMAIL_BYTES + 3];
    long code = 0;
    snprintf(sender, sizeof sender, "<%s>", from);
    snprintf(rcpt, sizeof rcpt, "<%s>", to);
    *out = (struct smtp_result){.code = 0};
    s->rest = message;
    s->cancel = cancel;
    s->error[0] = 0;
    struct curl_slist *list = curl_slist_append(NULL, rcpt);
    SET(CURLOPT_MAIL_FROM, sender);
    SET(CURLOPT_MAIL_RCPT, list);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)message.len);
    const CURLcode rc = curl_easy_perform(s->easy);
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &code);
    SET(CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(list);
    out->code = (int)code;
    if (rc != CURLE_OK)
        snprintf(out->why, sizeof out->why, "%s", s->error[0] ? s->error : curl_easy_strerror(rc));
    return judge(s, rc, out);
}
