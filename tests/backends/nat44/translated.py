"""A router with NAT44 and the naive NAT beside it: every change is made to both, every packet goes through both."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address

from tests.naive import nat44 as naive
from tests.naive.ip4_packet import Ip4, icmp, l4_checksum
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.nat44.nat44 import Timeouts
from vectorplane.backends.engine.nat44.static_mappings import Local
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.route_paths import Path
from vectorplane.graph_nodes.nat44.nat import (
    SM_ADDR_ONLY,
    SM_IDENTITY,
    SM_OUT2IN_ONLY,
    SM_SELF_TWICE_NAT,
    SM_TWICE_NAT,
)

INSIDE, OUTSIDE = 1, 2
INSIDE_NET, OUTSIDE_NET = 0x0A000000, 0x0A000100
"""10.0.0.0/24 and 10.0.1.0/24; hosts .1 to .8, the router .254."""
OWN = (INSIDE_NET + 254, OUTSIDE_NET + 254)
POOL = 0xC0000200
"""192.0.2.0: addresses that NAT may have."""
HOST_MAC = bytes.fromhex("0200000000aa")
TWICE = {"": 0, "twice-nat": SM_TWICE_NAT, "self-twice-nat": SM_SELF_TWICE_NAT}
_KEEPS = 1 << 30


def mac_of(sw_if: int) -> bytes:
    return bytes.fromhex("02fe000000") + bytes([sw_if])


class Translated:
    """pg0 (inside) and pg1 (outside). ``swept``: sessions whose time is up are ended before each packet."""

    def __init__(self, output: bool = False, swept: bool = True, **options: object) -> None:
        self.engine = Engine(buffers=4096, **options)  # type: ignore[arg-type]
        self.naive = naive.NaiveNat(range(OUTSIDE_NET, POOL + 256), output)
        self.swept = swept
        self.count = 0
        for sw_if, network in ((INSIDE, INSIDE_NET), (OUTSIDE, OUTSIDE_NET)):
            made = self.engine.interfaces.add(f"pg{sw_if - 1}", device=PgDevice(), mac=mac_of(sw_if))
            assert made.sw_if_index == sw_if
            self.engine.interfaces.set_up(sw_if)
            self.engine.interfaces.set_link(sw_if, True)
            self.engine.addresses.add(sw_if, f"{IPv4Address(network + 254)}/24")
            for host in range(1, 9):
                self.engine.neighbours.add(sw_if, str(IPv4Address(network + host)), HOST_MAC, static=True)
        self.engine.routes.add("0.0.0.0/0", [Path(next_hop=OUTSIDE_NET + 1, sw_if_index=OUTSIDE)])
        self.nat = self.engine.nat44
        self.nat.enable()
        if output:
            self.nat.interfaces.add_output(OUTSIDE)
        else:
            self.nat.interfaces.add(INSIDE, True)
            self.nat.interfaces.add(OUTSIDE, False)

    # --- changes

    def address(self, address: int, on: bool, twice: bool = False) -> None:
        """One more of a pool, or one less."""
        pool = self.nat.addresses
        _ = pool.add(address, None, twice) if on else pool.delete(address, twice)
        if twice:
            _ = self.naive.twice_pool.append(address) if on else self.naive.twice_pool.remove(address)
        else:
            _ = self.naive.add_address(address) if on else self.naive.drop_address(address)

    def mapping(self, m: naive.Mapping, on: bool) -> None:
        """A mapping comes or goes."""
        flags = TWICE[m.twice] | (SM_OUT2IN_ONLY if m.out2in_only else 0)
        if m.backends:
            if on:
                backends = [Local(b.address, b.port, 1 + k) for k, b in enumerate(m.backends)]
                self.nat.mappings.add_lb(
                    m.external, m.port, m.proto, backends, flags, affinity=_KEEPS if m.keeps else 0
                )
            else:
                self.nat.mappings.delete_lb(m.external, m.port, m.proto, flags)
        else:
            flags |= (SM_IDENTITY if m.identity else 0) | (SM_ADDR_ONLY if m.whole else 0)
            local = m.external if m.identity else m.local
            change = self.nat.mappings.add if on else self.nat.mappings.delete
            change(local, m.external, m.local_port, m.port, m.proto, None, None, flags)
        if on:
            if m.identity:
                m = replace(m, local=m.external, local_port=m.port)
            self.naive.mappings.append(m)
        else:
            self.naive.drop_mapping(m)

    def backends(self, m: naive.Mapping, backends: tuple[naive.Backend, ...]) -> None:
        """A service has other backends."""
        table = self.nat.mappings
        for b in set(backends) - set(m.backends):
            table.add_local(m.external, m.port, Local(b.address, b.port, 2), m.proto)
        for b in set(m.backends) - set(backends):
            table.delete_local(m.external, m.port, Local(b.address, b.port), m.proto)
        self.naive.set_backends(m, backends)

    def forwarding(self, on: bool) -> None:
        """Forwarding mode."""
        self.nat.set_forwarding(on)
        self.naive.set_forwarding(on)

    def mss(self, value: int) -> None:
        """The most that SYNs announce."""
        self.nat.set_mss_clamping(value)
        self.naive.mss = value

    def timeouts(self, udp: int, established: int, transitory: int, icmp_: int) -> None:
        """In seconds. What is over stays over."""
        self._sweep()
        self.nat.set_timeouts(Timeouts(udp, established, transitory, icmp_))
        self.naive.timeouts |= {naive.UDP: udp, 0: udp, naive.TCP: transitory, naive.ICMP: icmp_}
        self.naive.established = established
        self.naive.expire(self.engine.now)

    def _sweep(self) -> None:
        """End what is over."""
        self.nat.sessions.expire(self.engine.now)
        self.naive.expire(self.engine.now)

    def wait(self, seconds: int) -> None:
        """Time goes on."""
        self.engine.run_until(self.engine.now + seconds * naive.SECOND)

    # --- packets

    def marked(self, p: Ip4) -> Ip4:
        """A packet that can be told from all others by its IP identification."""
        self.count = self.count % 0xFFFF + 1
        return replace(p, id=self.count)

    def send(self, inward: bool, packets: Sequence[Ip4], together: bool = False) -> list[Ip4 | None]:
        """Packets arrive from inside or from outside; what of them went on.

        Checked: each is what the oracle says, is dropped for the reason that it says, and leaves where it is routed.
        """
        marked = [self.marked(p) for p in packets]
        result: list[Ip4 | None] = []
        for batch in [marked] if together and marked else [[p] for p in marked]:
            result += self._send(inward, batch)
        return result

    def _send(self, inward: bool, packets: list[Ip4]) -> list[Ip4 | None]:
        now = self.engine.now
        if self.swept:
            self._sweep()
        sw_if = OUTSIDE if inward else INSIDE
        before = self._reasons()
        frames = [mac_of(sw_if) + HOST_MAC + b"\x08\x00" + bytes(p) for p in packets]
        self.engine.pg.add("packets", sw_if, frames)
        self.engine.pg.enable("packets")
        self.engine.run_until(now)
        self.engine.pg.delete("packets")
        out = self._came_out()
        reasons: Counter[str] = Counter()
        result: list[Ip4 | None] = []
        for p in packets:
            got = out.pop(p.id, None)
            seen = got[1] if got else self._for_ourselves(p)
            verdict = self.naive.packet(bytes(p), inward, now, seen)
            if self.naive.output and inward and verdict.data and self._route_of(verdict.data) == OUTSIDE:
                verdict = self.naive.packet(verdict.data, False, now, seen)  # it leaves where it came from
            if verdict.reason:
                reasons[verdict.reason] += 1
                assert got is None, (verdict, p, Ip4.parse(got[1]))
                result.append(None)
                continue
            wanted = Ip4.parse(verdict.data)
            place = self._route_of(verdict.data)
            assert (got[0] if got else 0) == place, (p, wanted, got)
            if got:
                wanted = replace(wanted, ttl=p.ttl - 1)
                assert got[1] == bytes(wanted), (p, wanted, Ip4.parse(got[1]))
            result.append(Ip4.parse(got[1]) if got else None)
        for _, data in out.values():  # and the router's own answers to pings of NAT's addresses
            assert data[9] == naive.ICMP and data[20] == 0 and self._is_ours(Ip4.parse(data).source)
        assert self._reasons() - before == reasons
        return result

    def _for_ourselves(self, p: Ip4) -> bytes | None:
        """What a packet that did not come out became if it has a session: it was for the router itself."""
        flow = naive.flow_of(p)
        for s in self.nat.sessions:
            i = s.i2o
            if flow == naive.Flow(i.source, i.source_port, i.destination, i.destination_port, i.proto):
                port = s.out_port if s.proto else 0
                new = naive.Flow(i.new_source, port, i.new_destination, i.new_destination_port, i.proto)
                return bytes(naive.with_flow(p, new))
        return None

    def _route_of(self, data: bytes) -> int:
        """The interface that a packet leaves by; 0: it is for the router."""
        destination = Ip4.parse(data).destination
        if destination & ~255 == INSIDE_NET:
            return INSIDE
        return 0 if self._is_ours(destination) else OUTSIDE

    def _is_ours(self, address: int) -> bool:
        """Is it an address of NAT's, which the router takes for its own?"""
        return address in self.naive.pool or any(m.external == address for m in self.naive.mappings if not m.backends)

    def _came_out(self) -> dict[int, tuple[int, bytes]]:
        """What was sent and is not the router's own, by identification."""
        found: dict[int, tuple[int, bytes]] = {}
        for sw_if in (INSIDE, OUTSIDE):
            device = self.engine.interfaces[sw_if].device
            assert isinstance(device, PgDevice)
            for _, data in device.transmitted():
                p = Ip4.parse(data[14:])
                if p.source not in OWN:
                    assert p.id not in found
                    found[p.id] = (sw_if, data[14 : 14 + len(bytes(p))])
        return found

    def _reasons(self) -> Counter[str]:
        """Packets that NAT dropped, by reason."""
        found: Counter[str] = Counter()
        for key, n in self.engine.plane.error_counts().items():
            node, _, text = key.partition(": ")
            if node.startswith("nat44-ed-"):
                found[text] += n
        return found

    # --- state

    def check(self) -> None:
        """The engine has the oracle's sessions; those whose time is up may still be there if they are not swept."""
        now = self.engine.now
        theirs = Counter(
            (
                s.in_address,
                s.in_port if s.proto else 0,
                s.out_address,
                s.out_port if s.proto else 0,
                s.i2o.proto,
                s.tcp_state,
            )
            for s in self.nat.sessions
            if not s.timed_out(now)
        )
        mine = Counter((*s.inside, *s.outside, s.proto, s.state) for s in self.naive.live(now))
        assert theirs == mine, (theirs - mine, mine - theirs)
        self.check_no_port_twice()

    def check_no_port_twice(self) -> None:
        """No two sessions are found by the same packet from outside."""
        flows = [(s.o2i[:6]) for s in self.nat.sessions if not s.is_bypass]
        assert len(set(flows)) == len(flows)

    def end_all(self) -> None:
        """Enough time goes by for every session to end; all tables are empty then."""
        longest = max(*self.naive.timeouts.values(), self.naive.established)
        self.wait(2 * longest + 4)
        assert len(self.nat.sessions) == 0 and list(self.nat.sessions) == []
        assert self.nat.sessions.flows == 0

    def close(self) -> None:
        """All buffers are back, and every packet is accounted for."""
        assert report(self.engine.plane).missing == 0
        assert self.engine.plane.free_buffers() == self.engine.plane.pool.count
        self.engine.close()


# --- packets


def packet(flow: naive.Flow, flags: int = naive.SYN, kind: int = 8, data: bytes = b"data", options: bytes = b"") -> Ip4:
    """A packet of a flow, checksums right; ``kind``: ICMP type, ``options``: of TCP (whole words)."""
    p = Ip4(flow.source, flow.destination)
    if flow.proto == naive.ICMP:
        return icmp(kind, 0, struct.pack(">HH", flow.source_port, 1) + data, p)
    if flow.proto == naive.UDP:
        raw = struct.pack(">HHHH", flow.source_port, flow.destination_port, 8 + len(data), 0) + data
        value = l4_checksum(p.source, p.destination, 17, raw) or 0xFFFF
        return replace(p, protocol=17, payload=raw[:6] + struct.pack(">H", value) + raw[8:])
    if flow.proto == naive.TCP:
        words = 5 + len(options) // 4
        raw = struct.pack(">HHIIBBHHH", flow.source_port, flow.destination_port, 1, 2, words << 4, flags, 512, 0, 0)
        raw += options + data
        value = l4_checksum(p.source, p.destination, 6, raw)
        return replace(p, protocol=6, payload=raw[:16] + struct.pack(">H", value) + raw[18:])
    return replace(p, protocol=flow.proto, payload=data)


def answer(p: Ip4, flags: int = naive.SYN | naive.ACK, data: bytes = b"answer") -> Ip4:
    """What the other end says to a packet."""
    flow = naive.flow_of(p)
    assert flow is not None
    return packet(flow.turned, flags, 0, data)


def error(p: Ip4, source: int, kind: int = 3) -> Ip4:
    """An ICMP error about a packet, from a host or a router on the way."""
    return icmp(kind, 1, bytes(4) + bytes(p), Ip4(source, p.source))
