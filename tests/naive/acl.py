"""ACLs in plain Python: rules are walked one after the other, sessions live in a dictionary by both their 5-tuples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

from vectorplane.backends.engine.acl.rule import REFLECT, AclRule

DENIED, PERMITTED, REFLECTED, BY_SESSION = "deny", "permit", "new", "session"
SECOND = 1_000_000_000
UDP, TCP_IDLE, TCP_TRANSIENT = 1, 2, 3
TIMEOUTS = {UDP: 600, TCP_IDLE: 86400, TCP_TRANSIENT: 120}
FIN, SYN, RST, ACK = 1, 2, 4, 16
ANSWERS4 = {8: 0, 13: 14, 15: 16, 17: 18}
ANSWERS6 = {128: 129, 139: 140}
SKIPPED6 = {0, 43, 44, 60, 135, 139, 140, 253, 254}


@dataclass(frozen=True)
class Seen:
    """What ACLs see of an IP packet."""

    ip6: bool
    source: int
    destination: int
    protocol: int
    ports: tuple[int, int] | None
    """Or ICMP type and code; None: not known."""
    flags: int | None = None
    """Of TCP."""
    nonfirst: bool = False


def see4(packet: bytes) -> Seen:
    """Of an IPv4 packet."""
    if len(packet) < 20:
        return Seen(False, 0, 0, 0, None)
    source, destination = int.from_bytes(packet[12:16], "big"), int.from_bytes(packet[16:20], "big")
    protocol = packet[9]
    if int.from_bytes(packet[6:8], "big") & 0x1FFF:
        return Seen(False, source, destination, protocol, None, nonfirst=True)
    return _see_l4(False, source, destination, protocol, packet[(packet[0] & 15) * 4 :])


def see6(packet: bytes) -> Seen | None:
    """Of an IPv6 packet; None: it is too short to have addresses."""
    if len(packet) < 40:
        return None
    source, destination = int.from_bytes(packet[8:24], "big"), int.from_bytes(packet[24:40], "big")
    protocol, rest = packet[6], packet[40:]
    nonfirst = False
    while protocol in SKIPPED6 and len(rest) >= 8:
        if protocol == 44:
            if int.from_bytes(rest[2:4], "big") >> 3:
                nonfirst = True
                protocol, rest = rest[0], b""
            else:
                protocol, rest = rest[0], rest[8:]
        else:
            protocol, rest = rest[0], rest[8 * (1 + rest[1]) :]
    if nonfirst:
        return Seen(True, source, destination, protocol, None, nonfirst=True)
    return _see_l4(True, source, destination, protocol, rest)


def _see_l4(ip6: bool, source: int, destination: int, protocol: int, l4: bytes) -> Seen:
    if len(l4) < 8:
        return Seen(ip6, source, destination, protocol, None)
    if protocol in (6, 17):
        ports = int.from_bytes(l4[:2], "big"), int.from_bytes(l4[2:4], "big")
        flags = None if protocol == 17 else l4[13] if len(l4) >= 14 else 0
        return Seen(ip6, source, destination, protocol, ports, flags)
    if protocol == (58 if ip6 else 1):
        return Seen(ip6, source, destination, protocol, (l4[0], l4[1]))
    return Seen(ip6, source, destination, protocol, (0, 0))


def meets(rule: AclRule, seen: Seen, match_fragments: bool = True) -> bool:
    """Does the packet meet the rule?"""
    if rule.ip6 != seen.ip6:
        return False
    for address, network, length in (
        (seen.source, rule.src, rule.src_len),
        (seen.destination, rule.dst, rule.dst_len),
    ):
        bits = 128 if rule.ip6 else 32
        if length and address >> bits - length << bits - length != network:
            return False
    if rule.proto == 0:
        return True
    if rule.proto != seen.protocol:
        return False
    if seen.nonfirst:
        return match_fragments
    if seen.ports is None:
        return False
    if not rule.sport_first <= seen.ports[0] <= rule.sport_last:
        return False
    if not rule.dport_first <= seen.ports[1] <= rule.dport_last:
        return False
    return seen.flags is None or seen.flags & rule.tcp_flags_mask == rule.tcp_flags_value


def first_met(
    lists: Sequence[tuple[int, Sequence[AclRule]]], seen: Seen, match_fragments: bool = True
) -> tuple[int, int, AclRule] | None:
    """ACL, number and rule that the packet meets first."""
    for acl, rules in lists:
        for i, rule in enumerate(rules):
            if meets(rule, seen, match_fragments):
                return acl, i, rule
    return None


@dataclass
class Session:
    """One; it is found under `keys`."""

    keys: list[tuple[object, ...]]
    protocol: int
    active: int
    sw_if: int
    is_input: bool
    epoch: int
    flags: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})

    @property
    def kind(self) -> int:
        """Of its timeout."""
        if self.protocol != 6:
            return UDP
        both = [f & (FIN | SYN | RST | ACK) for f in self.flags.values()]
        return TCP_IDLE if both == [SYN | ACK, SYN | ACK] else TCP_TRANSIENT


class NaiveAcls:
    """ACLs of interfaces and their sessions. Time is given, in ns."""

    def __init__(self) -> None:
        self.acls: dict[int, Sequence[AclRule]] = {}
        self.lists: dict[tuple[int, bool], list[int]] = {}
        self.sessions: dict[tuple[object, ...], Session] = {}
        self.timeouts = dict(TIMEOUTS)
        self.match_fragments = True
        self.reclassify = False
        self.epochs: dict[tuple[int, bool], int] = {}

    # --- what is configured

    def replace(self, index: int, rules: Sequence[AclRule]) -> None:
        """Other rules."""
        self.acls[index] = rules
        for place, numbers in self.lists.items():
            if index in numbers:
                self._policy(place)

    def set_list(self, sw_if: int, is_input: bool, numbers: list[int]) -> None:
        """Other ACLs of a direction. Both directions of one call: output first, then input."""
        before = self.lists.get((sw_if, is_input), [])
        if self.reclassify:
            self._policy((sw_if, is_input))
        elif set(before) != set(numbers):
            self.clear(sw_if)
        self.lists[sw_if, is_input] = numbers
        if before and not numbers and not self.lists.get((sw_if, not is_input)):
            self.clear(sw_if)

    def clear(self, sw_if: int | None = None) -> None:
        """End sessions."""
        self.sessions = {k: s for k, s in self.sessions.items() if sw_if is not None and s.sw_if != sw_if}

    def _policy(self, place: tuple[int, bool]) -> None:
        if self.reclassify:
            self.epochs[place] = self.epochs.get(place, 0) + 1

    # --- packets

    def check(self, sw_if: int, is_input: bool, seen: Seen | None, now: int) -> tuple[str, tuple[int, int] | None]:
        """What becomes of a packet, and the ACL and rule that said so."""
        numbers = self.lists.get((sw_if, is_input), [])
        if not numbers:
            return PERMITTED, None
        if seen is None:
            return DENIED, None
        if self._by_session(sw_if, is_input, seen, now):
            return BY_SESSION, None
        met = first_met([(i, self.acls[i]) for i in numbers], seen, self.match_fragments)
        if met is None:
            return DENIED, None
        acl, i, rule = met
        if rule.action != REFLECT:
            return (PERMITTED if rule.action else DENIED), (acl, i)
        self._make(sw_if, is_input, seen, now)
        return REFLECTED, (acl, i)

    def expire(self, now: int) -> None:
        """End what has run out."""
        live = self.live(now)
        self.sessions = {k: s for k, s in self.sessions.items() if id(s) in live}

    def live(self, now: int) -> set[int]:
        """The sessions whose time is not up, by identity."""
        return {id(s) for s in self.sessions.values() if now - s.active < self.timeouts[s.kind] * SECOND}

    def _key(self, sw_if: int, is_input: bool, seen: Seen) -> tuple[object, ...]:
        slow = seen.ports is not None and seen.protocol not in (6, 17)
        return (sw_if, is_input, seen.ip6, seen.source, seen.destination, seen.protocol, seen.ports or (0, 0), slow)

    def _reverse_key(self, sw_if: int, is_input: bool, seen: Seen) -> tuple[object, ...] | None:
        ports = seen.ports or (0, 0)
        icmp = seen.ports is not None and seen.protocol == (58 if seen.ip6 else 1)
        if icmp:
            answers = ANSWERS6 if seen.ip6 else ANSWERS4
            if ports[0] not in answers:
                return None
            ports = answers[ports[0]], ports[1]
        else:
            ports = ports[1], ports[0]
        known = ports if seen.ports is not None else None
        turned = Seen(seen.ip6, seen.destination, seen.source, seen.protocol, known)
        return self._key(sw_if, not is_input, turned)

    def _by_session(self, sw_if: int, is_input: bool, seen: Seen, now: int) -> bool:
        session = self.sessions.get(self._key(sw_if, is_input, seen))
        if session is None:
            return False
        if now - session.active >= self.timeouts[session.kind] * SECOND:
            self._end(session)
            return False
        session.active = now
        if seen.flags is not None:
            session.flags[is_input] |= seen.flags
        if self.reclassify and session.is_input == is_input and session.epoch != self.epochs.get((sw_if, is_input), 0):
            self._end(session)
            return False
        return True

    def _make(self, sw_if: int, is_input: bool, seen: Seen, now: int) -> None:
        keys = [self._key(sw_if, is_input, seen)]
        reverse = self._reverse_key(sw_if, is_input, seen)
        if reverse is not None:
            keys.append(reverse)
        there = next((self.sessions[k] for k in keys if k in self.sessions), None)
        if there is None:
            epoch = self.epochs.get((sw_if, is_input), 0)
            there = Session([], seen.protocol, now, sw_if, is_input, epoch)
        there.active = now
        there.keys += [k for k in keys if k not in there.keys]
        for key in keys:
            self.sessions[key] = there
        if seen.flags is not None:
            there.flags[is_input] |= seen.flags

    def _end(self, session: Session) -> None:
        for key in session.keys:
            self.sessions.pop(key, None)


def networks(rule: AclRule) -> tuple[str, str]:
    """Source and destination as text, for messages of tests."""
    return str(ip_network((rule.src, rule.src_len), strict=False)), str(
        ip_network((rule.dst, rule.dst_len), strict=False)
    )
