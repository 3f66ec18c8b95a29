"""An engine and the naive bridge beside it: every change is made to both, every frame goes through both."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address, IPv6Address

from tests.naive.ethernet_input import Sub
from tests.naive.l2 import bridge as naive
from tests.naive.l2.mac_table import Entry
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.l2.bridges import BVI, NORMAL, HasBvi
from vectorplane.backends.engine.l2.bvi import create_bvi
from vectorplane.backends.engine.loopback import create_loopback
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.dataplane.interface import LOOPED

MINUTE = 60_000_000_000
Address = IPv4Address | IPv6Address


def mac_of(number: int) -> bytes:
    return bytes.fromhex("02fe000000") + bytes([number])


class Bridged:
    """``ports`` packet-generator interfaces pg0 ... (indices 1 ...), all up."""

    def __init__(self, ports: int = 3, **options: object) -> None:
        self.engine = Engine(buffers=4096, **options)  # type: ignore[arg-type]
        self.naive = naive.NaiveBridge()
        self.told: list[tuple[int, Address, bytes]] = []
        self._scan_at: int | None = None
        for n in range(ports):
            self.add_port(n)

    # --- interfaces

    def add_port(self, n: int) -> int:
        """pgN; its index."""
        interfaces = self.engine.interfaces
        made = interfaces.add(f"pg{n}", device=PgDevice(), mac=mac_of(n + 1))
        index = made.sw_if_index
        interfaces.set_up(index)
        interfaces.set_link(index, True)
        self.naive.interfaces[index] = naive.Interface(index, index, made.mac)
        return index

    def add_sub(self, sup: int, number: int, *tags: int, outer_type: int = 0x8100, exact: bool = True) -> int:
        """A sub-interface (without tags: the default one), up; its index."""
        interfaces = self.engine.interfaces
        made = interfaces.add_sub(sup, number, tags=tags, outer_type=outer_type, exact=exact, default=not tags)
        index = made.sw_if_index
        interfaces.set_up(index)
        sub = Sub(index, tags, outer_type, exact)
        self.naive.interfaces[index] = naive.Interface(index, sup, made.mac, sub=sub)
        return index

    def add_routed(self, kind: str) -> int:
        """``bvi`` or ``loopback``, up; its index."""
        made = create_bvi(self.engine) if kind == "bvi" else create_loopback(self.engine)
        index = made.sw_if_index
        self.engine.interfaces.set_up(index)
        self.naive.interfaces[index] = naive.Interface(index, index, made.mac, flood="none")
        return index

    def remove(self, index: int) -> None:
        """An interface goes."""
        self.engine.interfaces.remove(index)
        self.naive.set_up(index, False)
        self.naive.remove(index)

    def set_up(self, index: int, up: bool) -> None:
        """Up or down."""
        self.engine.interfaces.set_up(index, up)
        self.naive.set_up(index, up)

    # --- domains and ports

    def create(self, bd_id: int) -> None:
        """A domain."""
        self.engine.bridges.create(bd_id)
        self.naive.create(bd_id)
        self._ageing_changed()

    def delete(self, bd_id: int) -> None:
        """It goes."""
        self.engine.bridges.delete(bd_id)
        self.naive.delete(bd_id)
        self.naive.sweep(self.minute)
        self._ageing_changed()

    def set_flags(self, bd_id: int, flags: int, on: bool) -> None:
        """Of a domain."""
        found = self.engine.bridges.set_flags(bd_id, flags, on)
        self.naive.set_flags(bd_id, flags, on)
        assert found & 0xFFFFFFFF == self.naive.domains[bd_id].features & 0xFFFFFFFF

    def set_mac_age(self, bd_id: int, minutes: int) -> None:
        """Of a domain."""
        self.engine.bridges.set_mac_age(bd_id, minutes)
        self.naive.domains[bd_id].mac_age = minutes
        self._ageing_changed()

    def set_limits(self, bd_id: int, limit: int, in_all: int) -> None:
        """Of a domain, and of all of them."""
        self.engine.bridges.set_learn_limit(bd_id, limit)
        self.engine.l2fib.learn_limit = in_all
        self.naive.table.domain_limits[self.naive.domains[bd_id].index] = limit
        self.naive.table.limit = in_all

    def attach(self, index: int, bd_id: int, kind: int = NORMAL, shg: int = 0) -> bool:
        """A port; False: there is a BVI already."""
        new = bd_id not in self.naive.domains
        wanted = self.naive.attach(index, bd_id, kind, shg)
        try:
            self.engine.bridges.attach(index, bd_id, kind, shg)
        except HasBvi:
            assert not wanted and kind == BVI
        else:
            assert wanted
        if new:
            self.naive.table.domain_limits.pop(self.naive.domains[bd_id].index, None)
        return wanted

    def xconnect(self, rx: int, tx: int) -> None:
        """One way."""
        self.engine.bridges.xconnect(rx, tx)
        self.naive.xconnect(rx, tx)

    def detach(self, index: int) -> None:
        """Back to L3."""
        self.engine.bridges.detach(index)
        self.naive.detach(index)

    def set_features(self, index: int, bits: int, on: bool) -> None:
        """Of what a port receives."""
        found = self.engine.bridges.set_port_features(index, bits, on)
        own = self.naive.own.get(index, 0)
        self.naive.own[index] = own | bits if on else own & ~bits
        assert found == self.naive.own[index]

    def set_rewrite(self, index: int, op: int, dot1q: bool, tag1: int, tag2: int) -> None:
        """A tag rewrite."""
        self.engine.tag_rewrites.set(index, op, dot1q, tag1, tag2)
        self.naive.set_rewrite(index, op, dot1q, tag1, tag2)

    def set_efp_filter(self, index: int, on: bool) -> None:
        """Of a port."""
        self.engine.tag_rewrites.set_efp_filter(index, on)
        self.naive.set_efp_filter(index, on)

    def answer_for(self, bd_id: int, address: Address, mac: bytes | None) -> None:
        """A domain answers for an address, or no longer."""
        known = self.naive.domains[bd_id].known
        if mac is not None:
            self.engine.bridges.set_ip_mac(bd_id, address, mac)
            known[address] = mac
        elif address in known:
            assert self.engine.bridges.remove_ip_mac(bd_id, address, known.pop(address))

    # --- addresses

    def provision(self, bd_id: int, mac: bytes, index: int, static: bool) -> None:
        """An entry; -1: a filter."""
        if index < 0:
            self.engine.l2fib.add_filter(bd_id, mac)
        else:
            self.engine.l2fib.add(bd_id, mac, index, static=static)
        entry = Entry(index, static or index < 0, True, filter=index < 0)
        self.naive.add(self.naive.domains[bd_id], mac, entry)

    def forget(self, bd_id: int, mac: bytes) -> None:
        """An entry that is there goes."""
        self.engine.l2fib.remove(bd_id, mac)
        self.naive.forget(self.naive.domains[bd_id], mac)

    def flush_interface(self, index: int) -> None:
        """What was learnt on it."""
        self.engine.l2fib.flush_interface(index)
        self.naive.flush_interface(index)

    def flush_domain(self, bd_id: int) -> None:
        """What it has learnt."""
        self.engine.l2fib.flush_domain(bd_id)
        self.naive.flush_domain(bd_id)

    # --- time

    @property
    def minute(self) -> int:
        """As entries know it."""
        return self.engine.now // MINUTE % 256

    def _ageing_changed(self) -> None:
        """As in VPP there is a look at once, and then one every minute while any domain ages."""
        self._scan_at = None
        if any(d.mac_age for d in self.naive.domains.values()):
            self.naive.sweep(self.minute)
            self._scan_at = self.engine.now + MINUTE

    def run_until(self, when: int) -> None:
        """Time goes on, without frames."""
        if self.naive.sweep_due:
            self.naive.sweep(self.minute)
        while self._scan_at is not None and self._scan_at <= when:
            self.naive.sweep(self._scan_at // MINUTE % 256)
            self._scan_at += MINUTE
        self.engine.run_until(when)

    # --- frames

    def send(self, index: int, frame: bytes) -> naive.Result:
        """A frame arrives at pgN: what leaves, what L3 gets, what is dropped and why are the oracle's."""
        wanted = self.naive.receive(index, frame, self.engine.now // MINUTE)
        before = self._counters()
        self.engine.pg.add("frames", index, [frame])
        self.engine.pg.enable("frames")
        self.run_until(self.engine.now + 1000)
        self.engine.pg.delete("frames")
        self.check(wanted, before)
        return wanted

    def send_quietly(self, index: int, frame: bytes) -> int:
        """A frame that the oracle does not see; how many leave."""
        self.engine.pg.add("frames", index, [frame])
        self.engine.pg.enable("frames")
        self.engine.run_until(self.engine.now + 1000)
        self.engine.pg.delete("frames")
        return sum(self.transmitted().values())

    def check(self, wanted: naive.Result, before: tuple[Counter[int], Counter[str]]) -> None:
        """The engine did that, since the counters were as before."""
        assert self.transmitted() == naive.by_wire(self.naive, wanted.sent)
        to_l3, drops = self._counters()
        assert to_l3 - before[0] == Counter(index for index, _ in wanted.to_l3)
        assert drops - before[1] == wanted.drops

    def transmitted(self) -> Counter[tuple[int, bytes]]:
        """What left, by interface."""
        sent: Counter[tuple[int, bytes]] = Counter()
        for interface in self.engine.interfaces.by_index.values():
            device = interface.device
            if isinstance(device, PgDevice) and not interface.is_sub:
                sent.update((interface.sw_if_index, data) for _, data in device.transmitted())
        return sent

    def _counters(self) -> tuple[Counter[int], Counter[str]]:
        """Packets that L3 got of each BVI, and drops for reasons of ethernet-input and of bridging."""
        to_l3: Counter[int] = Counter()
        for index in self.engine.interfaces.by_index:
            if int(self.engine.interfaces.record(index)["flags"]) & LOOPED:
                to_l3[index] = int(self.engine.plane.if_stats["rx"].total(index)[0])
        drops: Counter[str] = Counter()
        for key, n in self.engine.plane.error_counts("drops").items():
            node, _, text = key.partition(": ")
            ours = node.startswith("l2-") or node.endswith("-output")
            if ours or node in ("arp-term-l2bd", "feature-bitmap-drop", "ethernet-input"):
                drops[text] += n
        return to_l3, drops

    # --- state

    def check_tables(self) -> None:
        """Entries, counts, members and features are the oracle's."""
        found = {
            (e.bd_index, e.mac): Entry(
                e.sw_if_index, *(bool(e.flags & 1 << k) for k in range(6)), e.minute, _pair(e.sn)
            )
            for e in self.engine.l2fib.dump()
        }
        table = self.naive.table
        assert found == table.entries
        assert self.engine.l2fib.learn_count == sum(table.learnt.values())
        assert set(self.engine.bridges.domains) == set(self.naive.domains)
        for bd_id, domain in self.engine.bridges.domains.items():
            d = self.naive.domains[bd_id]
            assert [m.sw_if_index for m in domain.members] == [m.interface for m in d.members.all]
            assert domain.flood_count == len(d.members.flooded)
            assert (domain.bvi, domain.uu_fwd, domain.seq, domain.index) == (d.bvi, d.uu_fwd, d.seq, d.index)
            assert self.engine.bridges.learn_count(domain) == table.learnt[d.index]
        assert set(self.engine.bridges.ports) == set(self.naive.ports)
        for index, own in self.naive.own.items():
            assert self.engine.bridges.port_features(index) == own
            assert self.engine.bridges.sequence(index) == self.naive.seqs[index]

    def close(self) -> None:
        """All buffers are back, and every packet is accounted for."""
        assert report(self.engine.plane).missing == 0
        assert self.engine.plane.free_buffers() == self.engine.plane.pool.count
        self.engine.close()


def _pair(sn: int) -> tuple[int, int]:
    return sn >> 8, sn & 0xFF
