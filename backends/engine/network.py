"""Several engines, and hosts, in one virtual time: they advance in lockstep, by no more than a link's latency at once.

What happens at time t at one engine reaches another one at t + latency at the earliest. So when t is the earliest
time at which anything is due anywhere, every engine may run up to t + latency - 1 without hearing anything late;
what was sent meanwhile then lies at the far ends of the links, in time. The next round starts at what is due next:
stretches in which nothing happens cost nothing, however long they are. A simulated host reacts to what reaches it at t
at t, and its cable has a latency, too; all hosts share one agenda, so those with nothing to do are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.agenda import Agenda
from vectorplane.dataplane.abi import NEVER

if TYPE_CHECKING:
    from vectorplane.backends.engine.member import Member, Port
    from vectorplane.backends.engine.sim_host.host_link import HostLink
    from vectorplane.backends.engine.sim_link import Link


class Network:
    """Engines joined by links (one engine too, whose ports are linked to each other), and hosts at their ports.

    All have the clock `virtual`, or, without hosts, all `fast`. The result depends on nothing but their configurations
    and input. Links and hosts may come and go between two runs.

    Raises:
        ValueError: other clocks, a link to an engine that is not in the network, or an engine named twice.
    """

    def __init__(
        self, engines: Sequence[Member], links: Iterable[Link] = (), host_links: Iterable[HostLink] = ()
    ) -> None:
        self.engines = list(engines)
        clocks = {e.clock for e in self.engines}
        if len(clocks) > 1 or not clocks <= {"virtual", "fast"}:
            raise ValueError(f"a network needs engines with the clock virtual, or all fast, not {sorted(clocks)}")
        if len({id(e) for e in self.engines}) != len(self.engines):
            raise ValueError("an engine is in the network twice")
        self.links: list[Link] = []
        self.host_links: dict[HostLink, None] = {}
        self.agenda = Agenda()
        """What the hosts have before them."""
        self.rounds = 0
        self.stopped = False
        self._fast = clocks == {"fast"}
        self._ports: dict[int, list[Port]] = {id(e): [] for e in self.engines}
        self.look_ahead = NEVER
        """Shortest latency, ns."""
        self.agenda.now = max((e.now for e in self.engines), default=0)
        for link in links:
            self.add_link(link)
        for host_link in host_links:
            self.add_host_link(host_link)

    def add_engine(self, engine: Member, first: bool = False) -> None:
        """An engine, or what stands for one, comes into the network; its time becomes that of the others.

        ``first``: it is begun before those that are there. The result is the same, but it may work beside them.

        Raises:
            ValueError: it is there already, or has another clock.
        """
        if id(engine) in self._ports:
            raise ValueError("an engine is in the network twice")
        if self.engines and engine.clock != self.engines[0].clock:
            raise ValueError(f"a network needs engines with one clock, not {engine.clock} beside the others")
        engine.advance(self.agenda.now)
        self.engines.insert(0 if first else len(self.engines), engine)
        self._ports[id(engine)] = []

    def remove_engine(self, engine: Member) -> None:
        """An engine leaves.

        Raises:
            ValueError: it is not in the network, or a cable leads to it.
        """
        if self._ports.get(id(engine), [None]):
            raise ValueError("an engine with cables cannot leave the network, nor one that is not in it")
        self.engines.remove(engine)
        del self._ports[id(engine)]

    def add_link(self, link: Link) -> None:
        """Two ports are joined.

        Raises:
            ValueError: one of an engine that is not in the network.
        """
        for port in link.ports:
            self._check(port)
        for port in link.ports:
            self._ports[id(port.engine)].append(port)
        self.links.append(link)
        self.look_ahead = min(self.look_ahead, link.latency_ns)

    def remove_link(self, link: Link) -> None:
        """Pull the cable between two ports, which are free for others then; what is on its way still arrives.

        Raises:
            ValueError: it is not in the network.
        """
        self.links.remove(link)
        for port in link.ports:
            self._ports[id(port.engine)].remove(port)
            port.link = None
        self._look_ahead_anew()

    def add_host_link(self, link: HostLink) -> None:
        """A host (or two, joined to each other) comes into the network.

        Raises:
            ValueError: it is in a network, its port's engine is not in this one, or the engines have no time.
        """
        if self._fast:
            raise ValueError("engines with the clock fast have no time, which hosts need")
        if link.agenda is not None:
            raise ValueError(f"the link of host {link.host.name} is in a network already")
        if link.port is not None:
            self._check(link.port)
            self._ports[id(link.port.engine)].append(link.port)
        self.agenda.now = max(self.agenda.now, *(e.now for e in self.engines), 0)
        link.agenda = self.agenda
        self.host_links[link] = None
        self.look_ahead = min(self.look_ahead, link.latency_ns)

    def remove_host_link(self, link: HostLink) -> None:
        """A host leaves: its cable is pulled, what is on its way to it is lost, its probes come to their end.

        Raises:
            KeyError: it is not in the network.
        """
        del self.host_links[link]
        if link.port is not None:
            self._ports[id(link.port.engine)].remove(link.port)
        link.unplug()
        self._look_ahead_anew()

    def next_time(self) -> int:
        """When the next packet is due at an engine's input, or anything at a host, ns; `NEVER`: nothing is known."""
        return min(self.agenda.next_time(), *(e.next_time() for e in self.engines), NEVER)

    def due(self) -> int:
        """When the next thing happens, timers of engines included, ns; `NEVER`: nothing is known. See `wake`."""
        return min(self.agenda.next_time(), *(e.due() for e in self.engines), NEVER)

    def wake(self) -> None:
        """Take up what was done between two runs: frames that control work has made, packets that hosts have sent.

        Every run begins with it; to be called before `due` is asked between two runs.
        """
        self.agenda.hand_over()
        if self._fast:
            return
        for engine in self.engines:
            engine.wake()

    def run(self) -> None:
        """Run until no packet is left anywhere and no host waits for anything.

        As for one engine, timers of engines alone do not keep it going.
        """
        self.wake()
        while not self.stopped and self.next_time() < NEVER:
            self._round(NEVER)

    def run_until(self, limit: int) -> None:
        """Run everything that is due up to ``limit`` ns, timers included; all clocks then stand there.

        Raises:
            ValueError: the clock is `fast`, which has no time.
        """
        self.run_while(lambda: True, limit)

    def run_while(self, condition: Callable[[], bool], limit: int = NEVER) -> None:
        """As `run_until`, but only as long as ``condition()`` holds, which is asked before each round.

        All clocks then agree. Without a limit it ends when nothing is left to happen, timers included.

        Raises:
            ValueError: the clock is `fast`, which has no time.
        """
        if self._fast:
            raise ValueError("engines with the clock fast have no time to run until")
        self.wake()
        while not self.stopped:
            due = self.due()
            if due > limit or due == NEVER:
                self._meet_at(self.agenda.now if limit == NEVER else limit)
                return
            if not condition():
                for engine in self.engines:
                    engine.advance(self.agenda.now)  # nothing is due up to here
                return
            self._round(limit if limit < NEVER or self.look_ahead < NEVER else due)

    def stop(self) -> None:
        """Make `run` return soon; may be called from any thread or a signal handler."""
        self.stopped = True
        for engine in self.engines:
            engine.stop()

    def _check(self, port: Port) -> None:
        if port.sw_if_index < 0 or id(port.engine) not in self._ports:
            raise ValueError(f"port {port.name} is linked, but its engine is not in the network")

    def _look_ahead_anew(self) -> None:
        latencies = [link.latency_ns for link in self.links] + [link.latency_ns for link in self.host_links]
        self.look_ahead = min(latencies, default=NEVER)

    def _meet_at(self, time: int) -> None:
        for engine in self.engines:
            engine.run_until(time)
        self.agenda.run_until(time)

    def _round(self, limit: int) -> None:
        self.rounds += 1
        if self._fast or (self.look_ahead == NEVER and limit == NEVER):
            for engine in self.engines:
                engine.run()
            return
        due = [e.due() for e in self.engines]
        first = min(self.agenda.next_time(), *due, NEVER)
        horizon = min(limit, first + self.look_ahead - 1)
        running = [engine for engine, at in zip(self.engines, due, strict=True) if at <= horizon]
        for engine in running:
            engine.run_until(horizon)
        for engine in running:
            for port in self._ports[id(engine)]:
                port.depart(horizon)
        self.agenda.run_until(horizon)
