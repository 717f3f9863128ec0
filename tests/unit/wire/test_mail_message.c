/* SPDX-License-Identifier: MIT */
/* A mail's bytes: what stands in its head, and that nothing else gets in there. */
#include "../test.h"
#include "base/limits.h"
#include "wire/mail_message.h"

static struct mail_message sample(void)
{
    return (struct mail_message){.from_name = SPAN_LIT("Live"),
                                 .from = SPAN_LIT("live@example.org"),
                                 .to_name = SPAN_LIT("Ada Lovelace"),
                                 .to = SPAN_LIT("ada@example.org"),
                                 .subject = SPAN_LIT("Grace is live"),
                                 .text = SPAN_LIT("a=b \nna\xC3\xAFve\n"),
                                 .id = SPAN_LIT("k1@example.org"),
                                 .date_us = INT64_C(1767323045000000)};
}

static void plain_mail(void **state)
{
    struct str out = {0};
    struct mail_message m = sample();
    (void)state;
    assert_int_equal(mail_message_write(&m, &out), E_OK);
    assert_string_equal(str_c(&out), "From: Live\r\n <live@example.org>\r\n"
                                     "To: Ada Lovelace\r\n <ada@example.org>\r\n"
                                     "Subject: Grace is live\r\n"
                                     "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
                                     "Message-ID: <k1@example.org>\r\n"
                                     "Auto-Submitted: auto-generated\r\n"
                                     "MIME-Version: 1.0\r\n"
                                     "Content-Type: text/plain; charset=utf-8\r\n"
                                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                                     "a=3Db=20\r\nna=C3=AFve\r\n");
    str_fini(&out);
}

static void nothing_gets_into_the_head(void **state)
{
    struct str out = {0};
    struct mail_message m = sample();
    (void)state;
    m.subject = SPAN_LIT("Hi\r\nBcc: eve@example.org");
    m.to_name = SPAN_LIT("Ada\nX: y");
    m.unsubscribe = SPAN_LIT("https://example.org/u?t=1");
    assert_int_equal(mail_message_write(&m, &out), E_OK);
    assert_null(strstr(str_c(&out), "Bcc"));
    assert_null(strstr(str_c(&out), "X: y"));
    assert_non_null(
        strstr(str_c(&out), "\r\nSubject: =?UTF-8?B?SGkgIEJjYzogZXZlQGV4YW1wbGUub3Jn?=\r\n"));
    assert_non_null(strstr(str_c(&out), "\r\nList-Unsubscribe: <https://example.org/u?t=1>\r\n"
                                        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    str_fini(&out);
    m.unsubscribe = SPAN_LIT("https://example.org/>\r\nX: y");
    assert_int_equal(mail_message_write(&m, &out), E_INVALID);
    m.unsubscribe = SPAN_NULL;
    m.id = SPAN_LIT("a>b");
    assert_int_equal(mail_message_write(&m, &out), E_INVALID);
    assert_int_equal(out.len, 0);
}

/* Encoded words end where characters end (RFC 2047, 5). */
static void long_subjects_are_divided(void **state)
{
    struct str out = {0}, subject = {0};
    struct mail_message m = sample();
    (void)state;
    for (int i = 0; i < 40; i++) str_adds(&subject, "\xE2\x82\xAC"); /* a euro sign: "4oKs" */
    m.subject = str_span(&subject);
    assert_int_equal(mail_message_write(&m, &out), E_OK);
    const char *at = strstr(str_c(&out), "Subject: ");
    size_t words = 0, signs = 0;
    for (const char *p = at; (p = strstr(p, "=?UTF-8?B?4oKs")); p++) words++;
    for (const char *p = at; (p = strstr(p, "4oKs")); p++) signs++;
    assert_int_equal(words, 4); /* of 13 characters each at most */
    assert_int_equal(signs, 40);
    while (subject.len <= LIMIT_MAIL_SUBJECT_BYTES) str_adds(&subject, "long");
    m.subject = str_span(&subject);
    assert_int_equal(mail_message_write(&m, &out), E_LIMIT);
    str_fini(&subject);
    str_fini(&out);
}

static void addresses(void **state)
{
    static const char *const GOOD[] = {"a@b", "a.b+c@example.org", "x_y@1.2.example"};
    static const char *const BAD[] = {
        "",     "a",       "@b",     "a@",      "a@b@c",      "a b@c",     "a@b\r\n", "<a@b>",
        "a@b>", ".a@b",    "a..b@c", "a.@b",    "a@.b",       "a@b.",      "a@b..c",  "a@-b",
        "a@b-", "\"a\"@b", "a,b@c",  "a@b,c@d", "\xC3\xA4@b", "a@\xC3\xA4"};
    struct span name, address;
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        assert_true(mail_address_valid(span_str(GOOD[i])));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(mail_address_valid(span_str(BAD[i])));
    assert_int_equal(mail_mailbox_parse(SPAN_LIT(" \"My Site\" <a@b.c>"), &name, &address), E_OK);
    assert_true(span_is(name, "My Site") && span_is(address, "a@b.c"));
    assert_int_equal(mail_mailbox_parse(SPAN_LIT("a@b.c"), &name, &address), E_OK);
    assert_true(name.len == 0 && span_is(address, "a@b.c"));
    assert_int_equal(mail_mailbox_parse(SPAN_LIT("My Site"), &name, &address), E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_mail),
        cmocka_unit_test(nothing_gets_into_the_head),
        cmocka_unit_test(long_subjects_are_divided),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
