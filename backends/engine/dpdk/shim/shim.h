/* The flat API between vectorplane and DPDK: what is between the two marks is what cffi declares.
 *
 * Ports, pools and addresses are plain numbers. Functions give 0 or more when all went well, else a negative errno;
 * what DPDK had to say is then in the log (vp_log_take). vp_rx, vp_tx, vp_free and vp_alloc are called from compiled
 * kernels through their addresses: at most four 64-bit integers in, one out.
 */
#ifndef VECTORPLANE_SHIM_H
#define VECTORPLANE_SHIM_H

#include <stddef.h>
#include <stdint.h>

/* cdef: begin */
#define VP_API 2

typedef struct {
    char driver[64];
    uint32_t max_rx_queues, max_tx_queues;
    uint32_t min_mtu, max_mtu;
    uint64_t rx_offloads, tx_offloads; /* VP_RX_..., VP_TX_... that the device can do */
    uint64_t rss; /* kinds of flows that it can spread */
    int32_t on_a_bus; /* 1: a real device, 0: a virtual one */
    uint8_t mac[6];
} vp_info_t;

typedef struct {
    uint32_t rx_queues, tx_queues;
    uint32_t rx_ring, tx_ring; /* wishes: the driver's limits are respected */
    uint64_t rx_offloads; /* those of VP_RX_... that are to be used */
    int32_t interrupts; /* 1: of receive queues, where the driver has them */
} vp_wish_t;

typedef struct {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_missed, rx_errors, tx_errors, rx_no_buffer;
} vp_stats_t;

typedef struct {
    uint32_t mbps;
    int32_t up, full_duplex;
} vp_link_t;

typedef struct { /* a buffer pool whose cells begin with room for an rte_mbuf */
    uint64_t cells, stack; /* addresses: of cell 0; of the stack of free cells */
    uint32_t count, cell, private_size, room; /* room: headroom and data */
    uint32_t lock, top, entries; /* offsets in the stack: lock word, count, int32 indices */
} vp_cells_t;

enum { VP_RX_IP_CHECKSUM = 1, VP_RX_L4_CHECKSUM = 2, VP_RX_SCATTER = 4, VP_TX_SEGMENTS = 1 };
enum { VP_NONE = 0, VP_RUNS = 1, VP_FAILED = 2, VP_FORKED = 3 };

int vp_api(void);
const char *vp_version(void);

int vp_eal_state(void);
const char *vp_eal_arguments(void);
int vp_eal_init(int argc, char **argv);
int vp_iova_is_va(void);
int vp_log_take(char *to, int size);

uint64_t vp_pool_of_cells(const char *name, const vp_cells_t *cells, int cache);
uint64_t vp_pool_own(const char *name, uint32_t count, int cache);
uint32_t vp_pool_free_count(uint64_t pool);
void vp_pool_close(uint64_t pool);

int vp_port_add(const char *bus, const char *name, const char *arguments);
int vp_port_remove(int port, const char *bus, const char *name);
int vp_port_info(int port, vp_info_t *info);
int vp_port_map(int port, uint64_t address, uint64_t size);
int vp_port_configure(int port, const vp_wish_t *wish, uint64_t pool);
int vp_port_start(int port);
int vp_port_stop(int port);
int vp_port_stats(int port, vp_stats_t *stats);
int vp_port_link(int port, vp_link_t *link);
int vp_port_set_mac(int port, const uint8_t *mac);
int vp_port_set_mtu(int port, uint32_t mtu);
int vp_port_set_promiscuous(int port, int on);
int vp_port_drain(int port, uint32_t queues);

int vp_epoll_open(void);
int vp_epoll_watch(int epoll, int port, uint32_t queue);
int vp_epoll_take(int epoll);
int vp_epoll_ask(int port, uint32_t queue, int on);

int64_t vp_rx(int64_t queue, int64_t mbufs, int64_t count);
int64_t vp_tx(int64_t queue, int64_t mbufs, int64_t count);
int64_t vp_free(int64_t mbufs, int64_t count, int64_t unused);
int64_t vp_alloc(int64_t pool, int64_t mbufs, int64_t count);
/* cdef: end */

/* inside the shim */
int vp_forked(void);
void vp_this_thread(void);

#endif
