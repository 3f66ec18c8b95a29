"""A made-up host: the files of /proc, /sys and /etc that are looked at, below a folder."""

from __future__ import annotations

from pathlib import Path

from vectorplane.control.host import Host

_ROUTES = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


class FakeHost:
    """Builds one; `host` looks at it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host = Host(root)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    def node(self, node: int, cores: str) -> None:
        self.write(f"sys/devices/system/node/node{node}/cpulist", cores)

    def pages(self, node: int, kb: int, total: int, free: int) -> None:
        folder = f"sys/devices/system/node/node{node}/hugepages/hugepages-{kb}kB"
        self.write(f"{folder}/nr_hugepages", str(total))
        self.write(f"{folder}/free_hugepages", str(free))

    def card(
        self, pci: str, driver: str | None = None, node: int = 0, port: str | None = None, up: bool = False
    ) -> None:
        folder = f"sys/bus/pci/devices/{pci}"
        for name, text in (("class", "0x020000"), ("vendor", "0x8086"), ("device", "0x1572")):
            self.write(f"{folder}/{name}", text)
        self.write(f"{folder}/numa_node", str(node))
        if driver is not None:
            (self.root / folder / "driver").symlink_to(f"../../../bus/pci/drivers/{driver}")
        if port:
            (self.root / folder / "net" / port).mkdir(parents=True)
            self.write(f"sys/class/net/{port}/flags", "0x1003" if up else "0x1002")

    def default_route(self, *ports: str) -> None:
        lines = [f"{p}\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" for p in ports]
        self.write("proc/net/route", _ROUTES + "".join(lines))
