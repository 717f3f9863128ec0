/* SPDX-License-Identifier: MIT */
#include "wire/aac_level.h"
#include "wire/aac_tables.h"
#include <math.h>
#include <string.h>

enum { SCE = 0, CPE = 1, DSE = 4, FIL = 6 };
enum { BOOK_ESCAPE = 11, BOOK_RESERVED, BOOK_NOISE, BOOK_INTENSITY2, BOOK_INTENSITY };
enum { EIGHT_SHORT = 2 };

#define BANDS_MAX    51
#define GROUPS_MAX   8
#define ELEMENTS_MAX 16
#define FULL_SCALE   32768.0
#define LONG_LINES   1024
#define SHORT_LINES  128

/* Zeros follow the end; whoever read past it finds out. */
struct reader {
    struct span in;
    size_t at; /* in bits */
};

static uint32_t peek20(const struct reader *r)
{
    uint32_t v = 0;
    const size_t byte = r->at / 8;
    for (size_t i = 0; i < 4; i++) v = v << 8 | (byte + i < r->in.len ? r->in.p[byte + i] : 0);
    return v << r->at % 8 >> 12;
}

static unsigned take(struct reader *r, unsigned n) /* at most 20 */
{
    const unsigned v = n ? peek20(r) >> (20 - n) : 0;
    r->at += n;
    return v;
}

static bool past_end(const struct reader *r)
{
    return r->at > r->in.len * 8;
}

/* The codes are complete: every sequence of bits is one. */
static unsigned huffman(struct reader *r, const struct aac_book *b)
{
    const uint32_t v = peek20(r);
    uint32_t next = 0;
    unsigned i = 0;
    for (; i + 1 < b->n; i++) {
        next += UINT32_C(1) << (20 - (b->entries[i] >> 10));
        if (v < next) break;
    }
    r->at += b->entries[i] >> 10;
    return b->entries[i] & 0x3ff;
}

struct info {
    bool is_short;
    unsigned bands, groups;
    unsigned lengths[GROUPS_MAX]; /* windows of a group */
    const uint8_t *widths;
};

struct channel {
    uint8_t book[GROUPS_MAX][BANDS_MAX];
    int scale[GROUPS_MAX][BANDS_MAX];
};

static enum err read_info(struct reader *r, const struct aac_bands *t, struct info *o)
{
    size_t most = t->n_long;
    *o = (struct info){.groups = 1, .lengths = {1}, .widths = t->long_widths};
    take(r, 1);
    o->is_short = take(r, 2) == EIGHT_SHORT;
    take(r, 1);
    if (o->is_short) {
        o->bands = take(r, 4);
        o->widths = t->short_widths;
        most = t->n_short;
        for (unsigned i = 0; i < 7; i++) {
            if (!take(r, 1)) o->groups++;
            o->lengths[o->groups - 1]++;
        }
    } else {
        o->bands = take(r, 6);
        if (take(r, 1)) return E_UNSUPPORTED; /* prediction: not LC */
    }
    return o->bands <= most ? E_OK : E_PROTO;
}

static enum err read_sections(struct reader *r, const struct info *i, struct channel *c)
{
    const unsigned bits = i->is_short ? 3 : 5, more = (1u << bits) - 1;
    for (unsigned g = 0; g < i->groups; g++) {
        for (unsigned k = 0; k < i->bands;) {
            const uint8_t book = (uint8_t)take(r, 4);
            unsigned len = 0, step;
            do len += step = take(r, bits);
            while (step == more && !past_end(r));
            if (book == BOOK_RESERVED || len == 0 || k + len > i->bands || past_end(r))
                return E_PROTO;
            memset(&c->book[g][k], book, len);
            k += len;
        }
    }
    return E_OK;
}

static void read_scales(struct reader *r, const struct info *i, unsigned gain, struct channel *c)
{
    int scale = (int)gain, noise = (int)gain - 90;
    bool first_noise = true;
    for (unsigned g = 0; g < i->groups; g++) {
        for (unsigned k = 0; k < i->bands; k++) {
            const uint8_t book = c->book[g][k];
            if (book == 0) continue;
            if (book == BOOK_NOISE && first_noise) {
                noise += (int)take(r, 9) - 256;
                first_noise = false;
            } else {
                const int step = (int)huffman(r, &AAC_SCALE_BOOK) - 60;
                if (book == BOOK_NOISE)
                    noise += step;
                else if (book < BOOK_NOISE)
                    scale += step;
            }
            c->scale[g][k] = book == BOOK_NOISE ? noise : scale;
        }
    }
}

static enum err skip_tools(struct reader *r, const struct info *i)
{
    if (take(r, 1)) { /* pulses: at most four lines, of little energy */
        if (i->is_short) return E_PROTO;
        const unsigned n = take(r, 2) + 1;
        take(r, 6);
        r->at += (size_t)n * 9;
    }
    if (take(r, 1)) { /* temporal noise shaping */
        for (unsigned w = 0; w < (i->is_short ? 8u : 1u); w++) {
            const unsigned n = take(r, i->is_short ? 1 : 2), fine = n ? take(r, 1) : 0;
            for (unsigned f = 0; f < n; f++) {
                take(r, i->is_short ? 4 : 6);
                const unsigned order = take(r, i->is_short ? 3 : 5);
                if (!order) continue;
                take(r, 1);
                r->at += (size_t)order * (3 + fine - take(r, 1));
            }
        }
    }
    return take(r, 1) ? E_UNSUPPORTED : E_OK; /* gain control: not LC */
}

/* |q|^(8/3): the square of what a quantised value stands for. */
static double energy_of(unsigned q)
{
    static const double SMALL[17] = {0,
                                     1,
                                     6.34960420787,
                                     18.7207544075,
                                     40.3174735966,
                                     73.1004434553,
                                     118.86938096,
                                     179.305979791,
                                     256,
                                     350.466645585,
                                     464.158883361,
                                     598.476580633,
                                     754.773521532,
                                     934.362943512,
                                     1138.52200378,
                                     1368.495449,
                                     1625.49867722};
    return q <= 16 ? SMALL[q] : pow(q, 8.0 / 3);
}

static unsigned escape(struct reader *r)
{
    unsigned n = 4;
    while (take(r, 1) && n < 13) n++;
    return (1u << n) + take(r, n);
}

static double read_lines(struct reader *r, unsigned book, unsigned n)
{
    const struct aac_book *b = &AAC_BOOKS[book];
    double sum = 0;
    for (unsigned done = 0; done < n && !past_end(r); done += b->values) {
        unsigned index = huffman(r, b), q[4] = {0};
        for (unsigned i = b->values; i-- > 0; index /= b->side) {
            const int v = (int)(index % b->side) - (b->is_signed ? b->side / 2 : 0);
            q[i] = (unsigned)(v < 0 ? -v : v);
        }
        for (unsigned i = 0; i < b->values && !b->is_signed; i++)
            if (q[i]) take(r, 1);
        for (unsigned i = 0; i < b->values; i++) {
            if (book == BOOK_ESCAPE && q[i] == 16) q[i] = escape(r);
            sum += energy_of(q[i]);
        }
    }
    return sum;
}

/* One channel; `middle[g][k]`: this band is the middle or the side of both. */
static enum err read_channel(struct reader *r, const struct aac_bands *t, const struct info *common,
                             const bool middle[GROUPS_MAX][BANDS_MAX], double *power)
{
    struct info i;
    struct channel c;
    double sum = 0;
    enum err e = E_OK;
    const unsigned gain = take(r, 8);
    memset(&c, 0, sizeof c);
    if (common)
        i = *common;
    else
        e = read_info(r, t, &i);
    if (e == E_OK) e = read_sections(r, &i, &c);
    if (e != E_OK) return e;
    read_scales(r, &i, gain, &c);
    if ((e = skip_tools(r, &i)) != E_OK) return e;
    for (unsigned g = 0; g < i.groups; g++) {
        for (unsigned k = 0; k < i.bands; k++) {
            const unsigned book = c.book[g][k];
            double band = 0;
            if (book == BOOK_NOISE)
                band = exp2(c.scale[g][k] / 2.0) * i.lengths[g];
            else if (book && book <= BOOK_ESCAPE)
                band = read_lines(r, book, 4u * i.widths[k] * i.lengths[g]) *
                       exp2((c.scale[g][k] - 100) / 2.0);
            sum += middle[g][k] ? 2 * band : band;
        }
    }
    if (past_end(r)) return E_PROTO;
    /* From the lines of the transform to the samples: its windows keep the energy. */
    const double lines = i.is_short ? SHORT_LINES : LONG_LINES;
    *power += sum / (2 * lines * LONG_LINES * FULL_SCALE * FULL_SCALE);
    return E_OK;
}

static enum err read_pair(struct reader *r, const struct aac_bands *t, double *power)
{
    bool middle[GROUPS_MAX][BANDS_MAX] = {0};
    struct info common;
    const bool shared = take(r, 1);
    enum err e = shared ? read_info(r, t, &common) : E_OK;
    if (e != E_OK) return e;
    const unsigned mask = shared ? take(r, 2) : 0;
    if (mask == 3) return E_PROTO;
    for (unsigned g = 0; mask && g < common.groups; g++)
        for (unsigned k = 0; k < common.bands; k++) middle[g][k] = mask == 2 || take(r, 1);
    e = read_channel(r, t, shared ? &common : NULL, middle, power);
    if (e == E_OK) e = read_channel(r, t, shared ? &common : NULL, middle, power);
    *power /= 2;
    return e;
}

static void skip_data(struct reader *r)
{
    take(r, 4);
    const bool align = take(r, 1);
    unsigned n = take(r, 8);
    if (n == 255) n += take(r, 8);
    if (align) r->at = (r->at + 7) / 8 * 8;
    r->at += (size_t)n * 8;
}

static void skip_fill(struct reader *r)
{
    unsigned n = take(r, 4);
    if (n == 15) n += take(r, 8) - 1;
    r->at += (size_t)n * 8;
}

static const struct aac_bands *bands_of(uint32_t rate)
{
    static const uint32_t RATES[13] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                       22050, 16000, 12000, 11025, 8000,  7350};
    for (unsigned i = 0; i < 13; i++)
        if (RATES[i] == rate) return &AAC_BANDS[i];
    return NULL;
}

enum err aac_power(struct span frame, uint32_t rate, double *power)
{
    static const bool none[GROUPS_MAX][BANDS_MAX];
    const struct aac_bands *t = bands_of(rate);
    struct reader r = {frame, 0};
    double p = 0;
    if (!t) return E_UNSUPPORTED;
    for (unsigned n = 0; n < ELEMENTS_MAX && !past_end(&r); n++) {
        enum err e;
        switch (take(&r, 3)) {
        case FIL:
            skip_fill(&r);
            continue;
        case DSE:
            skip_data(&r);
            continue;
        case SCE:
            take(&r, 4);
            e = read_channel(&r, t, NULL, none, &p);
            break;
        case CPE:
            take(&r, 4);
            e = read_pair(&r, t, &p);
            break;
        default:
            return E_UNSUPPORTED;
        }
        if (e == E_OK) *power = p;
        return e;
    }
    return E_PROTO;
}
