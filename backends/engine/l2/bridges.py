"""Bridge domains, ports and cross-connects of an engine: what `domain` describes, and the nodes' tables for it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from itertools import count
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.interfaces import ADMIN, DELETED
from vectorplane.backends.engine.l2.domain import BVI, NEW_DOMAIN, NORMAL, UU_FWD, Domain, Member, Port
from vectorplane.dataplane.interface import L2_MODE, MAX_INTERFACES
from vectorplane.graph_nodes.ethernet_input import join_l2_input
from vectorplane.graph_nodes.event_kinds import L2_ARP, L2_ND
from vectorplane.graph_nodes.l2 import features
from vectorplane.graph_nodes.l2.arp_term_l2bd import ArpTermTable
from vectorplane.graph_nodes.l2.config import (
    MAX_DOMAINS,
    MEMBER_BVI,
    MEMBER_SHG,
    MODE_BRIDGE,
    MODE_BVI,
    MODE_L3,
    MODE_XCONNECT,
    L2Config,
)
from vectorplane.graph_nodes.l2.fib import LEARN_LIMIT
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

__all__ = [
    "ARP_TERM",
    "ARP_UFWD",
    "BVI",
    "FLOOD",
    "FWD",
    "LEARN",
    "MAX_ID",
    "NORMAL",
    "UU_FLOOD",
    "UU_FWD",
    "Bridges",
    "DefaultDomain",
    "Domain",
    "DomainExists",
    "DomainInUse",
    "HasBvi",
    "Member",
    "Port",
]

Address = IPv4Address | IPv6Address

LEARN, FWD, FLOOD, UU_FLOOD, ARP_TERM, ARP_UFWD = (1 << k for k in range(6))
"""Flags of a domain, as VPP's API numbers them."""
_BITS = {
    LEARN: features.LEARN,
    FWD: features.FWD,
    FLOOD: features.FLOOD,
    UU_FLOOD: features.UU_FLOOD,
    ARP_TERM: features.ARP_TERM,
    ARP_UFWD: features.ARP_UFWD,
}
MAX_ID = (1 << 24) - 1
_PORT = (
    features.FWD
    | features.UU_FLOOD
    | features.UU_FWD
    | features.FLOOD
    | features.LEARN
    | features.ARP_UFWD
    | features.ARP_TERM
    | features.DROP
)
"""The features of a port that is bridged."""
_NOT_CROSSED = ~_PORT | features.DROP
"""What stays of a port's features when it is cross-connected: VPP leaves some of bridging, which then come first."""


class DomainExists(ValueError):
    """There is a bridge domain of that number."""


class DomainInUse(ValueError):
    """The bridge domain has ports."""


class HasBvi(ValueError):
    """The bridge domain has a BVI already."""


class DefaultDomain(ValueError):
    """Bridge domain 0 is VPP's own: where frames end that belong nowhere."""


class Bridges:
    """All bridge domains and ports of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.domains: dict[int, Domain] = {}
        self.by_index: dict[int, Domain] = {}
        self.ports: dict[int, Port] = {}
        self.default_learn_limit = LEARN_LIMIT
        self.on_arp: list[Callable[[int, Address, bytes], None]] = []
        self._own: dict[int, int] = {}
        """By interface: its own feature bits, kept while it changes between bridging and cross-connect."""
        engine.interfaces.on_change.append(self._interface_changed)
        engine.on_event(L2_ARP, self._saw_arp)
        engine.on_event(L2_ND, self._saw_nd)

    # --- domains

    def create(
        self,
        bd_id: int,
        *,
        flood: bool = True,
        uu_flood: bool = True,
        forward: bool = True,
        learn: bool = True,
        arp_term: bool = False,
        arp_ufwd: bool = False,
        mac_age: int = 0,
        tag: str = "",
    ) -> Domain:
        """A new bridge domain.

        Raises:
            DefaultDomain: number 0.
            DomainExists: there is one.
            OverflowError: a number beyond `MAX_ID`, or too many domains.
        """
        domain = self._new(bd_id)
        flags = (
            (LEARN, learn),
            (FWD, forward),
            (FLOOD, flood),
            (UU_FLOOD, uu_flood),
            (ARP_TERM, arp_term),
            (ARP_UFWD, arp_ufwd),
        )
        for flag, on in flags:
            self._flag(domain, _BITS[flag], on)
        domain.tag = tag
        self.set_mac_age(bd_id, mac_age)
        return domain

    def delete(self, bd_id: int) -> None:
        """Remove a bridge domain; its addresses go with it, those that were provisioned too.

        Raises:
            DefaultDomain: number 0.
            KeyError: there is no such domain.
            DomainInUse: it has ports.
        """
        if bd_id == 0:
            raise DefaultDomain("bridge domain 0 cannot be removed")
        domain = self[bd_id]
        if any(port.domain is domain for port in self.ports.values()):
            raise DomainInUse(f"bridge domain {bd_id} has ports")
        self.flush_ip_macs(bd_id)
        del self.domains[bd_id], self.by_index[domain.index]
        self._engine.l2fib.domain_removed(domain)
        self._config.set_flood(domain.index, ())
        self._engine.l2fib.ageing_changed()

    def __getitem__(self, bd_id: int) -> Domain:
        """A domain by its number. Raises `KeyError`."""
        if bd_id not in self.domains:
            raise KeyError(f"no bridge domain {bd_id}")
        return self.domains[bd_id]

    def unused_id(self) -> int:
        """The lowest number that no domain has."""
        return next(n for n in count(1) if n not in self.domains)

    def set_flags(self, bd_id: int, flags: int, on: bool) -> int:
        """Switch features (`LEARN` ...) on or off; gives the domain's feature bitmap. Raises `KeyError`."""
        domain = self[bd_id]
        for flag, bit in _BITS.items():
            if flags & flag:
                self._flag(domain, bit, on)
        self._write_members(domain)
        return domain.feature_bitmap

    def set_mac_age(self, bd_id: int, minutes: int) -> None:
        """Let entries that were not heard of for so long go; 0: they stay. Raises `KeyError`, `ValueError`."""
        if not 0 <= minutes <= 255:
            raise ValueError(f"bridge domain {bd_id}: an age of {minutes} is not within 0 to 255 minutes")
        domain = self[bd_id]
        domain.mac_age = minutes
        self._write_members(domain)
        self._engine.l2fib.ageing_changed()

    def set_learn_limit(self, bd_id: int, limit: int) -> None:
        """The most addresses that the domain learns. Raises `KeyError`."""
        domain = self[bd_id]
        domain.learn_limit = limit
        self._config.domains[domain.index]["learn_limit"] = limit

    def learn_count(self, domain: Domain) -> int:
        """Addresses that the domain has learnt, as counted since the last scan."""
        return int(self._config.domains[domain.index]["learn_count"])

    def raise_sequence(self, domain: Domain) -> None:
        """What the domain has learnt so far is stale from now on."""
        domain.seq = (domain.seq + 1) & 0xFF
        self._write_members(domain)

    # --- ports

    def port(self, sw_if_index: int) -> Port | None:
        """An interface's place in L2; None when it is in L3 mode."""
        return self.ports.get(sw_if_index)

    def attach(self, sw_if_index: int, bd_id: int, port_type: int = NORMAL, shg: int = 0) -> None:
        """Make an interface a port of a bridge domain, which is made when it is missing (as in VPP).

        Raises:
            KeyError: no such interface.
            HasBvi: it is to be the BVI of a domain that has one; as in VPP it is then no port of any domain.
            OverflowError: see `create`.
        """
        interface = self._engine.interfaces[sw_if_index]
        domain = self.domains.get(bd_id)
        if domain is None:
            domain = self._new(bd_id)
        self._leave(sw_if_index)
        if port_type == BVI and domain.bvi >= 0:
            self._to_l3(sw_if_index)
            raise HasBvi(f"bridge domain {bd_id} has a BVI already")
        port = Port(sw_if_index, domain, shg=shg, port_type=port_type)
        own = (self._own.get(sw_if_index, 0) | _PORT) & ~features.XCONNECT
        flood_class = interface.device.flood_class
        if port_type == BVI:
            domain.bvi = sw_if_index
            own &= ~features.LEARN
            flood_class = "bvi"
        elif port_type == UU_FWD:
            domain.uu_fwd = sw_if_index
            self._config.domains[domain.index]["uu_fwd"] = sw_if_index
            self._flag(domain, features.UU_FWD, True)
        elif interface.device.looped:
            flood_class = "none"  # it would all come back
        self._own[sw_if_index] = own
        self.ports[sw_if_index] = port
        self._raise_port(sw_if_index)
        if port_type != UU_FWD:
            domain.insert(Member(sw_if_index, shg, port_type == BVI, flood_class))
        self._to_l2(port)
        if port_type == BVI:
            self._engine.l2fib.add(bd_id, interface.mac, sw_if_index, static=True, bvi=True)
        self._write_members(domain)

    def xconnect(self, rx: int, tx: int) -> None:
        """Let all that arrives on ``rx`` leave by ``tx``. Raises `KeyError`."""
        _ = self._engine.interfaces[rx], self._engine.interfaces[tx]
        self._leave(rx)
        self._own[rx] = (self._own.get(rx, 0) | features.DROP | features.XCONNECT) & _NOT_CROSSED
        self.ports[rx] = Port(rx, xconnect=tx)
        self._to_l2(self.ports[rx])
        # frames may leave by an interface that is not in L2 mode itself
        self._map_output(tx)

    def detach(self, sw_if_index: int) -> None:
        """Back to L3. Raises `KeyError`."""
        _ = self._engine.interfaces[sw_if_index]
        self._leave(sw_if_index)
        self._to_l3(sw_if_index)

    def set_port_features(self, sw_if_index: int, bits: int, on: bool) -> int:
        """Switch bits of an interface's own feature bitmap on or off; gives it."""
        own = self._own.get(sw_if_index, 0)
        own = own | bits if on else own & ~bits
        self._own[sw_if_index] = own
        self._config.inputs[sw_if_index]["feature_bitmap"] = signed(own, 32)
        return own

    def port_features(self, sw_if_index: int) -> int:
        """An interface's own feature bits."""
        return self._own.get(sw_if_index, 0)

    def set_output_features(self, sw_if_index: int, bits: int, on: bool) -> int:
        """The same for what leaves by it."""
        record = self._config.outputs[sw_if_index]
        now = int(record["feature_bitmap"]) & 0xFFFFFFFF
        now = now | bits if on else now & ~bits
        record["feature_bitmap"] = signed(now, 32)
        self.write_plain(sw_if_index)
        return now

    def raise_port_sequence(self, sw_if_index: int) -> None:
        """What was learnt on a port so far is stale from now on."""
        self._raise_port(sw_if_index)
        port = self.ports.get(sw_if_index)
        if port is not None:
            self._write_port(port)

    def sequence(self, sw_if_index: int) -> int:
        """A port's sequence number."""
        return int(self._config.inputs[sw_if_index]["seq"])

    def write_plain(self, sw_if_index: int) -> None:
        """Say whether a port has anything to do to what leaves by it."""
        record = self._config.outputs[sw_if_index]
        busy = (
            int(record["feature_bitmap"]) & ~features.OUT_OUTPUT
            or record["out_push"]
            or record["out_pop"]
            or not record["next"]
        )
        record["plain"] = not busy

    # --- addresses that the domain answers for

    def set_ip_mac(self, bd_id: int, address: Address, mac: bytes) -> None:
        """Answer for an address in a domain. Raises `KeyError`; `HashMapFull` when there are too many."""
        domain = self[bd_id]
        self._arp.map.set(_arp_key(domain, address), int.from_bytes(mac, "little"))
        domain.ip_macs[address] = mac

    def remove_ip_mac(self, bd_id: int, address: Address, mac: bytes) -> bool:
        """Answer no longer; False when the domain did not, or with another MAC. Raises `KeyError`."""
        domain = self[bd_id]
        if domain.ip_macs.get(address) != mac:
            return False
        del domain.ip_macs[address]
        self._arp.map.delete(_arp_key(domain, address))
        return True

    def flush_ip_macs(self, bd_id: int) -> None:
        """Answer for no address. Raises `KeyError`."""
        domain = self[bd_id]
        for address in list(domain.ip_macs):
            self._arp.map.delete(_arp_key(domain, address))
        domain.ip_macs.clear()

    def watch_arp(self, callback: Callable[[int, Address, bytes], None], on: bool = True) -> None:
        """Call ``callback(sw_if_index, address, mac)`` for addresses that ARP termination sees, or no longer."""
        if on and callback not in self.on_arp:
            self.on_arp.append(callback)
        elif not on and callback in self.on_arp:
            self.on_arp.remove(callback)
        self._arp.watch(bool(self.on_arp))

    # --- events

    def mac_changed(self, sw_if_index: int, old: bytes, new: bytes) -> None:
        """A BVI has another MAC address."""
        port = self.ports.get(sw_if_index)
        if port is not None and port.is_bvi and port.domain is not None:
            self._engine.l2fib.forget(port.domain, old, sw_if_index)
            self._engine.l2fib.add(port.domain.id, new, sw_if_index, static=True, bvi=True)

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what == DELETED:
            for port in list(self.ports.values()):
                if port.xconnect == sw_if_index or port.sw_if_index == sw_if_index:
                    self.detach(port.sw_if_index)
            self._own.pop(sw_if_index, None)
            if self.ports or self.domains:
                self._forget_output(sw_if_index)
        elif what == ADMIN and not self._engine.interfaces.is_up(sw_if_index):
            silent = self.ports.get(sw_if_index)
            if silent is not None and silent.domain is not None:
                self._engine.l2fib.flush_interface(sw_if_index)

    def _saw_arp(self, event: Any) -> None:
        self._tell(event, IPv4Address(int(event["data"][0])), int(event["data"][1]))

    def _saw_nd(self, event: Any) -> None:
        raw = b"".join(int(word).to_bytes(8, "little", signed=True) for word in event["data"][:2])
        self._tell(event, IPv6Address(raw), int(event["data"][2]))

    def _tell(self, event: Any, address: Address, mac: int) -> None:
        for callback in list(self.on_arp):
            callback(int(event["sw_if_index"]), address, mac.to_bytes(6, "little"))

    # --- inner works

    @property
    def _config(self) -> L2Config:
        return self._engine.plane.shared(L2Config)

    @property
    def _arp(self) -> ArpTermTable:
        return self._engine.plane.shared(ArpTermTable)

    def _new(self, bd_id: int) -> Domain:
        if bd_id == 0:
            raise DefaultDomain("bridge domain 0 cannot be made")
        if bd_id in self.domains:
            raise DomainExists(f"bridge domain {bd_id} exists")
        if bd_id > MAX_ID:
            raise OverflowError(f"bridge domain {bd_id}: the highest number is {MAX_ID}")
        index = next(n for n in count(1) if n not in self.by_index)
        if index >= MAX_DOMAINS:
            raise OverflowError(f"more than {MAX_DOMAINS - 1} bridge domains")
        seq = self._engine.l2fib.last_sequence(index)
        domain = Domain(bd_id, index, self.default_learn_limit, NEW_DOMAIN, seq=seq)
        self.domains[bd_id] = self.by_index[index] = domain
        record = self._config.domains[index]
        record["learn_count"], record["learn_limit"], record["uu_fwd"] = 0, domain.learn_limit, -1
        return domain

    def _flag(self, domain: Domain, bit: int, on: bool) -> None:
        domain.feature_bitmap = domain.feature_bitmap | bit if on else domain.feature_bitmap & ~bit

    def _raise_port(self, sw_if_index: int) -> None:
        record = self._config.inputs[sw_if_index]
        record["seq"] = (int(record["seq"]) + 1) & 0xFF

    def _leave(self, sw_if_index: int) -> None:
        """Undo what an interface is in L2, if it is anything."""
        port = self.ports.pop(sw_if_index, None)
        if port is None or port.domain is None:
            return
        domain = port.domain
        domain.members = [m for m in domain.members if m.sw_if_index != sw_if_index]
        if domain.bvi == sw_if_index:
            domain.bvi = -1
            self._engine.l2fib.forget(domain, self._engine.interfaces[sw_if_index].mac, sw_if_index)
        if domain.uu_fwd == sw_if_index:
            domain.uu_fwd = -1
            self._config.domains[domain.index]["uu_fwd"] = -1
            self._flag(domain, features.UU_FWD, False)
        self._engine.l2fib.flush_interface(sw_if_index)
        self._write_members(domain)

    def _to_l2(self, port: Port) -> None:
        join_l2_input(self._engine.plane)
        self._map_output(port.sw_if_index)
        record = self._config.outputs[port.sw_if_index]
        record["shg"] = port.shg
        record["feature_bitmap"] = signed((int(record["feature_bitmap"]) & 0xFFFFFFFF) | features.OUT_OUTPUT, 32)
        self.write_plain(port.sw_if_index)
        self._write_port(port)
        self._engine.l2_features.joins_l2(port.sw_if_index)
        self._set_mode(port.sw_if_index, True)

    def _to_l3(self, sw_if_index: int) -> None:
        if sw_if_index not in self._own:
            return
        self._set_mode(sw_if_index, False)
        self._own[sw_if_index] = features.DROP
        record = self._config.inputs[sw_if_index]
        record["mode"], record["bd_word"], record["group_word"] = MODE_L3, 0, 0
        record["feature_bitmap"] = features.DROP
        self._forget_output(sw_if_index)
        self._engine.tag_rewrites.forget(sw_if_index)

    def _set_mode(self, sw_if_index: int, on: bool) -> None:
        interfaces = self._engine.interfaces
        record = interfaces.record(sw_if_index)
        flags = int(record["flags"])
        record["flags"] = flags | L2_MODE if on else flags & ~L2_MODE
        if on:
            interfaces[sw_if_index].device.joins_l2()

    def _map_output(self, sw_if_index: int) -> None:
        graph = self._engine.plane.graph
        output = graph.nodes[int(self._engine.interfaces.record(sw_if_index)["output_node"])]
        self._config.outputs[sw_if_index]["next"] = graph.add_next(graph.add("l2-output"), output.name)
        self.write_plain(sw_if_index)

    def _forget_output(self, sw_if_index: int) -> None:
        self._config.outputs[sw_if_index] = 0

    def _write_members(self, domain: Domain) -> None:
        """The domain's list of members, and what its ports keep of it."""
        flooded = domain.members[: domain.flood_count]
        words = [m.sw_if_index | m.shg << MEMBER_SHG | (MEMBER_BVI if m.is_bvi else 0) for m in reversed(flooded)]
        self._config.set_flood(domain.index, words)
        for port in self.ports.values():
            if port.domain is domain:
                self._write_port(port)

    def _write_port(self, port: Port) -> None:
        record = self._config.inputs[port.sw_if_index]
        record["feature_bitmap"] = signed(self._own.get(port.sw_if_index, 0), 32)
        if port.domain is None:
            record["output"], record["group_word"] = port.xconnect, 0
            record["mode"] = MODE_XCONNECT
            return
        domain = port.domain
        record["bd_feature_bitmap"] = signed(domain.feature_bitmap, 32)
        record["bd_word"] = signed(domain.index | (domain.seq << 8 | int(record["seq"])) << 16, 32)
        record["group_word"] = port.shg << 8 | (domain.mac_age != 0) << 16
        record["mode"] = MODE_BRIDGE | (MODE_BVI if port.is_bvi else 0)


def _arp_key(domain: Domain, address: Address) -> tuple[int, int, int]:
    """As ARP termination looks it up: words as a little-endian load sees them."""
    raw = address.packed
    if address.version == 4:
        return domain.index << 1, 0, int.from_bytes(raw, "little")
    high, low = (int.from_bytes(raw[k : k + 8], "little", signed=True) for k in (0, 8))
    return domain.index << 1 | 1, high, low


assert MAX_INTERFACES <= 1 << MEMBER_SHG
