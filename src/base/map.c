/* SPDX-License-Identifier: MIT */
#include "base/map.h"
#include "base/rand.h"
#include "base/xalloc.h"

struct map_slot {
    char *key; /* NULL: empty; TOMB: deleted */
    size_t key_len;
    uint64_t hash;
    void *value;
};

static char TOMB[1];

static uint64_t hash_of(struct span k)
{
    static _Thread_local uint64_t seed;
    static uint64_t shared_seed;
    if (!seed) {
        uint64_t expected = 0, fresh = rand_u64() | 1;
        if (!__atomic_compare_exchange_n(&shared_seed, &expected, fresh, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            fresh = expected;
        seed = fresh;
    }
    uint64_t h = seed ^ k.len;
    for (size_t i = 0; i < k.len; i++) h = (h ^ k.p[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return h ^ h >> 32;
}

/* The slot that holds the key, or the one where it would go. */
static struct map_slot *find(struct map_slot *slots, size_t cap, struct span k, uint64_t hash)
{
    struct map_slot *hole = NULL;
    for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
        struct map_slot *s = &slots[i];
        if (!s->key) return hole ? hole : s;
        if (s->key == TOMB) {
            if (!hole) hole = s;
        } else if (s->hash == hash && span_eq(span_of(s->key, s->key_len), k)) {
            return s;
        }
    }
}

static void grow(struct map *m)
{
    const size_t cap = m->len * 4 < m->cap ? m->cap : (m->cap ? m->cap * 2 : 16);
    struct map_slot *slots = xcalloc(cap, sizeof *slots);
    for (size_t i = 0; i < m->cap; i++) {
        struct map_slot *s = &m->slots[i];
        if (s->key && s->key != TOMB) *find(slots, cap, span_of(s->key, s->key_len), s->hash) = *s;
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    m->used = m->len;
}

void map_fini(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key != TOMB) free(m->slots[i].key);
    free(m->slots);
    *m = (struct map){0};
}

void *map_get(const struct map *m, struct span key)
{
    if (!m->cap) return NULL;
    const struct map_slot *s = find(m->slots, m->cap, key, hash_of(key));
    return s->key && s->key != TOMB ? s->value : NULL;
}

void *map_put(struct map *m, struct span key, void *value)
{
    CHECK(value);
    if (m->used * 4 >= m->cap * 3) grow(m);
    const uint64_t hash = hash_of(key);
    struct map_slot *s = find(m->slots, m->cap, key, hash);
    if (s->key && s->key != TOMB) {
        void *old = s->value;
        s->value = value;
        return old;
    }
    if (!s->key) m->used++;
    *s = (struct map_slot){xstrndup(key.p, key.len), key.len, hash, value};
    m->len++;
    return NULL;
}

void *map_del(struct map *m, struct span key)
{
    if (!m->cap) return NULL;
    struct map_slot *s = find(m->slots, m->cap, key, hash_of(key));
    if (!s->key || s->key == TOMB) return NULL;
    void *old = s->value;
    free(s->key);
    *s = (struct map_slot){.key = TOMB};
    m->len--;
    return old;
}

bool map_next(const struct map *m, size_t *pos, struct span *key, void **value)
{
    while (*pos < m->cap) {
        const struct map_slot *s = &m->slots[(*pos)++];
        if (!s->key || s->key == TOMB) continue;
        if (key) *key = span_of(s->key, s->key_len);
        if (value) *value = s->value;
        return true;
    }
    return false;
}
