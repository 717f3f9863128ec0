/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written from a parsed message is accepted, and says the same. */
static void again(const struct stun_msg *m)
{
    uint8_t room[2048];
    struct stun_msg n;
    struct wr w = wr_to(room, sizeof room);
    stun_begin(&w, m->kind, m->method, m->tid);
    if (m->username.p) stun_put(&w, STUN_USERNAME, m->username);
    if (m->priority) stun_put_u32(&w, STUN_PRIORITY, m->priority);
    if (m->has_mapped) stun_put_mapped(&w, &m->mapped);
    stun_end(&w, SPAN_LIT("key"));
    if (w.overflow) return;
    CHECK(stun_parse(wr_span(&w), &n) == E_OK && n.has_fingerprint);
    CHECK(stun_integrity_ok(wr_span(&w), &n, SPAN_LIT("key")));
    CHECK(!stun_integrity_ok(wr_span(&w), &n, SPAN_LIT("kez")));
    CHECK(n.kind == m->kind && n.method == m->method && n.priority == m->priority);
    CHECK(span_eq(n.username, m->username) && n.has_mapped == m->has_mapped);
    CHECK(!n.has_mapped || net_addr_eq(&n.mapped, &m->mapped));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = span_of(data, size);
    struct stun_msg m, cut;
    if (stun_parse(in, &m) != E_OK) return 0;
    (void)stun_integrity_ok(in, &m, SPAN_LIT("key"));
    for (size_t n = 0; n < size; n++) CHECK(stun_parse(span_head(in, n), &cut) == E_MORE);
    again(&m);
    return 0;
}
