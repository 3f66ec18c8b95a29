"""A router with ACLs and the naive ACLs beside it: every change is made to both, every packet goes through both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.naive import acl as naive
from vectorplane.backends.engine.acl.rule import AclRule
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.route_paths import Path
from vectorplane.dataplane.graph import Node

SECOND = 1_000_000_000
COUNTERS = {
    naive.DENIED: "ACL deny packets",
    naive.PERMITTED: "ACL permit packets",
    naive.REFLECTED: "new sessions added",
    naive.BY_SESSION: "existing session packets",
}
INSIDE, OUTSIDE = 1, 2
NETWORKS = {INSIDE: 0x0A000000, OUTSIDE: 0x0A000100}
"""10.0.0.0/24 and 10.0.1.0/24."""


def mac_of(sw_if: int) -> bytes:
    return bytes.fromhex("02fe000000") + bytes([sw_if])


class Walled:
    """pg0 (inside) and pg1 (outside); `packet_to` is routed from one to the other."""

    def __init__(self, **options: object) -> None:
        self.engine = Engine(buffers=4096, **options)  # type: ignore[arg-type]
        self.naive = naive.NaiveAcls()
        self.eager = False
        """Use the session cache for each vector; else only when it has shown to be worth it."""
        for sw_if, network in NETWORKS.items():
            made = self.engine.interfaces.add(f"pg{sw_if - 1}", device=PgDevice(), mac=mac_of(sw_if))
            assert made.sw_if_index == sw_if
            self.engine.interfaces.set_up(sw_if)
            self.engine.interfaces.set_link(sw_if, True)
            self.engine.addresses.add(sw_if, f"10.0.{network >> 8 & 255}.254/24")
            for host in range(1, 9):
                address = f"10.0.{network >> 8 & 255}.{host}"
                self.engine.neighbours.add(sw_if, address, bytes.fromhex("0200000000aa"), static=True)
        self.engine.routes.add("0.0.0.0/0", [Path(next_hop=NETWORKS[OUTSIDE] + 1, sw_if_index=OUTSIDE)])

    # --- changes

    def acl(self, rules: Sequence[AclRule], index: int | None = None) -> int:
        """A new ACL, or other rules of one."""
        made = self.engine.acls.add_replace(index, f"acl {index}", rules)
        assert index is None or made == index
        self.naive.replace(made, tuple(rules))
        return made

    def apply(self, sw_if: int, inputs: list[int], outputs: list[int]) -> None:
        """Both lists of an interface."""
        self.engine.acls.set_lists(sw_if, inputs, outputs)
        self.naive.set_list(sw_if, False, outputs)
        self.naive.set_list(sw_if, True, inputs)

    def set_timeout(self, kind: int, seconds: int) -> None:
        """Of sessions of a kind."""
        self.engine.acls.set_timeout(kind, seconds)
        for timeout in (self.naive.timeouts[kind], seconds):
            self.naive.timeouts[kind] = timeout
            self.naive.expire(self.engine.now)

    def wait(self, ns: int) -> None:
        """Time goes on."""
        self.engine.run_until(self.engine.now + ns)

    # --- packets

    def send(self, sw_if: int, packets: Sequence[bytes], together: bool = False) -> list[bool]:
        """IPv4 packets arrive at an interface and are routed to the other one; which of them left.

        Checked: exactly those that the oracle lets pass, and the nodes' counters.
        """
        batches = [list(packets)] if together else [[p] for p in packets]
        passed: list[bool] = []
        for batch in batches:
            passed += self._send(sw_if, batch)
        return passed

    def _send(self, sw_if: int, packets: list[bytes]) -> list[bool]:
        wanted: dict[str, Counter[str]] = {"in": Counter(), "out": Counter()}
        passed = []
        out_if = INSIDE + OUTSIDE - sw_if
        now = self.engine.now
        admitted = []
        for packet in packets:
            seen = naive.see4(packet)
            verdict, _ = self.naive.check(sw_if, True, seen, now)
            if self.naive.lists.get((sw_if, True)):
                wanted["in"][COUNTERS[verdict]] += 1
            if verdict != naive.DENIED:
                admitted.append((len(passed), packet, seen))
            passed.append(verdict != naive.DENIED)
        for at, _, seen in admitted:  # a vector goes through one node, then through the next
            verdict, _ = self.naive.check(out_if, False, seen, now)
            if self.naive.lists.get((out_if, False)):
                wanted["out"][COUNTERS[verdict]] += 1
            passed[at] = verdict != naive.DENIED
        if self.eager:
            for node in self._nodes():
                node.data["without"] = 0
        before = self.counters()
        frames = [mac_of(sw_if) + bytes.fromhex("020000000001") + b"\x08\x00" + p for p in packets]
        self.engine.pg.add("packets", sw_if, frames)
        self.engine.pg.enable("packets")
        self.engine.run_until(now)
        self.engine.pg.delete("packets")
        after = self.counters()
        left = Counter(data[26:34] + data[34:] for _, data in self._device(out_if).transmitted())
        assert left == Counter(p[12:20] + p[20:] for p, ok in zip(packets, passed, strict=True) if ok)
        for direction, counts in wanted.items():
            change = after[direction] - before[direction]
            change.pop("checked packets", None)
            change.pop("restart session timer", None)
            assert change == counts, direction
        return passed

    def _nodes(self) -> list[Node]:
        return [
            n for n in self.engine.plane.graph.nodes if n.type.name in ("acl-plugin-in-ip4-fa", "acl-plugin-out-ip4-fa")
        ]

    def _device(self, sw_if: int) -> PgDevice:
        device = self.engine.interfaces[sw_if].device
        assert isinstance(device, PgDevice)
        return device

    def counters(self) -> dict[str, Counter[str]]:
        """Of both ACL nodes."""
        found: dict[str, Counter[str]] = {"in": Counter(), "out": Counter()}
        for key, n in self.engine.plane.error_counts().items():
            node, _, text = key.partition(": ")
            if node.startswith("acl-plugin-"):
                found[node.split("-")[2]][text] += n
        return found

    # --- state

    def check_sessions(self) -> None:
        """The engine has the oracle's sessions; those whose time is up may still be there."""
        now = self.engine.now
        live = self.naive.live(now)
        mine = {(s.sw_if, s.protocol, s.active, s.kind) for s in self.naive.sessions.values() if id(s) in live}
        timeouts = self.naive.timeouts
        theirs = {
            (s.sw_if_index, s.proto, s.active, s.kind)
            for s in self.engine.acls.sessions
            if now - s.active < timeouts[s.kind] * SECOND
        }
        assert theirs == mine

    def expire_all(self) -> None:
        """Enough time goes by for every session to end; all tables are empty then."""
        self.wait(2 * max(self.naive.timeouts.values()) * SECOND + SECOND)
        assert len(self.engine.acls.sessions) == 0
        assert list(self.engine.acls.sessions) == []
        assert len(self.engine.acls.sessions.table.maps[0]) == len(self.engine.acls.sessions.table.maps[1]) == 0
        made, gone, _ = self.engine.acls.sessions.totals()
        assert made == gone

    def close(self) -> None:
        """All buffers are back, and every packet is accounted for."""
        assert report(self.engine.plane).missing == 0
        assert self.engine.plane.free_buffers() == self.engine.plane.pool.count
        self.engine.close()
