/* Memory pools. Of the engine's cells: mbuf i is the front of cell i, free ones lie on the engine's own stack. */
#include "versions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mempool.h>
#include <rte_pause.h>

#include "shim.h"

/* graph_nodes/mbuf.py reads and writes these fields. */
#define AT(field, offset) _Static_assert(offsetof(struct rte_mbuf, field) == offset, "rte_mbuf." #field " has moved")
AT(buf_addr, 0);
AT(data_off, 16);
AT(refcnt, 18);
AT(nb_segs, 20);
AT(port, 22);
AT(ol_flags, 24);
AT(pkt_len, 36);
AT(data_len, 40);
AT(pool, 56);
AT(next, 64);
_Static_assert(sizeof(struct rte_mbuf) == 128, "rte_mbuf has another size");
_Static_assert(RTE_PKTMBUF_HEADROOM == 128, "mbufs have another headroom");

static uint64_t *word(const vp_cells_t *c, uint32_t offset) { return (uint64_t *)(uintptr_t)(c->stack + offset); }

static void lock(const vp_cells_t *c)
{
    uint64_t *l = word(c, c->lock), unlocked = 0;
    while (!__atomic_compare_exchange_n(l, &unlocked, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        unlocked = 0;
        rte_pause();
    }
}

static void unlock(const vp_cells_t *c) { __atomic_store_n(word(c, c->lock), 0, __ATOMIC_RELEASE); }

static int cells_enqueue(struct rte_mempool *mp, void *const *objects, unsigned int n)
{
    const vp_cells_t *c = mp->pool_data;
    int32_t *entries = (int32_t *)word(c, c->entries);

    lock(c);
    uint64_t top = *word(c, c->top);
    for (unsigned int i = 0; i < n; i++)
        entries[top + i] = (int32_t)(((uintptr_t)objects[i] - c->cells) / c->cell);
    *word(c, c->top) = top + n;
    unlock(c);
    return 0;
}

static int cells_dequeue(struct rte_mempool *mp, void **objects, unsigned int n)
{
    const vp_cells_t *c = mp->pool_data;
    const int32_t *entries = (const int32_t *)word(c, c->entries);

    lock(c);
    uint64_t top = *word(c, c->top);
    if (top < n) {
        unlock(c);
        return -ENOBUFS;
    }
    for (unsigned int i = 0; i < n; i++)
        objects[i] = (void *)(uintptr_t)(c->cells + (uint64_t)entries[top - 1 - i] * c->cell);
    *word(c, c->top) = top - n;
    unlock(c);
    return 0;
}

static unsigned int cells_count(const struct rte_mempool *mp)
{
    const vp_cells_t *c = mp->pool_data;
    return (unsigned int)*word(c, c->top);
}

static int cells_alloc(struct rte_mempool *mp)
{
    mp->pool_data = mp->pool_config;
    return 0;
}

static void cells_free(struct rte_mempool *mp) { free(mp->pool_data); }

/* The cells are there already, and on the stack: nothing is written in front of them. */
static int cells_populate(struct rte_mempool *mp, unsigned int max, void *address, rte_iova_t iova, size_t size,
                          rte_mempool_populate_obj_cb_t *each, void *argument)
{
    const vp_cells_t *c = mp->pool_data;

    (void)address, (void)iova, (void)size, (void)each, (void)argument;
    if (max < c->count)
        return -ENOSPC;
    mp->populated_size += c->count;
    return (int)c->count;
}

static const struct rte_mempool_ops cells_ops = {
    .name = "vectorplane",
    .alloc = cells_alloc,
    .free = cells_free,
    .enqueue = cells_enqueue,
    .dequeue = cells_dequeue,
    .get_count = cells_count,
    .populate = cells_populate,
};
#ifndef RTE_MEMPOOL_REGISTER_OPS
#define RTE_MEMPOOL_REGISTER_OPS MEMPOOL_REGISTER_OPS /* before 21.11 */
#endif
RTE_MEMPOOL_REGISTER_OPS(cells_ops);

static void init_mbuf(struct rte_mempool *mp, const vp_cells_t *c, uint32_t i)
{
    struct rte_mbuf *m = (struct rte_mbuf *)(uintptr_t)(c->cells + (uint64_t)i * c->cell);

    memset(m, 0, sizeof(*m));
    m->priv_size = c->private_size;
    m->buf_addr = (char *)m + sizeof(*m) + c->private_size;
#if RTE_VERSION >= RTE_VERSION_NUM(22, 11, 0, 0)
    rte_mbuf_iova_set(m, (rte_iova_t)(uintptr_t)m->buf_addr);
#else
    m->buf_iova = (rte_iova_t)(uintptr_t)m->buf_addr;
#endif
    m->buf_len = c->room;
    m->data_off = RTE_PKTMBUF_HEADROOM;
    m->pool = mp;
    m->nb_segs = 1;
    m->port = RTE_MBUF_PORT_INVALID;
    rte_mbuf_refcnt_set(m, 1);
}

uint64_t vp_pool_of_cells(const char *name, const vp_cells_t *cells, int cache)
{
    struct rte_pktmbuf_pool_private kind = {.mbuf_data_room_size = cells->room,
                                            .mbuf_priv_size = cells->private_size};
    vp_cells_t *config = malloc(sizeof(*config));
    struct rte_mempool *mp;

    if (!config)
        return 0;
    *config = *cells;
    mp = rte_mempool_create_empty(name, cells->count, sizeof(struct rte_mbuf) + cells->private_size + cells->room,
                                  cache, sizeof(kind), SOCKET_ID_ANY, 0);
    if (!mp || rte_mempool_set_ops_byname(mp, cells_ops.name, config) != 0) {
        free(config);
        rte_mempool_free(mp);
        return 0;
    }
    rte_pktmbuf_pool_init(mp, &kind);
    if (rte_mempool_populate_iova(mp, (char *)(uintptr_t)cells->cells, (rte_iova_t)cells->cells,
                                  (size_t)cells->count * cells->cell, NULL, NULL) < 0) {
        rte_mempool_free(mp);
        return 0;
    }
    for (uint32_t i = 0; i < cells->count; i++)
        init_mbuf(mp, cells, i);
    return (uint64_t)(uintptr_t)mp;
}

uint64_t vp_pool_own(const char *name, uint32_t count, int cache)
{
    return (uint64_t)(uintptr_t)rte_pktmbuf_pool_create(name, count, cache, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                                        SOCKET_ID_ANY);
}

uint32_t vp_pool_free_count(uint64_t pool) { return rte_mempool_avail_count((struct rte_mempool *)(uintptr_t)pool); }

void vp_pool_close(uint64_t pool)
{
    if (!vp_forked())
        rte_mempool_free((struct rte_mempool *)(uintptr_t)pool);
}
