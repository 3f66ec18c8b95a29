"""Random changes of bridges and random frames: the engine does what the naive bridge does."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.backends.l2.bridged import MINUTE, Address, Bridged, mac_of
from tests.budget import examples
from tests.graph_nodes.l2.frames import ADDRESSES4, ADDRESSES6, HOSTS, frames, hosts
from tests.naive.ethernet_input import INNER_ANY
from tests.naive.l2.tags import tag
from vectorplane.backends.engine.l2.bridges import BVI, NORMAL, UU_FWD, DomainInUse
from vectorplane.graph_nodes.l2 import features
from vectorplane.jit.kernel import JIT

DOMAINS = [7, 8]
WIRES = [1, 2, 3, 4]
"""pg0, pg1, pg2 and pg3; the last one has sub-interfaces, pg2 comes and goes."""
GUEST = 3
TAGS = [b"", tag(0x8100, 100), tag(0x8100, 100) + tag(0x8100, 7), tag(0x8100, 100) + tag(0x8100, 9), tag(0x88A8, 5)]
OWN_FEATURES = [features.LEARN, features.FWD, features.FLOOD, features.UU_FLOOD, features.ARP_TERM, features.ARP_UFWD]

domains = st.sampled_from(DOMAINS)
known_addresses: st.SearchStrategy[Address] = st.sampled_from(
    [IPv4Address(a) for a in ADDRESSES4[:3]] + [IPv6Address(a) for a in ADDRESSES6[:3]]
)


@st.composite
def wire_frames(draw: st.DrawFn) -> bytes:
    """Frames as hosts send them; now and then to the router itself, or longer than is copied."""
    frame = draw(frames(2))
    if draw(st.integers(0, 7)) == 0:
        frame = (
            draw(st.sampled_from([mac_of(1), bytes.fromhex("b0b000000000"), bytes.fromhex("dead00000000")])) + frame[6:]
        )
    return frame + bytes(draw(st.sampled_from([0, 0, 0, 600, 3000])))


class BridgeMachine(RuleBasedStateMachine):
    """See `Bridged`."""

    @initialize()
    def begin(self) -> None:
        self.it = Bridged(len(WIRES))
        tagged = [
            self.it.add_sub(4, 100, 100),
            self.it.add_sub(4, 101, 100, 7),
            self.it.add_sub(4, 102, 100, INNER_ANY),
        ]
        tagged += [self.it.add_sub(4, 103, 5, outer_type=0x88A8, exact=False), self.it.add_sub(4, 104)]
        self.parts = tagged
        self.routed = [self.it.add_routed("bvi"), self.it.add_routed("loopback")]
        for index in WIRES[:3]:
            self.it.attach(index, 7)
        for index in tagged[:4]:
            self.it.attach(index, 8)
        self.it.attach(self.routed[0], 7, BVI)

    @property
    def ports(self) -> list[int]:
        """What may be a port."""
        return [*(w for w in WIRES if w in self.it.naive.interfaces), *self.parts]

    # --- frames and time; most steps are frames

    def send(self, wire: int, sent: list[bytes]) -> None:
        """Frames arrive, one after the other."""
        if wire in self.it.naive.interfaces:
            for frame in sent:
                self.it.send(wire, frame)

    send_some = send_others = send_more = rule(
        wire=st.sampled_from(WIRES), sent=st.lists(wire_frames(), min_size=1, max_size=6)
    )(send)

    def talk(self, wires: list[int], pair: list[bytes], tags: list[bytes]) -> None:
        """Two hosts exchange frames."""
        for k in (0, 1, 0):
            self.send(wires[k], [pair[k] + pair[1 - k] + tags[k] + b"\x08\0" + bytes(46)])

    talk_about_this = talk_about_that = talk_on = rule(
        wires=st.lists(st.sampled_from([1, 2, 3, 4, 4]), min_size=2, max_size=2),
        pair=st.lists(hosts, min_size=2, max_size=2, unique=True),
        tags=st.lists(st.sampled_from(TAGS), min_size=2, max_size=2),
    )(talk)

    @rule(steps=st.sampled_from([1000, MINUTE // 2, MINUTE, 3 * MINUTE]))
    def wait(self, steps: int) -> None:
        self.it.run_until(self.it.engine.now + steps)

    # --- domains and ports

    @rule(bd_id=domains)
    def create_or_delete(self, bd_id: int) -> None:
        bridge = self.it.naive
        if bd_id not in bridge.domains:
            self.it.create(bd_id)
        elif any(p.domain is bridge.domains[bd_id] for p in bridge.ports.values()):
            try:
                self.it.engine.bridges.delete(bd_id)
            except DomainInUse:
                return
            raise AssertionError("a domain with ports is gone")
        else:
            self.it.delete(bd_id)

    @rule(data=st.data(), bd_id=domains, shg=st.sampled_from([0, 0, 0, 1, 2]))
    def attach(self, data: st.DataObject, bd_id: int, shg: int) -> None:
        self.it.attach(data.draw(st.sampled_from(self.ports)), bd_id, NORMAL, shg)

    @rule(data=st.data(), bd_id=domains, shg=st.sampled_from([0, 1]))
    def attach_bvi(self, data: st.DataObject, bd_id: int, shg: int) -> None:
        self.it.attach(data.draw(st.sampled_from(self.routed)), bd_id, BVI, shg)

    @rule(data=st.data(), bd_id=domains)
    def attach_for_unknown(self, data: st.DataObject, bd_id: int) -> None:
        self.it.attach(data.draw(st.sampled_from(self.ports)), bd_id, UU_FWD)

    @rule(data=st.data())
    def detach(self, data: st.DataObject) -> None:
        self.it.detach(data.draw(st.sampled_from(self.ports + self.routed)))

    @rule(data=st.data())
    def cross_connect(self, data: st.DataObject) -> None:
        one, other = (data.draw(st.sampled_from(self.ports)) for _ in range(2))
        if one != other:
            self.it.xconnect(one, other)
            self.it.xconnect(other, one)

    @precondition(lambda self: self.it.naive.domains)
    @rule(data=st.data(), flags=st.integers(0, 63), on=st.booleans())
    def set_flags(self, data: st.DataObject, flags: int, on: bool) -> None:
        self.it.set_flags(data.draw(self.some_domain()), flags, on)

    @rule(data=st.data(), bit=st.sampled_from(OWN_FEATURES), on=st.booleans())
    def set_features(self, data: st.DataObject, bit: int, on: bool) -> None:
        bridged = [k for k, p in self.it.naive.ports.items() if p.domain is not None and k not in self.routed]
        if bridged:
            self.it.set_features(data.draw(st.sampled_from(bridged)), bit, on)

    @rule(
        data=st.data(),
        dot1q=st.booleans(),
        tag1=st.sampled_from([3, 100, 4095]),
        tag2=st.sampled_from([7, 9]),
        op=st.integers(0, 8),
    )
    def set_rewrite(self, data: st.DataObject, op: int, dot1q: bool, tag1: int, tag2: int) -> None:
        index = data.draw(st.sampled_from(sorted(k for k in self.it.naive.ports if k not in self.routed) or [1]))
        sub = self.it.naive.interfaces[index].sub if index in self.it.naive.interfaces else None
        told = 0 if sub is None else len([t for t in sub.tags if t != INNER_ANY])
        if index in self.it.naive.ports and told >= (0, 0, 0, 1, 2, 1, 1, 2, 2)[op]:
            self.it.set_rewrite(index, op, dot1q, tag1, tag2)

    @rule(data=st.data(), on=st.booleans())
    def filter_what_leaves(self, data: st.DataObject, on: bool) -> None:
        ports = sorted(k for k in self.it.naive.ports if k in self.ports)
        if ports:
            self.it.set_efp_filter(data.draw(st.sampled_from(ports)), on)

    @rule(data=st.data())
    def up_and_down(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from(self.parts))
        self.it.set_up(index, not self.it.naive.interfaces[index].up)

    @rule()
    def guest_comes_or_goes(self) -> None:
        if GUEST in self.it.naive.interfaces:
            self.it.remove(GUEST)
        else:
            assert self.it.add_port(2) == GUEST

    # --- addresses

    def some_domain(self) -> st.SearchStrategy[int]:
        """One that exists."""
        return st.sampled_from(sorted(self.it.naive.domains))

    @precondition(lambda self: self.it.naive.domains)
    @rule(data=st.data(), mac=hosts, static=st.booleans(), filtered=st.sampled_from([True, False, False]))
    def provision(self, data: st.DataObject, mac: bytes, static: bool, filtered: bool) -> None:
        index = -1 if filtered else data.draw(st.sampled_from(self.ports))
        self.it.provision(data.draw(self.some_domain()), mac, index, static)

    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        by_index = {d.index: d.id for d in self.it.naive.domains.values()}
        there = sorted(k for k in self.it.naive.table.entries if k[1] in HOSTS)
        if there:
            index, mac = data.draw(st.sampled_from(there))
            self.it.forget(by_index[index], mac)

    @rule(data=st.data())
    def flush(self, data: st.DataObject) -> None:
        flushes: list[Callable[[], None]] = [lambda: self.it.flush_interface(data.draw(st.sampled_from(self.ports)))]
        if self.it.naive.domains:
            flushes.append(lambda: self.it.flush_domain(data.draw(self.some_domain())))
        data.draw(st.sampled_from(flushes))()

    @precondition(lambda self: self.it.naive.domains)
    @rule(data=st.data(), minutes=st.sampled_from([0, 1, 2]))
    def set_mac_age(self, data: st.DataObject, minutes: int) -> None:
        self.it.set_mac_age(data.draw(self.some_domain()), minutes)

    @precondition(lambda self: self.it.naive.domains)
    @rule(data=st.data(), limits=st.lists(st.sampled_from([4 << 20, 4 << 20, 0, 1, 3]), min_size=2, max_size=2))
    def set_limits(self, data: st.DataObject, limits: list[int]) -> None:
        self.it.set_limits(data.draw(self.some_domain()), *limits)

    @precondition(lambda self: self.it.naive.domains)
    @rule(data=st.data(), address=known_addresses, mac=st.one_of(hosts, st.none()))
    def answer_for(self, data: st.DataObject, address: Address, mac: bytes | None) -> None:
        self.it.answer_for(data.draw(self.some_domain()), address, mac)

    @invariant()
    def same(self) -> None:
        if hasattr(self, "it"):
            self.it.check_tables()

    def teardown(self) -> None:
        """Give the memory back; all buffers must be there."""
        if hasattr(self, "it"):
            self.it.close()


TestBridgeMachine = BridgeMachine.TestCase
TestBridgeMachine.settings = settings(examples(40), stateful_step_count=60 if JIT else 20)
