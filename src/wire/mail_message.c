/* SPDX-License-Identifier: MIT */
#include "wire/mail_message.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include <stdio.h>
#include <time.h>

enum {
    LINE_MAX_BYTES = 76,
    WORD_BYTES = 39,  /* of text in one encoded word: 52 characters of base64, 64 with its frame */
    PLAIN_BYTES = 60, /* a header's text that stands as it is, with the header's name before it */
};

/* --- what may stand in a header --------------------------------------------------------------- */

static bool alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* RFC 5322, 3.2.3: a dot-atom. */
static bool local_part(struct span s)
{
    uint8_t before = '.';
    if (!s.len || s.len > 64) return false;
    for (size_t i = 0; i < s.len; i++) {
        const uint8_t c = s.p[i];
        if (!c || (!alnum(c) && !strchr("!#$%&'*+-/=?^_`{|}~.", c))) return false;
        if (c == '.' && before == '.') return false;
        before = c;
    }
    return before != '.';
}

static bool domain(struct span s)
{
    uint8_t before = '.';
    if (!s.len || s.len > 253) return false;
    for (size_t i = 0; i < s.len; i++) {
        const uint8_t c = s.p[i];
        if (!alnum(c) && c != '-' && c != '.') return false;
        if (before == '.' && !alnum(c)) return false;
        before = c;
    }
    return before != '.' && before != '-';
}

bool mail_address_valid(struct span s)
{
    if (s.len > LIMIT_EMAIL_BYTES) return false;
    const struct span local = span_cut(&s, '@');
    return s.p && local_part(local) && domain(s);
}

enum err mail_mailbox_parse(struct span s, struct span *name, struct span *address)
{
    s = span_trim(s);
    struct span n = SPAN_NULL, a = s;
    if (span_ends(s, ">")) {
        a = span_head(s, s.len - 1);
        n = span_trim(span_cut(&a, '<'));
        if (n.len >= 2 && n.p[0] == '"' && n.p[n.len - 1] == '"')
            n = span_head(span_skip(n, 1), n.len - 2);
    }
    if (!mail_address_valid(a) || n.len > LIMIT_MAIL_NAME_BYTES) return E_INVALID;
    *name = n;
    *address = a;
    return E_OK;
}

static bool id_valid(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!alnum(s.p[i]) && !memchr(".-_@", s.p[i], 4)) return false;
    return s.len > 0 && s.len <= LIMIT_EMAIL_BYTES;
}

static bool url_valid(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || memchr("<>\"\\", s.p[i], 4)) return false;
    return s.len <= LIMIT_MAIL_URL_BYTES &&
           (span_starts(s, "https://") || span_starts(s, "http://"));
}

/* --- texts in headers (RFC 2047) -------------------------------------------------------------- */

/* Bytes of `s` up to `max` that end where a character ends. */
static size_t whole_characters(struct span s, size_t max)
{
    size_t n = s.len < max ? s.len : max;
    if (n == s.len) return n;
    for (size_t back = 0; back < 4 && n - back > 0; back++)
        if ((s.p[n - back] & 0xC0) != 0x80) return n - back;
    return n; /* not UTF-8: as good as any */
}

static void put_words(struct str *out, struct span s)
{
    while (s.len) {
        uint8_t clean[WORD_BYTES];
        char b64[HASH_B64_LEN(WORD_BYTES)];
        const size_t n = whole_characters(s, WORD_BYTES);
        for (size_t i = 0; i < n; i++) clean[i] = s.p[i] < ' ' || s.p[i] == 127 ? ' ' : s.p[i];
        hash_b64(span_of(clean, n), b64);
        str_addf(out, "=?UTF-8?B?%s?=", b64);
        s = span_skip(s, n);
        if (s.len) str_adds(out, "\r\n ");
    }
}

static bool plain(struct span s, const char *also)
{
    for (size_t i = 0; i < s.len; i++)
        if (!alnum(s.p[i]) && !(s.p[i] >= ' ' && s.p[i] < 127 && strchr(also, s.p[i])))
            return false;
    return s.len <= PLAIN_BYTES && (!s.len || (s.p[0] != ' ' && s.p[s.len - 1] != ' '));
}

static void put_mailbox(struct str *out, const char *header, struct span name, struct span address)
{
    str_addf(out, "%s: ", header);
    if (plain(name, " '-_"))
        str_add(out, name);
    else
        put_words(out, name);
    if (name.len) str_adds(out, "\r\n ");
    str_addf(out, "<%.*s>\r\n", (int)address.len, (const char *)address.p);
}

static void put_subject(struct str *out, struct span s)
{
    str_adds(out, "Subject: ");
    if (plain(s, " !#$%&'()*+,-./:;@[]^_`{|}~\"<>"))
        str_add(out, s);
    else
        put_words(out, s);
    str_adds(out, "\r\n");
}

/* RFC 5322, 3.3. Not strftime: its names follow the locale. */
static void put_date(struct str *out, int64_t us)
{
    static const char DAYS[] = "SunMonTueWedThuFriSat",
                      MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const time_t t = (time_t)(us / US_PER_SEC);
    struct tm d;
    gmtime_r(&t, &d);
    str_addf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n", DAYS + 3 * (size_t)d.tm_wday,
             d.tm_mday, MONTHS + 3 * (size_t)d.tm_mon, d.tm_year + 1900, d.tm_hour, d.tm_min,
             d.tm_sec);
}

/* --- the text (RFC 2045, 6.7) ----------------------------------------------------------------- */

static bool literal(struct span s, size_t i)
{
    const uint8_t c = s.p[i];
    const bool ends_line = i + 1 == s.len || s.p[i + 1] == '\n' || s.p[i + 1] == '\r';
    return c == ' ' || c == '\t' ? !ends_line : c > ' ' && c < 127 && c != '=';
}

static void put_text(struct str *out, struct span s)
{
    size_t column = 0;
    for (size_t i = 0; i < s.len; i++) {
        const bool as_it_is = literal(s, i);
        if (s.p[i] == '\r' && i + 1 < s.len && s.p[i + 1] == '\n') continue;
        if (s.p[i] == '\n') {
            str_adds(out, "\r\n");
            column = 0;
            continue;
        }
        const size_t width = as_it_is ? 1 : 3;
        if (column + width > LINE_MAX_BYTES - 1) {
            str_adds(out, "=\r\n");
            column = 0;
        }
        if (as_it_is)
            str_addc(out, (char)s.p[i]);
        else
            str_addf(out, "=%02X", s.p[i]);
        column += width;
    }
    if (column) str_adds(out, "\r\n");
}

enum err mail_message_write(const struct mail_message *m, struct str *out)
{
    if (!mail_address_valid(m->from) || !mail_address_valid(m->to) || !id_valid(m->id) ||
        (m->unsubscribe.len && !url_valid(m->unsubscribe)))
        return E_INVALID;
    if (m->from_name.len > LIMIT_MAIL_NAME_BYTES || m->to_name.len > LIMIT_MAIL_NAME_BYTES ||
        m->subject.len > LIMIT_MAIL_SUBJECT_BYTES || m->text.len > LIMIT_MAIL_TEXT_BYTES)
        return E_LIMIT;
    put_mailbox(out, "From", m->from_name, m->from);
    put_mailbox(out, "To", m->to_name, m->to);
    put_subject(out, m->subject);
    put_date(out, m->date_us);
    str_addf(out, "Message-ID: <%.*s>\r\n", (int)m->id.len, (const char *)m->id.p);
    if (m->unsubscribe.len)
        str_addf(out,
                 "List-Unsubscribe: <%.*s>\r\n"
                 "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
                 (int)m->unsubscribe.len, (const char *)m->unsubscribe.p);
    str_adds(out, "Auto-Submitted: auto-generated\r\n"
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    put_text(out, m->text);
    return E_OK;
}
