"""The memory of NAT44 that the control side writes: settings, address pools, mappings, what interfaces are.

Arguments are numbers in host order; memory has them as they stand in packets. No worker may be dispatching meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Bump, Region
from vectorplane.dataplane.tables.hash_map import HashMap
from vectorplane.graph_nodes.fib import MAX_FIBS, Fibs
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.nat44.counters import NatCounters
from vectorplane.graph_nodes.nat44.nat import (
    AFFINITY,
    AFFINITY_POOL,
    AFFINITY_RECORDS,
    AFFINITY_SIZE,
    LIST,
    LISTS_SIZE,
    LOCAL,
    LOCAL_SIZE,
    MAPPING,
    MAPPING_SIZE,
    NAT,
    POOL,
    POOL_SIZE,
    ROLE_OUTPUT,
    ROLE_OUTSIDE,
    VRF_TABLE,
    VRF_TABLE_SIZE,
)
from vectorplane.graph_nodes.nat44.session import (
    COLD_SIZE,
    HALF_SIZE,
    ICMP,
    TCP_ESTABLISHED,
    TCP_TRANSITORY,
    UDP,
    UNKNOWN,
)
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

SECOND = 1_000_000_000
MOST_SESSIONS = 1 << 24
MOST_ADDRESSES = 1 << 16
MOST_MAPPINGS = 1 << 20
MOST_LOCALS = 1 << 20
MOST_AFFINITIES = 1 << 18
FIRST_BUCKETS, MOST_AT_FIRST = 1 << 10, 1 << 16
"""Buckets of the flow table as long as few sessions are there: by how many there may be."""
_SEED = 0x6A09E667F3BCC909


def swap16(port: int) -> int:
    """A port as a little-endian load of it in a packet gives it, or back."""
    return (port & 0xFF) << 8 | port >> 8


def swap32(address: int) -> int:
    """The same of an address; unsigned."""
    return int.from_bytes(address.to_bytes(4, "big"), "little")


def mapping_key(i2o: bool, address: int, port: int, fib: int, proto: int) -> tuple[int, int]:
    """The key that a mapping is found by: by its local address (in2out) or by its external one."""
    if i2o:
        return swap32(address), signed(swap16(port) << 32 | fib << 8 | proto)
    return signed(swap32(address) << 32), signed(swap16(port) << 48 | fib << 8 | proto)


class NatTables:
    """See the module's docstring. `address` is what nodes are given; `settings` is a record of `NAT`."""

    def __init__(self, plane: Dataplane) -> None:
        workers = plane.graph.workers
        sizes = {
            "nat": NAT.itemsize,
            "lists": LISTS_SIZE * workers,
            "limits": 4 * MAX_FIBS,
            "pool": POOL_SIZE * MOST_ADDRESSES,
            "twice_pool": POOL_SIZE * MOST_ADDRESSES,
            "outside_fibs": 4 * MAX_FIBS,
            "vrf_tables": VRF_TABLE_SIZE * MAX_FIBS,
            "vrf_routes": 4 * MAX_FIBS * 16,
            "roles": MAX_INTERFACES,
            "mappings": MAPPING_SIZE * MOST_MAPPINGS,
            "locals": LOCAL_SIZE * MOST_LOCALS,
            "affinity_pool": AFFINITY_RECORDS + AFFINITY_SIZE * MOST_AFFINITIES,
        }
        self._region = Region(sum(sizes.values()) + 64 * len(sizes) + 4096, name="nat44 tables")
        bump = Bump(self._region)
        at = {name: bump.take(size, align=64) for name, size in sizes.items()}
        self.address = at["nat"]
        """Where `NAT` is."""

        def view(name: str, dtype: Any, count: int) -> npt.NDArray[Any]:
            return self._region.view(np.dtype(dtype), at[name] - self._region.address, count)

        self.settings: Any = view("nat", NAT, 1)[0]
        self._limits = view("limits", "i4", MAX_FIBS)
        self._pools = (view("pool", POOL, MOST_ADDRESSES), view("twice_pool", POOL, MOST_ADDRESSES))
        self._outside_fibs = view("outside_fibs", "i4", MAX_FIBS)
        self._vrf_tables = view("vrf_tables", VRF_TABLE, MAX_FIBS)
        self._vrf_routes = view("vrf_routes", "i4", MAX_FIBS * 16)
        self.roles: npt.NDArray[np.uint8] = view("roles", "u1", MAX_INTERFACES)
        """By interface: ROLE_* bits."""
        self.mappings = view("mappings", MAPPING, MOST_MAPPINGS)
        self._locals = view("locals", LOCAL, MOST_LOCALS)
        self.lists = view("lists", LIST, workers * LISTS_SIZE // LIST.itemsize)
        self.affinity_head = view("affinity_pool", AFFINITY_POOL, 1)[0]
        self.affinity_records = self._region.view(
            AFFINITY, at["affinity_pool"] + AFFINITY_RECORDS - self._region.address, MOST_AFFINITIES
        )
        self._map = HashMap(1 << 16, 2, "nat44 mappings", seed=0x4A54)
        self._own = HashMap(1 << 12, 1, "nat44 interface addresses", seed=0x4A55)
        self._affinities = HashMap(MOST_AFFINITIES, 2, "nat44 affinity", seed=0x4A56)
        self._own_of: dict[int, list[int]] = {}
        self._runs: dict[int, tuple[int, int]] = {}
        self._free_runs: dict[int, list[int]] = {}
        self._top_local = 0
        self._plane = plane
        self.halves = Region(2 * HALF_SIZE * MOST_SESSIONS, name="nat44 sessions", huge=True)
        self.colds = Region(COLD_SIZE * MOST_SESSIONS, name="nat44 session lists")
        state = self.settings
        for name in sizes:
            if name != "nat":
                state[name] = at[name]
        state["static_map"], state["own_addresses"] = self._map.address, self._own.address
        state["affinities"] = self._affinities.address
        self.affinity_head["free"], self.affinity_head["capacity"] = -1, MOST_AFFINITIES
        fibs, forwarding = plane.shared(Fibs), plane.shared(Forwarding)
        state["roots"], state["plies"] = fibs.roots_address, fibs.plies_address
        state["lbs"], state["buckets"] = forwarding.lb_address, forwarding.bucket_address
        state["adjacencies"] = forwarding.adj_address
        state["halves"], state["colds"] = self.halves.address, self.colds.address
        state["most"], state["free"], state["workers"] = MOST_SESSIONS, -1, workers
        state["seed"] = signed(_SEED)
        state["total"] = plane.shared(NatCounters).total_sessions.addresses[0]
        self.lists["head"] = self.lists["tail"] = -1
        self._limits[0], state["n_limits"] = 63 * 1024, 1
        self.set_timeouts(300, 7440, 240, 60)

    # --- settings

    def set_timeouts(self, udp: int, tcp_established: int, tcp_transitory: int, icmp: int) -> None:
        """How long sessions may be silent, in seconds. A protocol without ports: as UDP."""
        kinds = {
            UDP: udp,
            UNKNOWN: udp,
            TCP_ESTABLISHED: tcp_established,
            TCP_TRANSITORY: tcp_transitory,
            ICMP: icmp,
        }
        for kind, seconds in kinds.items():
            self.settings["timeouts"][kind] = seconds * SECOND

    def set_limits(self, limits: Sequence[int]) -> None:
        """The most sessions by FIB index; packets of other FIBs have the first one's."""
        self._limits[: len(limits)] = [min(limit, MOST_SESSIONS) for limit in limits]
        self.settings["n_limits"] = len(limits)

    # --- addresses

    def set_pool(self, twice: bool, addresses: Sequence[tuple[int, int, int, int]]) -> None:
        """All addresses of the pool, or of twice-NAT's: address, FIB (-1: any), and the interface whose address it is,
        with its prefix length (-1: none's).

        Raises:
            OverflowError: there are too many.
        """
        if len(addresses) > MOST_ADDRESSES:
            raise OverflowError(f"{len(addresses)} NAT addresses: at most {MOST_ADDRESSES} are possible")
        pool = self._pools[int(twice)]
        for k, (address, fib, sw_if_index, length) in enumerate(addresses):
            mask = 0 if length < 0 else ~((1 << 32 - length) - 1) & 0xFFFFFFFF
            record = pool[k]
            record["address"], record["fib"] = signed(swap32(address), 32), fib
            record["sw_if"], record["bound"] = sw_if_index, int(length >= 0)
            record["net"], record["mask"] = signed(swap32(address & mask), 32), signed(swap32(mask), 32)
        self.settings["n_twice_pool" if twice else "n_pool"] = len(addresses)

    def set_interface_addresses(self, sw_if_index: int, addresses: Sequence[int]) -> None:
        """The own addresses of an interface that NAT is on; none: forget it."""
        for address in self._own_of.pop(sw_if_index, ()):
            self._own.delete((sw_if_index << 32 | swap32(address),))
        for address in addresses:
            self._own.set((sw_if_index << 32 | swap32(address),), 1)
        if addresses:
            self._own_of[sw_if_index] = list(addresses)

    # --- interfaces and FIBs

    def _set_roles(self, interfaces: Sequence[int], role: int) -> None:
        self.roles &= ~np.uint8(role)
        self.roles[list(interfaces)] |= np.uint8(role)

    def set_outside_interfaces(self, interfaces: Sequence[int]) -> None:
        """The interfaces that are outside, those of the output feature not among them."""
        self._set_roles(interfaces, ROLE_OUTSIDE)

    def set_output_interfaces(self, interfaces: Sequence[int]) -> None:
        """The interfaces whose output feature NAT is."""
        self._set_roles(interfaces, ROLE_OUTPUT)

    def set_outside_fibs(self, fibs: Sequence[int]) -> None:
        """The FIBs of outside interfaces, each once, in the order in which they came."""
        self._outside_fibs[: len(fibs)] = list(fibs)
        self.settings["n_outside_fibs"] = len(fibs)

    def set_vrf_tables(self, tables: Sequence[tuple[int, Sequence[int]]]) -> None:
        """FIBs that have routes to other FIBs of their own, with these.

        Raises:
            OverflowError: there are too many.
        """
        first = 0
        for k, (fib, others) in enumerate(tables):
            if first + len(others) > len(self._vrf_routes):
                raise OverflowError("too many routes between VRFs")
            self._vrf_routes[first : first + len(others)] = list(others)
            self._vrf_tables[k] = (fib, first, len(others), 0)
            first += len(others)
        self.settings["n_vrf_tables"] = len(tables)

    # --- mappings

    def write_mapping(
        self,
        index: int,
        local: int,
        external: int,
        local_port: int,
        external_port: int,
        proto: int,
        fib: int,
        flags: int,
        pool_address: int = 0,
        affinity: int = 0,
        backends: Sequence[tuple[int, int, int, int]] = (),
    ) -> None:
        """A mapping, new or changed; ``affinity`` in seconds, ``backends``: address, port, its probability added to
        those of the ones before it, FIB.

        Raises:
            OverflowError: there are too many.
        """
        if index >= MOST_MAPPINGS:
            raise OverflowError(f"more than {MOST_MAPPINGS} NAT mappings")
        first = self._run(index, len(backends))
        for k, (address, port, prefix, backend_fib) in enumerate(backends):
            self._locals[first + k] = (signed(swap32(address), 32), swap16(port), prefix, backend_fib)
        record = self.mappings[index]
        record["local"], record["external"] = signed(swap32(local), 32), signed(swap32(external), 32)
        record["pool_address"] = signed(swap32(pool_address), 32)
        record["local_port"], record["external_port"] = swap16(local_port), swap16(external_port)
        record["proto"], record["fib"], record["flags"] = proto, fib, flags
        record["first_local"], record["n_locals"] = first, len(backends)
        record["affinity"] = affinity * SECOND

    def _run(self, index: int, n: int) -> int:
        first, room = self._runs.get(index, (0, 0))
        if n <= room:
            return first
        if room:
            self._free_runs.setdefault(room, []).append(first)
        size = 1 << (n - 1).bit_length()
        free = self._free_runs.get(size)
        if free:
            first = free.pop()
        else:
            first = self._top_local
            if first + size > MOST_LOCALS:
                raise OverflowError(f"more than {MOST_LOCALS} backends of NAT services")
            self._top_local += size
        self._runs[index] = (first, size)
        return first

    def erase_mapping(self, index: int) -> None:
        """A mapping is gone; its keys have been deleted."""
        first, room = self._runs.pop(index, (0, 0))
        if room:
            self._free_runs.setdefault(room, []).append(first)
        self.flush_affinity(index)
        self.mappings[index]["flags"] = self.mappings[index]["n_locals"] = 0

    def add_key(self, i2o: bool, address: int, port: int, fib: int, proto: int, index: int) -> None:
        """Have a mapping found by its local (``i2o``) or external address, instead of the one that was.

        Raises:
            HashMapFull: there is no room.
        """
        key = mapping_key(i2o, address, port, fib, proto)
        if self._map.get(key) is None:
            self.settings["n_mappings"] += 1
            if int(self.settings["n_mappings"]) * 4 > self._map.capacity * 3:
                self._grow()
        self._map.set(key, index)

    def _grow(self) -> None:
        bigger = HashMap(self._map.capacity * 4, 2, "nat44 mappings", seed=0x4A54)
        for rows in self._map.chunks():
            bigger.load(rows)
        self._plane.epochs.retire(self._map.close)
        self._map = bigger
        self.settings["static_map"] = bigger.address

    def delete_key(self, i2o: bool, address: int, port: int, fib: int, proto: int) -> bool:
        """It is found by it no more; False: there was none."""
        gone = self._map.delete(mapping_key(i2o, address, port, fib, proto)) is not None
        if gone:
            self.settings["n_mappings"] -= 1
        return gone

    def find_key(self, i2o: bool, address: int, port: int, fib: int, proto: int) -> int | None:
        """The number of the mapping that is found by it."""
        return self._map.get(mapping_key(i2o, address, port, fib, proto))

    def flush_affinity(self, index: int) -> None:
        """Clients of a mapping may have any backend again."""
        self.mappings[index]["generation"] += 1

    def close(self) -> None:
        """Give the memory back."""
        for it in (self._map, self._own, self._affinities, self._region, self.halves, self.colds):
            it.close()
