"""Plays a recorded scenario (../shared/parity) onto an engine through its Python API, and compares what comes out.

Each step's API call, named as VPP's, is turned into calls of the engine; packets go in by packet-generator streams.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path as FilePath
from types import ModuleType
from typing import Any

from scapy.utils import rdpcap

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.route_paths import Path

PARITY = FilePath(__file__).resolve().parents[2] / "shared" / "parity"
NONE = 0xFFFFFFFF
KINDS = {0: "normal", 1: "local", 2: "drop", 5: "unreachable", 6: "prohibit"}
PAUSE = 50_000_000


def frames_of(path: FilePath) -> list[bytes]:
    """The frames of a capture file."""
    return [bytes(frame) for frame in rdpcap(str(path))]


def parity_tool() -> ModuleType:
    """The recorded tool itself."""
    spec = importlib.util.spec_from_file_location("parity_tool", PARITY / "parity.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ParityEngine:
    """One engine with interfaces pg0, pg1 ... that are up."""

    def __init__(self, interfaces: list[dict[str, Any]], **options: Any) -> None:
        self.engine = Engine(**options)
        self.names: dict[str, int] = {}
        self.devices: dict[str, PgDevice] = {}
        for n, spec in enumerate(interfaces):
            name = f"pg{n}"
            self.devices[name] = PgDevice()
            mac = bytes.fromhex(spec["mac"].replace(":", ""))
            made = self.engine.interfaces.add(name, mac=mac, device=self.devices[name])
            self.names[name] = made.sw_if_index
            self.engine.interfaces.set_up(made.sw_if_index)

    def resolve(self, value: Any) -> Any:
        """Put the numbers of interfaces for ``$pg0``."""
        if isinstance(value, str) and value.startswith("$"):
            return self.names[value[1:]]
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        if isinstance(value, dict):
            return {k: self.resolve(v) for k, v in value.items()}
        return value

    def call(self, name: str, **args: Any) -> None:
        """One API message. Raises `NotImplementedError` for one that this helper does not know."""
        handler = getattr(self, name, None)
        if handler is None:
            raise NotImplementedError(name)
        handler(**self.resolve(args))

    def sw_interface_add_del_address(self, sw_if_index: int, is_add: bool, prefix: str) -> None:
        """An interface's address."""
        addresses = self.engine.addresses
        (addresses.add if is_add else addresses.remove)(sw_if_index, prefix)

    def ip_neighbor_add_del(self, is_add: bool, neighbor: dict[str, Any]) -> None:
        """A neighbour."""
        index, ip = neighbor["sw_if_index"], neighbor["ip_address"]
        if is_add:
            mac = bytes.fromhex(neighbor["mac_address"].replace(":", ""))
            self.engine.neighbours.add(index, ip, mac, static=bool(neighbor.get("flags", 0) & 1))
        else:
            self.engine.neighbours.remove(index, ip)

    def ip_route_add_del(self, is_add: bool, is_multipath: bool, route: dict[str, Any]) -> None:
        """A route."""
        routes = self.engine.routes
        paths = [self._path(p) for p in route["paths"]]
        if is_add:
            (routes.add if is_multipath else routes.update)(route["prefix"], paths, route["table_id"])
        else:
            routes.remove(route["prefix"], route["table_id"], paths if is_multipath else None)

    def _path(self, path: dict[str, Any]) -> Path:
        index = path["sw_if_index"]
        return self.engine.routes.path(
            path["nh"]["address"]["ip4"],
            None if index == NONE else index,
            weight=path["weight"],
            preference=path["preference"],
            kind=KINDS[path["type"]],
        )

    def ip_table_add_del_v2(self, is_add: bool, table: dict[str, Any], create_mfib: bool = True) -> None:
        """A table."""
        routes = self.engine.routes
        if is_add:
            routes.add_table(table["table_id"], table["name"])
        else:
            routes.remove_table(table["table_id"])

    def sw_interface_set_table(self, sw_if_index: int, is_ipv6: bool, vrf_id: int) -> None:
        """The table of an interface."""
        self.engine.addresses.set_table(sw_if_index, vrf_id)

    def sw_interface_set_mtu(self, sw_if_index: int, mtu: list[int]) -> None:
        """The MTU of an interface."""
        self.engine.interfaces.set_mtu(sw_if_index, mtu[0])

    def exchange(self, sends: dict[str, list[bytes]]) -> dict[str, list[bytes]]:
        """Send frames into interfaces; the frames that every interface put out."""
        engine = self.engine
        for name, frames in sends.items():
            engine.pg.add(f"in-{name}", self.names[name], frames)
        engine.pg.enable()
        engine.run_until(engine.now + PAUSE)
        for name in sends:
            engine.pg.delete(f"in-{name}")
        return {name: [frame for _, frame in device.transmitted()] for name, device in self.devices.items()}

    def close(self) -> None:
        """Give the memory back."""
        self.engine.close()


def play(path: FilePath, **options: Any) -> list[str]:
    """Play one scenario; gives the differences."""
    spec = json.loads(path.read_text())
    data = path.with_suffix("")
    tool = parity_tool()
    target = ParityEngine(spec["interfaces"], **options)
    problems: list[str] = []
    try:
        for n, step in enumerate(spec["steps"]):
            if "api" in step:
                target.call(step["api"], **step.get("args", {}))
            elif "send" in step:
                got = target.exchange({k: frames_of(data / v) for k, v in step["send"].items()})
                want = {k: frames_of(data / v) for k, v in step["expect"].items()}
                how = step.get("compare", "ordered")
                problems += [f"step {n}: {d}" for d in tool.differences(want, got, how)]
        balance(target.engine)
    finally:
        target.close()
    return problems


def balance(engine: Engine) -> None:
    """In + generated = out + drops + consumed, and no buffer is lost.

    Raises:
        AssertionError: they are not.
    """
    plane = engine.plane
    assert report(plane).missing == 0
    lost = plane.pool.count - plane.free_buffers()
    assert lost == 0, f"{lost} buffers hold no packet and are not free"
