/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/mail_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line of the head is one of ours, whatever the parts hold; no byte outside of ASCII. */
static void check_lines(struct span s)
{
    static const char *const OURS[] = {"From: ",           "To: ",
                                       "Subject: ",        "Date: ",
                                       "Message-ID: ",     "List-Unsubscribe",
                                       "Auto-Submitted: ", "MIME-Version: ",
                                       "Content-T",        " "};
    bool head = true;
    for (size_t i = 0; i < s.len; i++)
        CHECK(s.p[i] < 127 && (s.p[i] >= ' ' || memchr("\r\n\t", s.p[i], 3)));
    while (s.len) {
        const struct span line = span_cut(&s, '\n');
        bool known = false;
        CHECK(line.len && line.p[line.len - 1] == '\r' && line.len <= 998);
        if (line.len == 1) head = false;
        if (!head) {
            CHECK(line.len <= 77);
            continue;
        }
        for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
            known = known || span_starts(line, OURS[i]);
        CHECK(known);
    }
}

/* Parts divided by zero bytes: from name, from, to name, to, subject, id, unsubscribe, text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span part[7], rest = span_of(data, size), name, address;
    struct str out = {0};
    for (size_t i = 0; i < 7; i++) part[i] = span_cut(&rest, 0);
    const struct mail_message m = {.from_name = part[0],
                                   .from = part[1],
                                   .to_name = part[2],
                                   .to = part[3],
                                   .subject = part[4],
                                   .id = part[5],
                                   .unsubscribe = part[6],
                                   .text = rest,
                                   .date_us = (int64_t)size * 1000000000};
    if (mail_message_write(&m, &out) == E_OK)
        check_lines(str_span(&out));
    else
        CHECK(out.len == 0);
    if (mail_mailbox_parse(part[0], &name, &address) == E_OK) CHECK(mail_address_valid(address));
    str_fini(&out);
    return 0;
}
