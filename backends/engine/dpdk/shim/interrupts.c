/* Receive interrupts: an idle engine sleeps on one epoll descriptor a port, where the driver has them. */
#include "versions.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>

#include "shim.h"

int vp_epoll_open(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int vp_epoll_watch(int epoll, int port, uint32_t queue)
{
    int error = rte_eth_dev_rx_intr_ctl_q(port, queue, epoll, RTE_INTR_EVENT_ADD, NULL);
    return error < 0 ? error : 0;
}

/* DPDK reads the event's counter, in the way of its kind: a virtual device's must not be read at all. */
int vp_epoll_take(int epoll)
{
    struct rte_epoll_event events[64];
    return vp_forked() ? 0 : rte_epoll_wait(epoll, events, RTE_DIM(events), 0);
}

/* A driver whose descriptors are readable by themselves (net_tap) knows no switch. */
int vp_epoll_ask(int port, uint32_t queue, int on)
{
    int error;

    if (vp_forked())
        return 0;
    error = on ? rte_eth_dev_rx_intr_enable(port, queue) : rte_eth_dev_rx_intr_disable(port, queue);
    return error == -ENOTSUP ? 0 : error;
}
