"""The start-up configuration of a real VPP on a bare-metal host, from our configuration.

What is in it and why: the DPDK cards that the configuration names and no others (VPP would take every card that it
may); a core for VPP's main thread and one for each worker, on the cards' NUMA node; buffers for all rings; sockets;
and only the plugins that the configuration needs. Everything else comes later over the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.backends.devices import TUNNELS
from vectorplane.control.config_check import ports
from vectorplane.control.config_device import DpdkSettings
from vectorplane.control.config_error import ConfigError, Path, Problem

if TYPE_CHECKING:
    from vectorplane.control.config import Config
    from vectorplane.control.host import Host

_BUFFER = 2560
"""Bytes of a VPP buffer with 2,048 bytes of data, its header and DPDK's."""
_FRAMES = 4096
"""Buffers that a thread may have in flight between nodes, and in its cache."""
_DPDK_RESERVE = 16 << 20
"""What VPP sets aside for DPDK itself on each node."""

ACL_PLUGIN = "acl_plugin.so"
_MADE = {
    "loopback": "loop",
    "bvi": "bvi",
    "vxlan": "vxlan_tunnel",
    "geneve": "geneve_tunnel",
    "gre": "gre",
    "ipip": "ipip",
}
"""Devices that VPP has too: how it calls their interfaces, before their number."""


@dataclass(frozen=True)
class Mapped:
    """An interface: its name in the configuration, VPP's name for it (N: a number of its own), how it comes to be."""

    name: str
    vpp: str
    how: str


@dataclass(frozen=True)
class Cores:
    """Where threads run. ``guessed``: chosen without knowing the host."""

    main: int
    workers: tuple[int, ...]
    guessed: bool = False


@dataclass(frozen=True)
class Startup:
    """``text`` is the file; ``huge_pages`` is how many of 2 MB it needs on each node of ``nodes``."""

    text: str
    interfaces: tuple[Mapped, ...]
    plugins: tuple[str, ...]
    cores: Cores
    buffers: int
    huge_pages: int
    nodes: tuple[int, ...]


def cards(config: Config) -> dict[str, DpdkSettings]:
    """Interface name to its card. Virtual devices of DPDK are the engine's only."""
    found = {n: i.device for n, i in config.interfaces.items() if isinstance(i.device, DpdkSettings)}
    return {n: card for n, card in found.items() if card.pci is not None}


def map_interfaces(config: Config) -> list[Mapped]:
    """Every interface and sub-interface, in the order in which they are written."""
    own = cards(config)
    result = []
    vpp_names: dict[str, str] = {}
    for name, _, _ in ports(config):
        interface = config.interfaces.get(name)
        if interface is None:
            parent, _, number = name.rpartition(".")
            result.append(Mapped(name, f"{vpp_names[parent]}.{number}", "made over the API"))
            continue
        if name in own:
            vpp, how = name, f"DPDK, PCI {own[name].pci}"
        elif interface.device.type in _MADE:
            vpp, how = f"{_MADE[interface.device.type]}N", "made over the API; VPP numbers it, its tag says the name"
        else:
            vpp, how = "pgN", f"stands for device {interface.device.type}; VPP numbers it, its tag says the name"
        vpp_names[name] = vpp
        result.append(Mapped(name, vpp, how))
    return result


def plugins(config: Config) -> list[str]:
    """The plugins of VPP that the configuration makes use of."""
    needed = ["dpdk_plugin.so"] if cards(config) else []
    if any(port.addresses or port.ip4 for _, _, port in ports(config)):
        needed.append("ping_plugin.so")  # answers echo requests too
    used = {interface.device.type for interface in config.interfaces.values()}
    needed += [f"{device}_plugin.so" for device in TUNNELS if device in used]
    if any(port.l3_xconnect for _, _, port in ports(config)):
        needed.append("l3xc_plugin.so")
    if config.acls or config.macip_acls:
        needed.append(ACL_PLUGIN)
    return needed


def choose_cores(
    workers: int,
    nodes: Sequence[int],
    known: dict[int, tuple[int, ...]],
    main: int | None = None,
    chosen: tuple[int, ...] | None = None,
) -> Cores:
    """A main core and cores for ``workers``; ``known``: the host's cores by NUMA node, {} when that host is unknown.

    The nodes of the cards come first; core 0 is left to the kernel when there are enough others. ``main`` and
    ``chosen`` (the workers') are kept when given.

    Raises:
        ValueError: there are too few, or what was given does not fit together.
    """
    if main is not None and chosen is not None:
        order: list[int] = []
    elif known:
        order = [c for n in nodes for c in known.get(n, ())]
        order += [c for n in sorted(known) if n not in nodes for c in known[n]]
    else:
        order = list(range(1, 3 + workers))
    total = len(order)
    order = [c for c in order if c != main and c not in (chosen or ())]
    missing = (main is None) + (workers if chosen is None else 0)
    if missing > len(order):
        raise ValueError(
            f"{workers} worker{'s' if workers > 1 else ''} and the main thread need {workers + 1} cores, this host has "
            f"{total}: lower engine.workers, or say --main-core and --worker-cores"
        )
    if missing < len(order) and 0 in order:
        order.remove(0)
    if main is None:
        main = order.pop(0)
    result = Cores(main, chosen if chosen is not None else tuple(order[:workers]), guessed=not known)
    if result.main in result.workers:
        raise ValueError(f"core {main} cannot be the main thread's and a worker's")
    return result


def buffers_needed(config: Config, workers: int) -> int:
    """Buffers of a node: all rings of all cards full, and what the threads have in flight; a multiple of 4,096."""
    total = _FRAMES * (workers + 1)
    for card in cards(config).values():
        total += (card.queues or workers) * card.rx_ring + (workers + 1) * card.tx_ring
    total = max(total, config.engine.buffers)
    return -(-total // 4096) * 4096


def core_text(cores: Sequence[int]) -> str:
    """Cores as VPP takes them: ``2-4,7``."""
    runs: list[list[int]] = []
    for core in cores:
        if runs and core == runs[-1][-1] + 1:
            runs[-1].append(core)
        else:
            runs.append([core])
    return ",".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)


def make_startup(
    config: Config,
    host: Host,
    *,
    file: str = "config",
    runtime_dir: str = "/run/vpp",
    main_core: int | None = None,
    worker_cores: tuple[int, ...] | None = None,
) -> Startup:
    """The start-up configuration for ``config`` on ``host`` (its cards, cores and groups are looked at).

    Raises:
        ConfigError: too few cores, or those that were asked for do not fit together.
    """
    here = {c.pci: c.node for c in host.cards()}
    mine = cards(config)
    nodes = tuple(dict.fromkeys(here[c.pci] for c in mine.values() if c.pci in here))
    workers = len(worker_cores) if worker_cores is not None else config.engine.workers
    known = host.cores() if nodes or not mine else {}
    try:
        cores = choose_cores(workers, nodes, known, main_core, worker_cores)
    except ValueError as error:
        path: Path = ("engine", "workers")
        raise ConfigError(file, [Problem(config.line(path), path, str(error))]) from None
    buffers = buffers_needed(config, workers)
    pages = -(-(buffers * _BUFFER + _DPDK_RESERVE) // (2 << 20))
    mapped = tuple(map_interfaces(config))
    from vectorplane.control.vpp_startup_text import render

    wanted = tuple(plugins(config))
    group = "vpp" if host.members("vpp") is not None else None
    text = render(config, file, runtime_dir, group, cores, buffers, wanted, mapped)
    return Startup(text, mapped, wanted, cores, buffers, pages, nodes or (0,))
