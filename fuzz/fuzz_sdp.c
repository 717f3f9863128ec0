/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/sdp_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct sdp_answer_media *m, const struct sdp_media *o)
{
    *m = (struct sdp_answer_media){.offer = o, .ssrc = o->ssrc, .rtx_ssrc = o->rtx_ssrc};
    m->accepted = !o->rejected && o->kind != SDP_OTHER && o->mid.len > 0;
    m->direction = o->direction;
    m->cname = m->track = SPAN_LIT("x");
    for (unsigned i = 0; i < o->n_codecs && m->n_codecs < SDP_ANSWER_CODECS; i++)
        if (o->codecs[i].name.len) m->codecs[m->n_codecs++] = o->codecs[i];
    if (m->n_codecs == 0) m->accepted = false;
    memcpy(m->ext, o->ext, sizeof m->ext);
}

/* An answer made of an accepted offer is accepted, and says the same. */
static void answer(const struct sdp *o)
{
    static const struct net_addr at = {.ip = {1}, .port = 7};
    struct sdp_answer a = {.ufrag = SPAN_LIT("abcd"),
                           .pwd = SPAN_LIT("0123456789012345678901"),
                           .candidates = &at,
                           .n_candidates = 1,
                           .n_media = o->n_media};
    for (unsigned i = 0; i < o->n_media; i++) take(&a.media[i], &o->media[i]);
    struct str text = {0};
    struct sdp *b = xmalloc(sizeof *b);
    sdp_answer_write(&a, &text);
    const enum err e = sdp_parse(str_span(&text), b);
    CHECK(e == E_OK || text.len > LIMIT_SDP_BYTES);
    for (unsigned i = 0; e == E_OK && i < o->n_media; i++) {
        const struct sdp_answer_media *m = &a.media[i];
        CHECK(b->n_media == o->n_media && b->media[i].rejected == !m->accepted);
        if (!m->accepted) continue;
        CHECK(span_eq(b->media[i].mid, o->media[i].mid));
        CHECK(b->media[i].n_codecs == m->n_codecs);
        for (unsigned k = 0; k < m->n_codecs; k++) {
            CHECK(b->media[i].codecs[k].pt == m->codecs[k].pt);
            CHECK(b->media[i].codecs[k].fb == m->codecs[k].fb);
            CHECK(span_eq(b->media[i].codecs[k].fmtp, m->codecs[k].fmtp));
        }
    }
    str_fini(&text);
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdp *sdp = xmalloc(sizeof *sdp);
    struct sdp_frag frag;
    (void)!sdp_frag_parse(span_of(data, size), &frag);
    if (sdp_parse(span_of(data, size), sdp) == E_OK) answer(sdp);
    free(sdp);
    return 0;
}
