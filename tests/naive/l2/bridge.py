"""A whole bridge in dictionaries: ports, domains, tags and addresses; one frame after the other, as VPP would take it.

What VPP's nodes do is in the other files of this folder; here they are put together, with what VPP's control side
(``set_int_l2_mode``, ``bd_add_del``, ``l2fib_*``, ``l2vtr_configure``) changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tests.naive.ethernet_input import Sub, ethernet_input
from tests.naive.l2.arp_term import Address, arp_term
from tests.naive.l2.features import INPUT, OUTPUT, bits
from tests.naive.l2.flood import Member, Members, wanted
from tests.naive.l2.header import to_bvi
from tests.naive.l2.l2_input import Port as InputPort
from tests.naive.l2.l2_input import l2_input
from tests.naive.l2.l2_output import OutputPort, l2_output
from tests.naive.l2.mac_table import Entry, MacTable, Seen
from tests.naive.l2.tags import Rewrite, belongs, both_ways, rewrite

NORMAL, BVI, UU_FWD = range(3)
BRIDGED = bits("FWD", "UU_FLOOD", "UU_FWD", "FLOOD", "LEARN", "ARP_UFWD", "ARP_TERM", "DROP")
NEW_DOMAIN = ~bits("ARP_TERM", "UU_FWD", "ARP_UFWD")
FLAGS = ("LEARN", "FWD", "FLOOD", "UU_FLOOD", "ARP_TERM", "ARP_UFWD")
"""Of a domain, by bit, as in VPP's API."""
EFP_FILTER = bits("EFP_FILTER", of=OUTPUT)
THERE = frozenset(
    {"feature-bitmap-drop", "l2-output", "l2-flood", "l2-uu-fwd", "arp-term-l2bd", "l2-fwd", "l2-learn"}
    | {"l2-input-vtr", "interface-output", "l2-efp-filter"}
)
BVI_FORWARDED = {"mac": "BVI L3 MAC mismatch", "ethertype": "BVI packet with unhandled ethertype"}
BVI_FLOODED = {"mac": "BVI L3 mac mismatch", "ethertype": "BVI packet with unhandled ethertype"}


@dataclass
class Interface:
    """An interface of Ethernet frames; ``sub``: what it takes of its super-interface's, when it is a part of one."""

    index: int
    sup: int
    mac: bytes
    up: bool = True
    sub: Sub | None = None
    flood: str = "normal"


@dataclass
class Domain:
    """One bridge domain."""

    id: int
    index: int
    seq: int
    features: int = NEW_DOMAIN
    mac_age: int = 0
    bvi: int = -1
    uu_fwd: int = -1
    members: Members = field(default_factory=Members)
    known: dict[Address, bytes] = field(default_factory=dict)


class Port(NamedTuple):
    """An interface in L2 mode."""

    domain: Domain | None
    shg: int = 0
    kind: int = NORMAL
    xconnect: int = -1


@dataclass
class Result:
    """What became of a frame: what left by which interface, what L3 got of which BVI, reasons of drops."""

    sent: list[tuple[int, bytes]] = field(default_factory=list)
    to_l3: list[tuple[int, bytes]] = field(default_factory=list)
    drops: Counter[str] = field(default_factory=Counter)
    seen: list[tuple[int, Address, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Travelling:
    """A frame under way."""

    frame: bytes
    length: int
    rx: int
    shg: int
    features: int
    minute: int
    tx: int = -1


class NaiveBridge:
    """All of it. Methods are called with what is right; what is wrong is the caller's to know."""

    def __init__(self) -> None:
        self.interfaces: dict[int, Interface] = {}
        self.domains: dict[int, Domain] = {}
        self.ports: dict[int, Port] = {}
        self.own: dict[int, int] = {}
        self.output: dict[int, int] = {}
        """Features of what leaves by an interface; of those that frames can leave by."""
        self.rewrites: dict[int, tuple[Rewrite, Rewrite]] = {}
        self.seqs: Counter[int] = Counter()
        self.table = MacTable(limit_updates=False)
        self.last_seqs: dict[int, int] = {}
        self.sweep_due = False
        """Something was flushed since the last sweep."""

    # --- configuration

    def create(self, bd_id: int) -> Domain:
        """A new domain, with the lowest index that is free."""
        used = {d.index for d in self.domains.values()}
        index = next(n for n in range(1, 1000) if n not in used)
        self.domains[bd_id] = made = Domain(bd_id, index, self.last_seqs.get(index, 0))
        return made

    def delete(self, bd_id: int) -> None:
        """It goes, with all its addresses."""
        domain = self.domains.pop(bd_id)
        self.last_seqs[domain.index] = (domain.seq + 1) % 256
        for key in [k for k in self.table.entries if k[0] == domain.index]:
            del self.table.entries[key]
        del self.table.learnt[domain.index]

    def set_flags(self, bd_id: int, flags: int, on: bool) -> None:
        """Features of a domain, numbered as in VPP's API."""
        named = bits(*(name for k, name in enumerate(FLAGS) if flags >> k & 1))
        domain = self.domains[bd_id]
        domain.features = domain.features | named if on else domain.features & ~named

    def attach(self, index: int, bd_id: int, kind: int = NORMAL, shg: int = 0) -> bool:
        """An interface becomes a port; False: the domain has a BVI already, and it is none at all now."""
        domain = self.domains.get(bd_id) or self.create(bd_id)
        self._leave(index)
        if kind == BVI and domain.bvi >= 0:
            self._to_l3(index)
            return False
        self.ports[index] = Port(domain, shg, kind)
        self.seqs[index] = (self.seqs[index] + 1) % 256
        self.own[index] = (self.own.get(index, 0) | BRIDGED) & ~bits("XCONNECT")
        self.output[index] = self.output.get(index, 0) | 1
        flood = self.interfaces[index].flood
        if kind == UU_FWD:
            domain.uu_fwd = index
            domain.features |= bits("UU_FWD")
            return True
        if kind == BVI:
            domain.bvi = index
            self.own[index] &= ~bits("LEARN")
            self.add(domain, self.interfaces[index].mac, Entry(index, True, True, True))
        domain.members.add(Member(index, shg, kind == BVI, "bvi" if kind == BVI else flood))
        return True

    def xconnect(self, rx: int, tx: int) -> None:
        """All that arrives on one leaves by the other."""
        self._leave(rx)
        self.ports[rx] = Port(None, xconnect=tx)
        self.own[rx] = (self.own.get(rx, 0) & ~BRIDGED) | bits("XCONNECT", "DROP")
        for index in (rx, tx):
            self.output[index] = self.output.get(index, 0) | 1

    def detach(self, index: int) -> None:
        """Back to L3."""
        self._leave(index)
        self._to_l3(index)

    def remove(self, index: int) -> None:
        """An interface goes."""
        for other in [k for k, p in self.ports.items() if index in (k, p.xconnect)]:
            self.detach(other)
        for gone in (self.interfaces, self.own, self.output, self.rewrites):
            gone.pop(index, None)  # type: ignore[attr-defined]

    def set_up(self, index: int, up: bool) -> None:
        """Up or down; what was learnt on a port that goes down is forgotten."""
        went_down = self.interfaces[index].up and not up
        self.interfaces[index].up = up
        if went_down and index in self.ports and self.ports[index].domain is not None:
            self.flush_interface(index)

    def set_rewrite(self, index: int, op: int, dot1q: bool, tag1: int, tag2: int) -> None:
        """A tag rewrite; op 0: none."""
        self.rewrites[index] = both_ways(op, dot1q, tag1, tag2, self.interfaces[index].sub)
        own = self.own.get(index, 0)
        self.own[index] = own | bits("VTR") if op else own & ~bits("VTR")

    def set_efp_filter(self, index: int, on: bool) -> None:
        """Of a port."""
        self.output[index] = (self.output[index] & ~EFP_FILTER) | (EFP_FILTER if on else 0)

    def _leave(self, index: int) -> None:
        port = self.ports.pop(index, None)
        if port is None or port.domain is None:
            return
        domain = port.domain
        domain.members.remove(index)
        if domain.bvi == index:
            domain.bvi = -1
            entry = self.table.entries.get((domain.index, self.interfaces[index].mac))
            if entry is not None and entry.interface == index:
                self.forget(domain, self.interfaces[index].mac)
        if domain.uu_fwd == index:
            domain.uu_fwd = -1
            domain.features &= ~bits("UU_FWD")
        self.flush_interface(index)

    def _to_l3(self, index: int) -> None:
        if index not in self.own:
            return
        self.own[index] = bits("DROP")
        self.output.pop(index, None)
        self.rewrites.pop(index, None)

    # --- addresses

    def add(self, domain: Domain, mac: bytes, entry: Entry) -> None:
        """A provisioned entry takes the place of any other."""
        old = self.table.entries.get((domain.index, mac))
        if old is not None and not old.age_not:
            self.table.learnt[domain.index] -= 1
        self.table.entries[domain.index, mac] = entry

    def forget(self, domain: Domain, mac: bytes) -> None:
        """An entry goes."""
        old = self.table.entries.pop((domain.index, mac), None)
        if old is not None and not old.age_not:
            self.table.learnt[domain.index] -= 1

    def flush_interface(self, index: int) -> None:
        """What was learnt on it is stale."""
        self.sweep_due = True
        self.seqs[index] = (self.seqs[index] + 1) % 256

    def flush_domain(self, bd_id: int) -> None:
        """What it has learnt is stale."""
        self.sweep_due = True
        self.domains[bd_id].seq = (self.domains[bd_id].seq + 1) % 256

    def sweep(self, minute: int) -> list[tuple[bytes, int]]:
        """Entries that are stale or too old go, at this minute; gives them."""
        self.sweep_due = False
        by_index = {d.index: d for d in self.domains.values()}
        gone = []
        for (index, mac), e in list(self.table.entries.items()):
            domain = by_index[index]
            stale = e.sn != (domain.seq, self.seqs[e.interface])
            old = domain.mac_age and (minute - e.minute) % 256 >= domain.mac_age
            if not e.age_not and (stale or old):
                self.forget(domain, mac)
                gone.append((mac, e.interface))
        return gone

    # --- frames

    def subs(self, sup: int) -> list[Sub]:
        """The sub-interfaces of an interface, each in its mode."""
        parts = [i for i in self.interfaces.values() if i.sup == sup and i.sub is not None]
        return [replace(i.sub, up=i.up, l2=i.index in self.ports) for i in parts if i.sub is not None]

    def receive(self, index: int, frame: bytes, minute: int = 0) -> Result:
        """A frame arrives at an interface that is up and no part of another."""
        result = Result()
        interface = self.interfaces[index]
        found = ethernet_input(frame, index, interface.mac, False, self.subs(index), index in self.ports)
        if found.next != "l2-input":
            if found.error is not None:
                result.drops[found.error] += 1
            return result
        port = self.ports[found.interface]
        domain = port.domain
        config = InputPort("xconnect", self.own[found.interface], output=port.xconnect)
        if domain is not None:
            config = InputPort("bridge", self.own[found.interface], domain.features, shg=port.shg)
        verdict = l2_input(frame, found.l2_length, config, False, THERE)
        t = Travelling(frame, found.l2_length, found.interface, verdict.shg, verdict.features, minute, tx=port.xconnect)
        self._go(t, domain, result)
        return result

    def _go(self, t: Travelling, domain: Domain | None, result: Result) -> None:
        """To the node of the highest feature that is left."""
        name = next((n for n in reversed(INPUT) if t.features & bits(n)), "DROP")
        t = replace(t, features=t.features & ~bits(name))
        if name == "VTR":
            changed = rewrite(t.frame, t.length, self.rewrites[t.rx][0])
            if changed is None:
                result.drops["L2 input tag rewrite drops"] += 1
            else:
                self._go(replace(t, frame=changed, length=t.length + len(changed) - len(t.frame)), domain, result)
        elif name == "XCONNECT":
            self._output(t, result)
        elif name == "DROP" or domain is None:
            result.drops["L2 feature forwarding disabled"] += 1
        elif name == "LEARN":
            sn = (domain.seq, self.seqs[t.rx])
            seen = Seen(domain.index, t.frame[6:12], t.rx, sn, domain.mac_age != 0, t.minute % 256)
            error = self.table.learn(seen)
            if error is not None:
                result.drops[error] += 1
            else:
                self._go(t, domain, result)
        elif name == "FWD":
            self._forward(t, domain, result)
        elif name in ("UU_FWD", "ARP_UFWD"):
            if domain.uu_fwd < 0:
                result.drops["no interface for unknown unicast"] += 1
            else:
                self._output(replace(t, tx=domain.uu_fwd), result)
        elif name in ("UU_FLOOD", "FLOOD"):
            chosen = wanted(domain.members.flooded, t.rx, t.shg)
            if not chosen:
                result.drops["L2 replication complete"] += 1
            for member in chosen:
                if member.is_bvi:
                    self._to_router(t, member.interface, BVI_FLOODED, result)
                else:
                    self._output(replace(t, tx=member.interface), result)
        elif name == "ARP_TERM":
            self._terminate(t, domain, result)

    def _forward(self, t: Travelling, domain: Domain, result: Result) -> None:
        floods = bool(t.features & bits("UU_FLOOD", "UU_FWD"))
        found = self.table.forward(domain.index, t.frame[:6], t.rx, domain.seq, self.seqs, floods)
        if found.next == "features":
            self._go(t, domain, result)
        elif found.next == "bvi":
            self._to_router(t, found.interface, BVI_FORWARDED, result)
        elif found.next == "output":
            self._output(replace(t, tx=found.interface), result)
        else:
            result.drops[found.error or ""] += 1

    def _terminate(self, t: Travelling, domain: Domain, result: Result) -> None:
        if t.shg:
            self._go(t, domain, result)
            return
        answer = arp_term(t.frame, t.length, domain.known)
        if answer.seen is not None:
            result.seen.append((t.rx, *answer.seen))
        if answer.what == "reply":
            self._output(replace(t, frame=answer.data, tx=t.rx), result)
        elif answer.what == "on":
            self._go(t, domain, result)
        else:
            result.drops[answer.error or ""] += 1

    def _to_router(self, t: Travelling, bvi: int, errors: dict[str, str], result: Result) -> None:
        given = to_bvi(t.frame, t.length, self.interfaces[bvi].mac)
        if given.wrong is not None:
            result.drops[errors[given.wrong]] += 1
        else:
            result.to_l3.append((bvi, given.data))

    def _output(self, t: Travelling, result: Result) -> None:
        port = self.ports.get(t.tx, Port(None))
        config = OutputPort(None)
        if t.tx in self.output:
            ways = self.rewrites.get(t.tx, (Rewrite(), Rewrite()))
            config = OutputPort("output", self.output[t.tx], port.shg, *ways)
        out = l2_output(t.frame, t.length, t.shg, config, THERE)
        if out.data is None:
            result.drops[out.error or ""] += 1
            return
        interface = self.interfaces[t.tx]
        if out.next == "l2-efp-filter" and not belongs(out.data, t.tx, interface.sup, self.subs(interface.sup)):
            result.drops["L2 EFP filter post-rewrite drops"] += 1
        elif not interface.up or not self.interfaces[interface.sup].up:
            result.drops["interface is down"] += 1
        else:
            result.sent.append((t.tx, out.data))


def by_wire(bridge: NaiveBridge, sent: Iterable[tuple[int, bytes]]) -> Counter[tuple[int, bytes]]:
    """What left by which super-interface."""
    return Counter((bridge.interfaces[index].sup, data) for index, data in sent)
