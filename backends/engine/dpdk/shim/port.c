/* Ports: how they come, are set up, asked, and go. */
#include "versions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "shim.h"

static const struct {
    uint64_t ours, theirs;
} rx_offloads[] = {
    {VP_RX_IP_CHECKSUM, RTE_ETH_RX_OFFLOAD_IPV4_CKSUM},
    {VP_RX_L4_CHECKSUM, RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM},
    {VP_RX_SCATTER, RTE_ETH_RX_OFFLOAD_SCATTER},
};

int vp_port_add(const char *bus, const char *name, const char *arguments)
{
    uint16_t port;
    int error;

    if (rte_eth_dev_get_port_by_name(name, &port) == 0)
        return -EEXIST;
    error = rte_eal_hotplug_add(bus, name, arguments);
    if (error < 0)
        return error;
    if (rte_eth_dev_get_port_by_name(name, &port) != 0) {
        rte_eal_hotplug_remove(bus, name);
        return -ENODEV;
    }
    return port;
}

int vp_port_remove(int port, const char *bus, const char *name)
{
    int error;

    if (vp_forked())
        return 0;
    error = rte_eth_dev_close(port);
    if (error < 0)
        return error;
    return rte_eal_hotplug_remove(bus, name);
}

/* Real devices are named by their place on a bus (0000:03:00.0), virtual ones by their driver (net_null0). */
static int is_on_a_bus(int port)
{
    char name[RTE_ETH_NAME_MAX_LEN];
    return rte_eth_dev_get_name_by_port(port, name) == 0 && strchr(name, ':') != NULL;
}

int vp_port_info(int port, vp_info_t *info)
{
    struct rte_eth_dev_info d;
    struct rte_ether_addr mac;
    int error = rte_eth_dev_info_get(port, &d);

    if (error < 0)
        return error;
    memset(info, 0, sizeof(*info));
    snprintf(info->driver, sizeof(info->driver), "%s", d.driver_name ? d.driver_name : "");
    info->max_rx_queues = d.max_rx_queues;
    info->max_tx_queues = d.max_tx_queues;
    info->min_mtu = d.min_mtu;
    info->max_mtu = d.max_mtu;
    for (size_t i = 0; i < RTE_DIM(rx_offloads); i++)
        if ((d.rx_offload_capa & rx_offloads[i].theirs) == rx_offloads[i].theirs)
            info->rx_offloads |= rx_offloads[i].ours;
    if (d.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
        info->tx_offloads |= VP_TX_SEGMENTS;
    info->rss = d.flow_type_rss_offloads;
    info->on_a_bus = is_on_a_bus(port);
    error = rte_eth_macaddr_get(port, &mac);
    if (error == 0)
        memcpy(info->mac, mac.addr_bytes, 6);
    return error;
}

int vp_port_map(int port, uint64_t address, uint64_t size)
{
    struct rte_eth_dev_info d;
    void *at = (void *)(uintptr_t)address;
    int error = rte_eth_dev_info_get(port, &d);

    if (error < 0)
        return error;
    /* known to DPDK already when another port was here before */
    if (rte_extmem_register(at, size, NULL, 0, 4096) != 0 && rte_errno != EEXIST)
        return -rte_errno;
    if (rte_dev_dma_map((struct rte_device *)(uintptr_t)d.device, at, address, size) != 0 && rte_errno != ENOTSUP)
        return -rte_errno;
    return 0;
}

static int set_up_queues(int port, const vp_wish_t *wish, struct rte_mempool *pool, const struct rte_eth_dev_info *d)
{
    uint16_t rx = wish->rx_ring, tx = wish->tx_ring;
    int error = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rx, &tx);

    if (error < 0)
        return error;
    for (uint32_t q = 0; q < wish->rx_queues; q++) {
        struct rte_eth_rxconf conf = d->default_rxconf;
        error = rte_eth_rx_queue_setup(port, q, rx, SOCKET_ID_ANY, &conf, pool);
        if (error < 0)
            return error;
    }
    for (uint32_t q = 0; q < wish->tx_queues; q++) {
        error = rte_eth_tx_queue_setup(port, q, tx, SOCKET_ID_ANY, NULL);
        if (error < 0)
            return error;
    }
    return 0;
}

int vp_port_configure(int port, const vp_wish_t *wish, uint64_t pool)
{
    struct rte_eth_conf conf;
    struct rte_eth_dev_info d;
    int error = rte_eth_dev_info_get(port, &d);

    if (error < 0)
        return error;
    memset(&conf, 0, sizeof(conf));
    for (size_t i = 0; i < RTE_DIM(rx_offloads); i++)
        if (wish->rx_offloads & rx_offloads[i].ours)
            conf.rxmode.offloads |= rx_offloads[i].theirs;
    conf.txmode.offloads = d.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    conf.rx_adv_conf.rss_conf.rss_hf = d.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
    if (wish->rx_queues > 1 && conf.rx_adv_conf.rss_conf.rss_hf)
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    else
        conf.rx_adv_conf.rss_conf.rss_hf = 0;
    conf.intr_conf.rxq = wish->interrupts != 0;
    error = rte_eth_dev_configure(port, wish->rx_queues, wish->tx_queues, &conf);
    if (error < 0)
        return error;
    return set_up_queues(port, wish, (struct rte_mempool *)(uintptr_t)pool, &d);
}

int vp_port_start(int port) { return rte_eth_dev_start(port); }

int vp_port_stop(int port) { return vp_forked() ? 0 : rte_eth_dev_stop(port); }

int vp_port_stats(int port, vp_stats_t *stats)
{
    struct rte_eth_stats s;
    int error = rte_eth_stats_get(port, &s);

    if (error == 0)
        *stats = (vp_stats_t){s.ipackets, s.opackets, s.ibytes, s.obytes, s.imissed, s.ierrors, s.oerrors, s.rx_nombuf};
    return error;
}

int vp_port_link(int port, vp_link_t *link)
{
    struct rte_eth_link l;
    int error;

    memset(&l, 0, sizeof(l));
    error = rte_eth_link_get_nowait(port, &l);
    link->mbps = l.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : l.link_speed;
    link->up = l.link_status == RTE_ETH_LINK_UP;
    link->full_duplex = l.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
    return error;
}

int vp_port_set_mac(int port, const uint8_t *mac)
{
    struct rte_ether_addr address;

    memcpy(address.addr_bytes, mac, 6);
    return rte_eth_dev_default_mac_addr_set(port, &address);
}

int vp_port_set_mtu(int port, uint32_t mtu) { return rte_eth_dev_set_mtu(port, mtu); }

int vp_port_set_promiscuous(int port, int on)
{
    return on ? rte_eth_promiscuous_enable(port) : rte_eth_promiscuous_disable(port);
}

/* Frees what waits in the receive rings (at most a million packets: a generator never ends). */
int vp_port_drain(int port, uint32_t queues)
{
    struct rte_mbuf *mbufs[64];
    int total = 0;

    for (uint32_t q = 0; q < queues; q++) {
        uint16_t n;
        while (total < 1000000 && (n = rte_eth_rx_burst(port, q, mbufs, RTE_DIM(mbufs))) > 0) {
            rte_pktmbuf_free_bulk(mbufs, n);
            total += n;
        }
    }
    return total;
}
