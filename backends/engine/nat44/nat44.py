"""NAT44 of an engine: switched on and off, settings, and where its parts are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vectorplane.backends.engine.fib_entries import NAT
from vectorplane.backends.engine.nat44.addresses import NatAddresses
from vectorplane.backends.engine.nat44.errors import AlreadyDisabled, AlreadyEnabled, InvalidValue, Unsupported
from vectorplane.backends.engine.nat44.interfaces import NatInterfaces
from vectorplane.backends.engine.nat44.receive_routes import ReceiveRoutes
from vectorplane.backends.engine.nat44.sessions import Sessions
from vectorplane.backends.engine.nat44.static_mappings import StaticMappings
from vectorplane.backends.engine.nat44.vrf_tables import VrfTables
from vectorplane.graph_nodes.nat44.counters import NatCounters
from vectorplane.graph_nodes.nat44.session import FWD_BYPASS
from vectorplane.graph_nodes.nat44.session_control import NatSessions
from vectorplane.graph_nodes.nat44.tables import NatTables

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

DEFAULT_SESSIONS = 63 * 1024
DEFAULT_QUEUE_SIZE = 8192


class Timeouts(NamedTuple):
    """How long sessions may be silent, in seconds."""

    udp: int = 300
    tcp_established: int = 7440
    tcp_transitory: int = 240
    icmp: int = 60


def buckets_for(sessions: int) -> int:
    """The buckets that VPP's table has for so many sessions."""
    wanted = int(sessions / 2.5)
    if not wanted:
        return 2  # its differences are unsigned
    lower = 1
    while lower * 2 < wanted:
        lower *= 2
    return 2 * lower if 2 * lower - wanted < wanted - lower else lower


class Nat44:
    """See the module's docstring. All but `enable` and the settings need NAT to be on (`Unsupported`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.enabled = False
        self.inside_vrf = self.outside_vrf = 0
        self.sessions_limit = 0
        """The most sessions, as it was configured."""
        self._most_sessions = 0
        """The same, until `update_session_limit`; tables without a limit of their own have it."""
        self.translation_buckets = 0
        self.timeouts = Timeouts()
        self.mss_clamping = 0
        self.forwarding = False
        self.limits: list[int] = []
        """The most sessions by FIB index."""
        self.queue_size = 0
        """What is told of the rings between workers, which have a size of their own; 0 before NAT was on, as in VPP."""
        self._has_queues = False
        self.routes = ReceiveRoutes(engine)
        self.sessions = Sessions(engine)
        self.vrf_tables = VrfTables(engine, self)
        self.interfaces = NatInterfaces(engine, self)
        self.addresses = NatAddresses(engine, self)
        self.mappings = StaticMappings(engine, self)

    @property
    def tables(self) -> NatTables:
        """The memory that nodes read."""
        return self._engine.plane.shared(NatTables)

    def need_enabled(self) -> None:
        """Raises `Unsupported`: NAT is off."""
        if not self.enabled:
            raise Unsupported("NAT44 is switched off")

    def hold_table(self, vrf: int) -> int:
        """One user more of a table, which is made if need be; gives its FIB index."""
        self._engine.tables.hold(vrf, NAT)
        return self._engine.routes.control.fib_index(vrf)

    def release_table(self, vrf: int) -> None:
        """One user less."""
        self._engine.tables.release(vrf, NAT)

    def vrf_of(self, fib: int) -> int:
        """Table id of a FIB."""
        return self._engine.routes.control.fibs.id_of(fib)

    # --- on and off

    def enable(self, inside_vrf: int = 0, outside_vrf: int = 0, sessions: int = 0) -> None:
        """Switch it on. ``sessions``: the most there may be; 0: 63 * 1024.

        Raises:
            AlreadyEnabled: it is on.
        """
        if self.enabled:
            raise AlreadyEnabled("NAT44 is switched on already")
        self._engine.plane.graph.add("nat-default")
        self._engine.plane.shared(NatSessions)
        self.inside_vrf, self.outside_vrf = inside_vrf, outside_vrf
        self.sessions_limit = sessions or DEFAULT_SESSIONS
        self.translation_buckets = buckets_for(self.sessions_limit)
        settings = self.tables.settings
        settings["inside_fib"], settings["outside_fib"] = self.hold_table(inside_vrf), self.hold_table(outside_vrf)
        self.queue_size = self.queue_size or DEFAULT_QUEUE_SIZE
        self._has_queues |= len(self._engine.plane.workers) > 1
        self._most_sessions = self.sessions_limit
        self.enabled = True
        settings["enabled"] = 1
        self._engine.plane.take_turns("nat44", True)
        self.set_forwarding(False)
        self.set_mss_clamping(0)
        self.set_timeouts(Timeouts())
        self._set_limits([*self.limits, self.sessions_limit])  # as in VPP, limits from before it was on come first
        self._tell_most()
        self.sessions.clear()

    def disable(self) -> None:
        """Switch it off: nothing of its configuration or its sessions stays.

        Raises:
            AlreadyDisabled: it is off.
        """
        if not self.enabled:
            raise AlreadyDisabled("NAT44 is switched off already")
        self.sessions.clear()
        self.mappings.clear()
        self.addresses.clear()
        self.interfaces.clear()
        self.vrf_tables.clear()
        for vrf in (self.inside_vrf, self.outside_vrf):
            self.release_table(vrf)
        self.set_forwarding(False)
        self.limits = []
        self.sessions_limit = self.inside_vrf = self.outside_vrf = 0
        self.enabled = False
        self.tables.settings["enabled"] = 0
        self._engine.plane.take_turns("nat44", False)

    # --- settings

    def set_forwarding(self, on: bool) -> None:
        """Whether packets that meet neither mapping nor session go on as they are."""
        self.forwarding = on
        if self.enabled:
            self.tables.settings["forwarding"] = int(on)
            if not on:
                self.sessions.end(lambda s: (s.flags & FWD_BYPASS) != 0)

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Change them. Raises `ValueError`: one is no 32-bit number."""
        if any(not 0 <= seconds < 1 << 32 for seconds in timeouts):
            raise ValueError(f"NAT timeouts of {tuple(timeouts)} s: each must be within 0 to {(1 << 32) - 1}")
        self.timeouts = timeouts
        if self.enabled:
            self.tables.set_timeouts(*timeouts)
            self.sessions.timeouts_changed()

    def set_mss_clamping(self, value: int) -> None:
        """The most that a SYN may announce as segment size; 0: anything."""
        if not 0 <= value < 1 << 16:
            raise ValueError(f"an MSS of {value} is not within 0 to 65535")
        self.mss_clamping = value
        if self.enabled:
            self.tables.settings["mss"] = value

    def set_session_limit(self, limit: int, vrf: int) -> None:
        """The most sessions for packets of a table. Raises `KeyError`: there is no such table."""
        fib = self._engine.routes.control.fib_index(vrf)
        limits = self.limits + [self._most_sessions] * (fib + 1 - len(self.limits))
        limits[fib] = limit
        self._set_limits(limits)

    def update_session_limit(self, limit: int, vrf: int) -> None:
        """The same, and all sessions end (VPP's command does so). Raises `KeyError`."""
        self.set_session_limit(limit, vrf)
        self._most_sessions = max(self.limits)
        self.translation_buckets = buckets_for(self._most_sessions)
        self._tell_most()
        self.sessions.clear()

    def set_queue_size(self, size: int) -> bool:
        """What is to be told of the rings' size. False: too late, as in VPP, once NAT was on with several workers.

        Raises:
            AlreadyEnabled: NAT is on.
            InvalidValue: it is no power of two.
        """
        if self.enabled:
            raise AlreadyEnabled("NAT44 is switched on")
        if size <= 0 or size & (size - 1):
            raise InvalidValue(f"a ring of {size} packets: that is no power of two")
        if not self._has_queues:
            self.queue_size = size
        return not self._has_queues

    def _set_limits(self, limits: list[int]) -> None:
        self.limits = limits
        if self.enabled:
            self.tables.set_limits(limits)
            self._engine.plane.shared(NatSessions).expect(max(limits))

    def _tell_most(self) -> None:
        counters = self._engine.plane.shared(NatCounters)
        self._engine.plane.stats.set_scalar(counters.most, self._most_sessions)
