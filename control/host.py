"""What a Linux host says about its cards, cores, huge pages and modules in /proc, /sys and /etc; nothing is changed.

All is read below a root directory, so that a made-up host can be looked at just as well as this one. What can't be
read is as if it were not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vectorplane.control.startup.cpu import core_list


@dataclass(frozen=True)
class KernelPort:
    """A network interface that the kernel has of a card. ``default``: the default route leaves by it."""

    name: str
    up: bool
    default: bool


@dataclass(frozen=True)
class Card:
    """A PCI network card. ``driver``: what holds it, None for nothing; ``node``: its NUMA node, 0 when unknown."""

    pci: str
    ids: str
    """Vendor and device, as `8086:1572`."""
    driver: str | None
    node: int
    ports: tuple[KernelPort, ...]


@dataclass(frozen=True)
class HugePages:
    """Huge pages of one size on a NUMA node."""

    node: int
    kb: int
    total: int
    free: int


class Host:
    """A host, by the root of its file system."""

    def __init__(self, root: str | os.PathLike[str] = "/") -> None:
        self.root = Path(root)

    def text(self, path: str) -> str:
        """What is in a file, without white space around it; "" when it can't be read."""
        try:
            return (self.root / path).read_text(errors="replace").strip()
        except OSError:
            return ""

    def entries(self, path: str) -> list[str]:
        """Names in a directory, sorted; none when it can't be read."""
        try:
            return sorted(os.listdir(self.root / path))
        except OSError:
            return []

    def cards(self) -> Iterator[Card]:
        """All PCI network cards (class 02), by address."""
        default = self.default_ports()
        for pci in self.entries("sys/bus/pci/devices"):
            folder = f"sys/bus/pci/devices/{pci}"
            if not self.text(f"{folder}/class").startswith("0x02"):
                continue
            ids = ":".join(self.text(f"{folder}/{n}").removeprefix("0x") for n in ("vendor", "device"))
            ports = tuple(KernelPort(name, self._is_up(name), name in default) for name in self._kernel_ports(folder))
            yield Card(pci, ids, self._driver(folder), self._node(folder), ports)

    def _kernel_ports(self, folder: str) -> list[str]:
        # virtio cards have theirs one level down
        below = [f"{folder}/{e}" for e in self.entries(folder) if e.startswith("virtio")]
        return [name for place in (folder, *below) for name in self.entries(f"{place}/net")]

    def _is_up(self, name: str) -> bool:
        flags = self.text(f"sys/class/net/{name}/flags")
        try:
            return bool(int(flags, 16) & 1)
        except ValueError:
            return False

    def _driver(self, folder: str) -> str | None:
        try:
            return os.path.basename(os.readlink(self.root / folder / "driver"))
        except OSError:
            return None

    def _node(self, folder: str) -> int:
        node = self.text(f"{folder}/numa_node")
        return int(node) if node.isdecimal() else 0

    def default_ports(self) -> set[str]:
        """The interfaces by which a default route leaves; for a bridge, bond or VLAN also what is below it."""
        found = set()
        for line in self.text("proc/net/route").splitlines()[1:]:
            fields = line.split()
            if len(fields) > 7 and fields[1] == fields[7] == "00000000":
                found.add(fields[0])
        for line in self.text("proc/net/ipv6_route").splitlines():
            fields = line.split()
            # the kernel's own reject route has no gateway and leaves by lo
            if len(fields) == 10 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo":
                found.add(fields[9])
        queue = list(found)
        while queue:
            name = queue.pop()
            for entry in self.entries(f"sys/class/net/{name}"):
                lower = entry.removeprefix("lower_")
                if lower != entry and lower not in found:
                    found.add(lower)
                    queue.append(lower)
        return found

    def cores(self) -> dict[int, tuple[int, ...]]:
        """The cores of each NUMA node that are online."""
        online = set(_cores(self.text("sys/devices/system/cpu/online")))
        nodes = {
            int(entry[4:]): _cores(self.text(f"sys/devices/system/node/{entry}/cpulist"))
            for entry in self.entries("sys/devices/system/node")
            if entry.startswith("node") and entry[4:].isdecimal()
        }
        known = {n: tuple(c for c in cores if c in online or not online) for n, cores in nodes.items() if cores}
        return known or {0: tuple(sorted(online))}

    def isolated(self) -> tuple[int, ...]:
        """Cores on which the kernel schedules nothing by itself."""
        return _cores(self.text("sys/devices/system/cpu/isolated"))

    def huge_pages(self) -> Iterator[HugePages]:
        """Huge pages by node and size, sizes with none included."""
        nodes = [e for e in self.entries("sys/devices/system/node") if e.startswith("node") and e[4:].isdecimal()]
        places = [(int(e[4:]), f"sys/devices/system/node/{e}/hugepages") for e in nodes]
        for node, place in places or [(0, "sys/kernel/mm/hugepages")]:
            for entry in self.entries(place):
                kb = entry.removeprefix("hugepages-").removesuffix("kB")
                counts = [self.text(f"{place}/{entry}/{n}") for n in ("nr_hugepages", "free_hugepages")]
                if kb.isdecimal() and all(c.isdecimal() for c in counts):
                    yield HugePages(node, int(kb), int(counts[0]), int(counts[1]))

    def mounts(self, kind: str) -> list[str]:
        """Where file systems of a kind are mounted."""
        lines = (line.split() for line in self.text("proc/mounts").splitlines())
        return [fields[1] for fields in lines if len(fields) > 2 and fields[2] == kind]

    def has_module(self, name: str) -> bool:
        """Is a kernel module loaded (or built in and in use)?"""
        return (self.root / "sys/module" / name).is_dir()

    def members(self, group: str) -> list[str] | None:
        """The users in a group of /etc/group; None when there is no such group."""
        for line in self.text("etc/group").splitlines():
            fields = line.split(":")
            if len(fields) == 4 and fields[0] == group:
                return [m for m in fields[3].split(",") if m]
        return None


def _cores(text: str) -> tuple[int, ...]:
    try:
        return core_list(text)
    except ValueError:
        return ()
