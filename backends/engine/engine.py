"""An engine: a dataplane with interfaces, routes, neighbours, timers and a clock, and the loop that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vectorplane.backends.engine.acl.acls import Acls
from vectorplane.backends.engine.acl.macips import Macips
from vectorplane.backends.engine.acl.whitelists import Whitelists
from vectorplane.backends.engine.addresses import Addresses
from vectorplane.backends.engine.addresses6 import Addresses6
from vectorplane.backends.engine.device import Device, LocalDevice
from vectorplane.backends.engine.gate import Gate
from vectorplane.backends.engine.gso import SoftwareGso
from vectorplane.backends.engine.interfaces import Interfaces
from vectorplane.backends.engine.ip6_reassembly import Ip6Reassembly
from vectorplane.backends.engine.l2.bridges import Bridges
from vectorplane.backends.engine.l2.feature_arcs import L2Features
from vectorplane.backends.engine.l2.l2fib import L2Fib
from vectorplane.backends.engine.l2.tag_rewrite import TagRewrites
from vectorplane.backends.engine.l3xc import L3CrossConnects
from vectorplane.backends.engine.mroutes import MRoutes
from vectorplane.backends.engine.nat44.nat44 import Nat44
from vectorplane.backends.engine.neighbours import Neighbours
from vectorplane.backends.engine.neighbours6 import Neighbours6
from vectorplane.backends.engine.nodes import built_in
from vectorplane.backends.engine.path_mtus import PathMtus
from vectorplane.backends.engine.pg import PacketGenerator
from vectorplane.backends.engine.proxy_arp import ProxyArp
from vectorplane.backends.engine.punt_redirects import PuntRedirects
from vectorplane.backends.engine.reassembly import ReassemblyTimer
from vectorplane.backends.engine.routes import Routes
from vectorplane.backends.engine.routes6 import Routes6
from vectorplane.backends.engine.run import Runner
from vectorplane.backends.engine.span import Spans
from vectorplane.backends.engine.sv_reassembly import SvReassemblies
from vectorplane.backends.engine.tables import Tables
from vectorplane.backends.engine.tables6 import Tables6
from vectorplane.backends.engine.timers import Timers
from vectorplane.backends.engine.tunnels.geneve import GeneveTunnel, GeneveTunnels
from vectorplane.backends.engine.tunnels.gre import GreTunnel, GreTunnels
from vectorplane.backends.engine.tunnels.ip_tunnels import IpTunnelDevice, IpTunnelSet
from vectorplane.backends.engine.tunnels.ipip import IpipTunnels
from vectorplane.backends.engine.tunnels.tunnel import Underlay
from vectorplane.backends.engine.tunnels.udp_tunnels import UdpTunnelDevice, UdpTunnelSet
from vectorplane.backends.engine.tunnels.vxlan import VxlanTunnels
from vectorplane.dataplane.abi import FAST, INPUT, NEVER, POLLING, REAL, VIRTUAL
from vectorplane.dataplane.clock import read_cycles, tsc_hz
from vectorplane.dataplane.dispatch import update_clock
from vectorplane.dataplane.graph import Node
from vectorplane.dataplane.plane import Dataplane

CLOCKS = {"virtual": VIRTUAL, "real": REAL, "fast": FAST}


class Engine:
    """One router. Several may live in one process; nothing is shared between them.

    ``clock`` is `virtual` (the packets' time, as fast as it goes), `real` (paced) or `fast` (no time at all).
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        buffers: int = 16384,
        clock: str = "virtual",
        seed: int = 1,
        vector_size: int = 256,
    ) -> None:
        types, arcs = built_in()
        self.clock = clock
        self.plane = Dataplane(types, arcs, buffers=buffers, workers=workers, seed=seed)
        self.plane.graph.registry.load_entry_points()
        self.timers = Timers()
        self.event_handlers: dict[int, Callable[[Any], None]] = {}
        self._linked = 0
        self._looked_at = 0
        self._inputs: list[int] = []
        self.stopped = False
        self.gate = Gate(self._ask_workers)
        self._clock_runs = False
        self.on_tick: Callable[[], None] | None = None
        """Called whenever the dispatcher came back to Python (a few hundred times a second under load)."""
        self._runner = Runner(self)
        for w in self.plane.workers:
            w.record["clock"] = CLOCKS[clock]
            w.record["vector_size"] = vector_size
        self.plane.graph.add("null-node")  # its error 0 is error 0 of the engine: "blackholed packets"
        self.interfaces = Interfaces(self)
        self.pg = PacketGenerator(self)
        self.neighbours = Neighbours(self)
        self.routes = Routes(self)
        self.tables = Tables(self)
        self.mroutes = MRoutes(self)
        self.path_mtus = PathMtus(self)
        self.punt_redirects = PuntRedirects(self)
        self.addresses = Addresses(self)
        self.proxy_arp = ProxyArp(self)
        self.reassembly = ReassemblyTimer(self)
        self.sv_reassembly = SvReassemblies(self)
        self.ip6_reassembly = Ip6Reassembly()
        self.neighbours6 = Neighbours6(self)
        self.routes6 = Routes6(self)
        self.tables6 = Tables6(self)
        self.addresses6 = Addresses6(self)
        self.bridges = Bridges(self)
        self.l2fib = L2Fib(self)
        self.tag_rewrites = TagRewrites(self)
        self.underlay = Underlay(self)
        self.vxlan = VxlanTunnels(self)
        self.geneve = GeneveTunnels(self)
        self.gre = GreTunnels(self)
        self.ipip = IpipTunnels(self)
        self.span = Spans(self)
        self.l3xc = L3CrossConnects(self)
        self.l2_features = L2Features(self)
        self.gso = SoftwareGso(self)
        self.acls = Acls(self)
        self.acl_whitelists = Whitelists(self)
        self.macips = Macips(self)
        self.nat44 = Nat44(self)
        self.interfaces.add("local0", device=LocalDevice())

    def udp_tunnels(self, kind: type[UdpTunnelDevice]) -> UdpTunnelSet[Any]:
        """The tunnels of a kind."""
        return self.geneve if issubclass(kind, GeneveTunnel) else self.vxlan

    def ip_tunnels(self, kind: type[IpTunnelDevice]) -> IpTunnelSet[Any]:
        """The tunnels of a kind."""
        return self.gre if issubclass(kind, GreTunnel) else self.ipip

    @property
    def now(self) -> int:
        """The engine's time in ns."""
        return max(int(w.record["now"]) for w in self.plane.workers)

    def poll_node(self, node: Node) -> None:
        """Have every worker poll an input node."""
        for i, w in enumerate(self.plane.workers):
            record = node.record(i)
            if int(record["state"]) != POLLING:
                record["state"] = POLLING
                w.add_input(node.index)

    def on_event(self, kind: int, handler: Callable[[Any], None]) -> None:
        """Call ``handler(event)`` (a record of `vectorplane.dataplane.event.EVENT`) for events of this kind."""
        self.event_handlers[kind] = handler

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down, or its properties changed."""
        self.routes.interface_changed(sw_if_index)
        self.addresses.interface_changed(sw_if_index)
        self.neighbours.interface_changed(sw_if_index)
        self.addresses6.interface_changed(sw_if_index)
        self.neighbours6.interface_changed(sw_if_index)

    def link(self) -> None:
        """Make sure that every node of the graph has its machine code."""
        nodes = self.plane.graph.nodes
        if self._linked < len(nodes):
            self.plane.graph.link_kernels(nodes[self._linked :])
            self._linked = len(nodes)

    def devices(self) -> list[Device]:
        """All devices, each once, in the order of their interfaces."""
        return list({id(i.device): i.device for i in self.interfaces.by_index.values()}.values())

    def next_time(self) -> int:
        """Earliest time (ns) at which an input node has a packet; `NEVER` when none has."""
        nodes = self.plane.graph.nodes
        if self._looked_at < len(nodes):  # asked for very often, and nodes only ever join
            self._inputs += [n.index for n in nodes[self._looked_at :] if n.type.kind == INPUT]
            self._looked_at = len(nodes)
        return min((int(r[i]["next_time"]) for i in self._inputs for r in self.plane.graph.records), default=NEVER)

    def due(self) -> int:
        """Earliest time (ns) at which a packet or a timer is due; `NEVER` when there is none."""
        return min(self.next_time(), self.timers.next_time())

    def wake(self) -> None:
        """Virtual time: run, at the present time, what control work has put in front of nodes."""
        if any(int(w.record["head"]) != int(w.record["tail"]) for w in self.plane.workers):
            self.run_until(self.now)

    def advance(self, now: int) -> None:
        """Move the engine's clock to ``now`` ns (never back)."""
        for w in self.plane.workers:
            w.record["now"] = max(int(w.record["now"]), now)

    def start_real_clock(self, start: int | None = None) -> None:
        """Real time runs from ``start`` ns on (None: the time of day), beginning now.

        Call it before anything that looks at the time: a timer set earlier is overdue at once. The cycle counter is
        measured first (50 ms, once a process).
        """
        frequency = tsc_hz()
        with self.paused():
            start = time.time_ns() if start is None else start
            for w in self.plane.workers:
                w.record["ns_base"] = w.record["now"] = start
                w.record["ns_per_mega_tick"] = round(1e9 * (1 << 20) / frequency)
                w.record["tsc_base"] = read_cycles()
            self._clock_runs = True

    def _read_clock(self) -> None:
        """Real time: bring ``now`` up to date; nobody may be dispatching."""
        if self._clock_runs:
            for w in self.plane.workers:
                update_clock(w.address)

    def adjust_clock(self, seconds: float) -> None:
        """Move real time forward (or back); timers that are due then have run when this returns.

        As in VPP they run one after the other, each at its own time, and what they send leaves in between.
        """
        with self.paused():
            left = round(seconds * 1e9)
            while left > 0 and self.timers.next_time() <= self.now + left:
                step = max(0, self.timers.next_time() - self.now)
                self._move_clock(step)
                left -= step
                self.timers.run(self.now)
                if self.clock == "real":
                    self._runner.turn()
            self._move_clock(left)

    def _move_clock(self, ns: int) -> None:
        for w in self.plane.workers:
            w.record["ns_base"] += ns
            w.record["now"] += ns

    @contextmanager
    def paused(self, wake: bool = True) -> Iterator[None]:
        """The calling thread has the engine for itself: the workers stand between two vectors. May be nested.

        Every use of a running engine by another thread than the one that runs it must be within. With ``wake`` False
        the caller calls ``gate.wake()`` itself, soon.
        """
        nested = self.gate.mine
        self.gate.enter()
        try:
            if not nested:
                self._read_clock()
            yield
        finally:
            self.gate.leave(wake)

    def settle(self) -> None:
        """Send at once what control work has made (ARP requests, say). To be called within `paused`."""
        self._runner.settle()

    def _ask_workers(self, leave: bool) -> None:
        for w in self.plane.workers:
            w.record["stop"] = int(leave or self.stopped)

    def run(self) -> None:
        """Run until no input has packets left (`real`: until stopped or nothing can come any more)."""
        if self.clock == "real":
            self._runner.run_real()
        else:
            self._runner.run_until()

    def serve(self) -> None:
        """Real time, until `stop`: wait for packets, timers and other threads. Run it on a thread of its own."""
        if not self._clock_runs:
            self.start_real_clock()
        self._runner.run_real(endless=True)

    def run_until(self, limit: int) -> None:
        """Virtual time: run everything due up to ``limit`` ns, timers included; the clock then stands there."""
        self._runner.run_until(limit)

    def stop(self) -> None:
        """Make `run` return soon; may be called from any thread or a signal handler."""
        self.stopped = True
        for w in self.plane.workers:
            w.record["stop"] = 1
        self.gate.wake()

    def close(self) -> None:
        """Release devices and memory."""
        self._runner.close()
        for device in self.devices():
            device.close()
        self.interfaces.close()
        self.routes.close()
        self.plane.close()
        self.gate.close()
