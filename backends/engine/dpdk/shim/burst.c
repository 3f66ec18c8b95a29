/* What compiled kernels call. A queue is its port << 16 and its number; mbufs: the address of an array of pointers.
 * In a copy of the process (fork) nothing of DPDK may be touched: nothing comes, and what is sent is gone.
 */
#include "versions.h"

#include "shim.h"

#define TRIES 16 /* as VPP: times that a full ring is asked again before packets are dropped */

int64_t vp_rx(int64_t queue, int64_t mbufs, int64_t count)
{
    if (vp_forked())
        return 0;
    vp_this_thread();
    return rte_eth_rx_burst(queue >> 16, queue & 0xffff, (struct rte_mbuf **)(uintptr_t)mbufs, count);
}

int64_t vp_tx(int64_t queue, int64_t mbufs, int64_t count)
{
    struct rte_mbuf **from = (struct rte_mbuf **)(uintptr_t)mbufs;
    int64_t n = 0;

    if (vp_forked())
        return count;
    vp_this_thread();
    for (int tries = 0; n < count && tries < TRIES; tries++)
        n += rte_eth_tx_burst(queue >> 16, queue & 0xffff, from + n, count - n);
    return n;
}

int64_t vp_free(int64_t mbufs, int64_t count, int64_t unused)
{
    (void)unused;
    if (!vp_forked())
        rte_pktmbuf_free_bulk((struct rte_mbuf **)(uintptr_t)mbufs, count);
    return 0;
}

int64_t vp_alloc(int64_t pool, int64_t mbufs, int64_t count)
{
    if (vp_forked())
        return 0;
    vp_this_thread();
    int r = rte_pktmbuf_alloc_bulk((struct rte_mempool *)(uintptr_t)pool, (struct rte_mbuf **)(uintptr_t)mbufs, count);
    return r == 0 ? count : 0;
}
