"""Is this host ready for a real VPP with DPDK cards? Each check looks at a `Host` and says what to do, as a command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.control.vpp_startup import core_text

if TYPE_CHECKING:
    from vectorplane.control.host import Card, Host

GOOD, FAIR, BAD = "ok", "note", "problem"
USER_SPACE = frozenset({"vfio-pci", "uio_pci_generic", "igb_uio"})
"""Kernel drivers that hand a card to a program."""
BIFURCATED = frozenset({"mlx4_core", "mlx5_core", "mana"})
"""Drivers that stay on the card while DPDK uses it."""
_GRUB = "add {0} to GRUB_CMDLINE_LINUX in /etc/default/grub && update-grub && reboot"
WANTED_HUGE_KB = 128 << 10
"""Least memory in huge pages that makes sense."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``state`` is ok, note or problem; ``do``: a command that changes it."""

    what: str
    state: str
    found: str
    meaning: str
    do: str = ""


def iommu(host: Host) -> Iterator[Finding]:
    """IOMMU, the vfio modules."""
    groups = len(host.entries("sys/kernel/iommu_groups"))
    words = set(host.text("proc/cmdline").split())
    unsafe = host.text("sys/module/vfio/parameters/enable_unsafe_noiommu_mode") in ("Y", "1")
    if groups:
        yield Finding("IOMMU", GOOD, f"on, {groups} groups", "vfio-pci keeps a card to its program's memory")
    else:
        asked = any(w.startswith(("intel_iommu=on", "amd_iommu=on")) for w in words)
        found = "off, though the kernel was asked for it" if asked else "off"
        means = "switch it on in the firmware (VT-d, AMD-Vi)" + ("" if asked else " and on the kernel command line")
        if unsafe:
            yield Finding("IOMMU", FAIR, f"{found}; vfio works without it (unsafe mode)", means)
        else:
            # in a virtual machine there is often no IOMMU to be had
            do = "modprobe vfio && echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
            if not asked:
                do = f"{_GRUB.format('intel_iommu=on iommu=pt')}; or without: {do}"
            yield Finding("IOMMU", BAD, found, means, do)
    loaded = host.has_module("vfio_pci")
    yield Finding(
        "vfio-pci",
        GOOD if loaded else BAD,
        "loaded" if loaded else "not loaded",
        "DPDK reaches cards by it",
        "" if loaded else "modprobe vfio-pci",
    )


def huge_pages(host: Host, nodes: set[int]) -> Iterator[Finding]:
    """Huge pages on each NUMA node that has a card (on node 0 when there is no card), and where they are mounted."""
    pages = list(host.huge_pages())
    for node in sorted(nodes or {0}):
        here = [p for p in pages if p.node == node and p.total]
        found = ", ".join(f"{p.total} of {_size(p.kb)} ({p.free} free)" for p in here) or "none"
        free = sum(p.free * p.kb for p in here)
        do = f"echo 1024 > /sys/devices/system/node/node{node}/hugepages/hugepages-2048kB/nr_hugepages"
        enough = free >= WANTED_HUGE_KB
        yield Finding(
            f"huge pages, node {node}",
            GOOD if enough else BAD,
            found,
            "buffers and DPDK's memory lie in them; `vectorplane vpp-startup` says how many are needed",
            "" if enough else do,
        )
    mounts = host.mounts("hugetlbfs")
    yield Finding(
        "hugetlbfs",
        GOOD if mounts else FAIR,
        ", ".join(mounts) or "not mounted",
        "VPP itself needs no mount, other DPDK programs do",
        "" if mounts else "mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages",
    )


def _size(kb: int) -> str:
    return f"{kb >> 20} GB" if kb >= 1 << 20 else f"{kb >> 10} MB"


def card(it: Card) -> Finding:
    """One network card: who holds it, and whether it may be taken."""
    what = f"card {it.pci}"
    ports = ", ".join(f"{p.name} {'up' if p.up else 'down'}" for p in it.ports)
    found = f"{it.ids}, NUMA node {it.node}, driver {it.driver or 'none'}" + (f" ({ports})" if ports else "")
    default = [p.name for p in it.ports if p.default]
    up = [p.name for p in it.ports if p.up]
    bind = f"dpdk-devbind.py --bind=vfio-pci {it.pci}"
    if default:
        means = f"the default route leaves by {default[0]}: whoever takes this card may cut you off from the host"
        return Finding(what, BAD, found, means, "use another card, or work from a console that is not on this card")
    if it.driver in USER_SPACE:
        return Finding(what, GOOD, found, "ready for VPP")
    if it.driver in BIFURCATED:
        return Finding(what, GOOD, found, "ready for VPP: this driver stays, DPDK works beside it")
    if up:
        do = " && ".join([*(f"ip link set {name} down" for name in up), bind])
        return Finding(what, FAIR, found, "the kernel uses it; VPP takes no card whose interface is up", do)
    return Finding(what, FAIR, found, "free: VPP binds it itself when it runs as root; otherwise bind it before", bind)


def cores(host: Host, nodes: set[int]) -> Iterator[Finding]:
    """Cores by NUMA node; which are isolated."""
    known = host.cores()
    found = "; ".join(f"node {n}: {len(c)}" for n, c in sorted(known.items()))
    total = sum(map(len, known.values()))
    yield Finding(
        "cores",
        GOOD if total > 2 else FAIR,
        found,
        "one for the kernel, one for VPP's main thread, one for each worker, on the node of the cards",
    )
    isolated = host.isolated()
    if isolated:
        yield Finding("isolated cores", GOOD, ", ".join(map(str, isolated)), "the kernel leaves these to the workers")
        return
    order = [c for n in sorted(nodes or {0}) for c in known.get(n, ())]
    some = core_text(order[2:])
    yield Finding(
        "isolated cores",
        FAIR,
        "none",
        "workers lose time to whatever else the kernel runs on their cores",
        _GRUB.format(f"isolcpus={some} nohz_full={some}") if some else "",
    )


def group(host: Host, user: str) -> Finding:
    """The group that may use VPP's sockets."""
    members = host.members("vpp")
    if members is None:
        return Finding("group vpp", FAIR, "none", "VPP's sockets are its own user's alone", "groupadd -f -r vpp")
    if user in (*members, "root"):
        return Finding("group vpp", GOOD, f"there; {user} may use the sockets", "VPP's packages make it")
    do = f"usermod -aG vpp {user}"
    return Finding("group vpp", FAIR, f"there, without {user}", f"{user} cannot reach VPP's sockets", do)


def examine(host: Host, user: str) -> list[Finding]:
    """All of the above."""
    found = list(host.cards())
    nodes = {c.node for c in found}
    cards = [card(c) for c in found] or [
        Finding("cards", BAD, "no PCI network card", "a real VPP on this host would drive no card")
    ]
    return [*iommu(host), *huge_pages(host, nodes), *cards, *cores(host, nodes), group(host, user)]
